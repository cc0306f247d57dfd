// Translation of one address by a CPU: lookaside, else TLB, else walk and fill. Also what software
// does to cached translations: INVLPG, INVPCID, CR3 and CR4 writes, invalidation of a range.

import {
  COUNT_FAULTS,
  COUNT_FLUSHES,
  COUNT_INVALIDATIONS,
  COUNT_WALKS,
  CR3_NO_FLUSH,
  CR4_PCIDE,
  CR4_PGE,
  EVENT_NONE,
  EVENT_WATCH,
  KIND_FETCH,
  KIND_READ,
  KIND_WRITE,
  MANNER_ORDINARY,
} from "./layout";
import { Cpu, accessOf, canonicalFault, count, currentPcid, deriveFromCr3 } from "./cpu";
import { deriveFromRegisters, isCanonical, noFault, withoutMetadata } from "./cpu";
import { D } from "./entry";
import { isBacked, linear, ramBytes } from "./ram";
import { isWatched, kindsWithoutAttention, logWrite, nrWatches } from "./ranges";
import { lookasideCanHold, lookasideDrop, lookasideFill, lookasideSetMode } from "./lookaside";
import { structureDrop } from "./structure-cache";
import {
  tlbDropAll,
  tlbDropNonGlobal,
  tlbDropPage,
  tlbDropRange,
  tlbFill,
  tlbHoldsGlobal,
  tlbLookupFirst,
  tlbLookupSecond,
  tlbSetContext,
} from "./tlb";
import { denies, needsDirty, translated, walkTables } from "./walk";

const USER_CPL: u32 = 3;
const PAGE_MASK: u64 = ~(<u64>0xfff);

/** Whether ordinary accesses of this kind are denied. A call: `denies` is long, and this is asked thrice. */
function deniesKind(cpu: Cpu, kind: u32, translation: u64): bool {
  return denies(cpu, accessOf(cpu, kind, MANNER_ORDINARY), translation);
}

/** `raw` is the pointer as the program has it: what LAM left out is part of the tag. */
function fillLookaside(cpu: Cpu, raw: u64, va: u64, translation: u64): void {
  const pa = translated(translation, va & PAGE_MASK);
  if (pa >= ramBytes || !lookasideCanHold(pa)) return;
  const kinds = kindsWithoutAttention(raw & PAGE_MASK, pa);
  const isWritable = (translation & D) != 0 && isBacked(pa) && (kinds & 2) != 0;
  lookasideFill(
    changetype<usize>(cpu),
    raw & PAGE_MASK,
    pa,
    linear(pa),
    (kinds & 1) != 0 && !deniesKind(cpu, KIND_READ, translation),
    isWritable && !deniesKind(cpu, KIND_WRITE, translation),
    // LAM does not apply to fetches: a pointer with metadata is not canonical for them.
    raw == va && (kinds & 4) != 0 && !deniesKind(cpu, KIND_FETCH, translation),
  );
}

/** What a data access's pointer addresses; a fetch's has no metadata. */
export function addressOf(cpu: Cpu, raw: u64, kind: u32): u64 {
  // Both shifts at once: mostly there is no LAM (a hit in the first level 22.0 ns against 22.5).
  if (!load<u64>(changetype<usize>(cpu), offsetof<Cpu>("lamUserShift"))) return raw;
  return kind == KIND_FETCH ? raw : withoutMetadata(cpu, raw);
}

if (offsetof<Cpu>("lamSupervisorShift") != offsetof<Cpu>("lamUserShift") + 4) ERROR("LAM");

/** Asks the tables, instead of a cached translation (or 0) that does not serve. */
function walkAndFill(cpu: Cpu, va: u64, access: u32, cached: u64): u64 {
  if (cached) tlbDropPage(cpu, va, currentPcid(cpu), true);
  count(cpu, COUNT_WALKS);
  const translation = walkTables(cpu, va, access);
  if (translation) tlbFill(cpu, va, translation, ((cpu.cr4 >> CR4_PGE) & 1) != 0);
  else count(cpu, COUNT_FAULTS + cpu.faultReason);
  return translation;
}

/** An operand is canonical as a whole or not at all, before any of it is translated. */
function isOperandCanonical(cpu: Cpu, va: u64, raw: u64, nrBytes: u32, kind: u32): bool {
  if (!isCanonical(cpu, va)) return false;
  // Within a page all bytes are as the first.
  const crosses = (raw & ~PAGE_MASK) + nrBytes > ~PAGE_MASK + 1;
  return !crosses || isCanonical(cpu, addressOf(cpu, raw + nrBytes - 1, kind));
}

/**
 * Translates the page of `raw` by TLB or walk for an access to `nrBytes`: the translation, or 0 with
 * the fault in `cpu`. An entry that denies the access, or lacks D for a write, is dropped and the
 * tables decide (SDM Vol. 3A §4.10.2.3: processors may use it or walk; those we know walk).
 */
export function translateSlow(cpu: Cpu, raw: u64, nrBytes: u32, kind: u32, manner: u32): u64 {
  const va = addressOf(cpu, raw, kind);
  if (!isOperandCanonical(cpu, va, raw, nrBytes, kind)) {
    canonicalFault(cpu, raw, manner);
    count(cpu, COUNT_FAULTS + cpu.faultReason);
    return 0;
  }
  noFault(cpu);
  const access = accessOf(cpu, kind, manner);
  let translation = tlbLookupFirst(cpu, va) || tlbLookupSecond(cpu, va);
  if (!translation || needsDirty(access, translation) || denies(cpu, access, translation)) {
    translation = walkAndFill(cpu, va, access, translation);
    if (!translation) return 0;
  }
  attend(cpu, raw, nrBytes, kind, translation);
  if (cpu.hasLookaside) fillLookaside(cpu, raw, va, translation);
  return translation;
}

/** Watchpoints and the log of written pages; of a crossing access, both pages come by here. */
function attend(cpu: Cpu, va: u64, nrBytes: u32, kind: u32, translation: u64): void {
  if (nrWatches && isWatched(va, nrBytes, kind & 3)) {
    cpu.event = EVENT_WATCH;
    cpu.eventAddress = va;
  }
  if (!(kind & 1)) return;
  // What LAM leaves out is not part of any page's offset.
  const pa = translated(translation, va);
  if (pa < ramBytes) logWrite(pa);
}

export function clearEvent(cpu: Cpu): void {
  cpu.event = EVENT_NONE;
}

/** INVLPG (SDM Vol. 3A §4.10.4.1): global entries too. No effect on a non-canonical address. */
export function invalidatePage(cpu: Cpu, va: u64): void {
  if (!isCanonical(cpu, va)) return;
  tlbDropPage(cpu, va, currentPcid(cpu), true);
  structureDrop(cpu, currentPcid(cpu), false);
  invalidated(cpu);
}

function invalidated(cpu: Cpu): void {
  lookasideDrop(changetype<usize>(cpu));
  count(cpu, COUNT_INVALIDATIONS);
}

/** Drops what `cpu` caches of [start, end) under `pcid`, as a shootdown asks. */
export function invalidateRange(cpu: Cpu, pcid: u64, start: u64, end: u64): void {
  tlbDropRange(cpu, pcid, start, end);
  structureDrop(cpu, pcid, false);
  invalidated(cpu);
}

/** INVPCID (SDM Vol. 2). Precondition: the operands are valid. */
export function invalidatePcid(cpu: Cpu, type: u32, pcid: u64, va: u64): void {
  if (type == 0) {
    tlbDropPage(cpu, va, pcid, false);
    structureDrop(cpu, pcid, false);
  } else if (type == 1) {
    tlbDropRange(cpu, pcid, 0, ~(<u64>0));
    structureDrop(cpu, pcid, false);
  } else if (type == 2) {
    flushAll(cpu);
    return;
  } else {
    tlbDropNonGlobal(cpu);
    structureDrop(cpu, 0, true);
  }
  invalidated(cpu);
}

/** Drops everything, global entries too. Structure caches carry the TLB's generation. */
export function flushAll(cpu: Cpu): void {
  tlbDropAll(cpu);
  if (cpu.tlbGeneration == 1) structureDrop(cpu, 0, true);
  tlbSetContext(cpu, currentPcid(cpu));
  lookasideDrop(changetype<usize>(cpu));
  count(cpu, COUNT_FLUSHES);
}

/** MOV to CR3 (SDM Vol. 3A §4.10.4.1): drops the new PCID's entries, unless bit 63 forbids. */
export function writeCr3(cpu: Cpu, value: u64): void {
  const hasPcid = ((cpu.cr4 >> CR4_PCIDE) & 1) != 0;
  const keeps = hasPcid && value >> CR3_NO_FLUSH != 0;
  cpu.cr3 = value & ~((<u64>1) << CR3_NO_FLUSH);
  deriveFromCr3(cpu);
  const pcid = currentPcid(cpu);
  // Without PCIDs and global pages that is everything, and dropping everything is O(1).
  if (!keeps && !hasPcid && !tlbHoldsGlobal(cpu)) {
    flushAll(cpu);
    return;
  }
  if (!keeps) {
    tlbDropRange(cpu, pcid, 0, ~(<u64>0));
    structureDrop(cpu, pcid, false);
  }
  tlbSetContext(cpu, pcid);
  lookasideDrop(changetype<usize>(cpu));
}

/** After CR0, CR4, EFER, a key register or a feature was written: rights and formats may differ. */
export function registersChanged(cpu: Cpu, dropsTlb: bool): void {
  deriveFromRegisters(cpu);
  if (dropsTlb) flushAll(cpu);
  tlbSetContext(cpu, currentPcid(cpu));
  lookasideDrop(changetype<usize>(cpu));
}

/** The mode in the lookaside's tags follows privilege and RFLAGS.AC. */
export function setMode(cpu: Cpu): void {
  const mode = cpu.cpl == USER_CPL ? 0 : cpu.ac ? 2 : 1;
  lookasideSetMode(changetype<usize>(cpu), mode);
}
