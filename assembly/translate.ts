// Translation of one address by a CPU: lookaside, else TLB, else walk and fill. Also what software
// does to cached translations: INVLPG, CR3 and CR4 writes, invalidation of a range.

import { CR3_NO_FLUSH, CR4_PCIDE, CR4_PGE, ERROR_I, ERROR_U, ERROR_W, KIND_FETCH } from "./layout";
import { Cpu, currentPcid, deriveFromRegisters, isCanonical, isDenied, noFault } from "./cpu";
import { protectionFault } from "./cpu";
import { isBacked, linear, ramBytes } from "./ram";
import { lookasideCanHold, lookasideDrop, lookasideFill, lookasideSetMode } from "./lookaside";
import {
  tlbDropAll,
  tlbDropPage,
  tlbDropRange,
  tlbFill,
  tlbHoldsGlobal,
  tlbLookupFirst,
  tlbLookupSecond,
  tlbSetContext,
} from "./tlb";
import { TRANSLATION_D, quickWalk, translated, translationRights, walk } from "./walk";

const USER_CPL: u32 = 3;
const PAGE_MASK: u64 = ~(<u64>0xfff);

/** Kind and privilege as an error code has them: W, U and I. */
export function accessOf(cpu: Cpu, kind: u32): u32 {
  return (kind == KIND_FETCH ? ERROR_I : kind << 1) | (cpu.cpl == USER_CPL ? ERROR_U : 0);
}

function fillLookaside(cpu: Cpu, va: u64, translation: u64): void {
  const page = va & PAGE_MASK;
  const pa = translated(translation, page);
  const at = changetype<usize>(cpu);
  if (pa >= ramBytes || !lookasideCanHold(pa)) return;
  const rights = translationRights(translation);
  const canWrite =
    (translation & TRANSLATION_D) != 0 && isBacked(pa) && !isDenied(cpu, accessOf(cpu, 1), rights);
  lookasideFill(
    at,
    page,
    pa,
    linear(pa),
    !isDenied(cpu, accessOf(cpu, 0), rights),
    canWrite,
    !isDenied(cpu, accessOf(cpu, KIND_FETCH), rights),
  );
}

function walkAndFill(cpu: Cpu, va: u64, access: u32): u64 {
  cpu.walks++;
  const translation = quickWalk(cpu, va, access) || walk(cpu, va, access, false);
  if (translation) tlbFill(cpu, va, translation, ((cpu.cr4 >> CR4_PGE) & 1) != 0);
  return translation;
}

/**
 * Translates the page of `va` by TLB or walk: the translation, or 0 with the fault in `cpu`. An
 * operand is canonical as a whole or not at all. An entry that denies the access, or lacks D for a
 * write, is dropped and the tables decide (SDM Vol. 3A §4.10.2.3: processors may use it or walk;
 * those we know walk).
 */
export function translateSlow(cpu: Cpu, va: u64, nrBytes: u32, kind: u32): u64 {
  if (!isCanonical(va) || !isCanonical(va + nrBytes - 1)) {
    protectionFault(cpu, va);
    return 0;
  }
  noFault(cpu);
  const access = accessOf(cpu, kind);
  let translation = tlbLookupFirst(cpu, va) || tlbLookupSecond(cpu, va);
  if (translation) {
    const needsDirty = (access & ERROR_W) != 0 && !(translation & TRANSLATION_D);
    if (needsDirty || isDenied(cpu, access, translationRights(translation))) {
      tlbDropPage(cpu, va, currentPcid(cpu), true);
      translation = 0;
    }
  }
  if (!translation) translation = walkAndFill(cpu, va, access);
  if (translation && cpu.hasLookaside) fillLookaside(cpu, va, translation);
  return translation;
}

/** INVLPG (SDM Vol. 3A §4.10.4.1): global entries too. No effect on a non-canonical address. */
export function invalidatePage(cpu: Cpu, va: u64): void {
  if (!isCanonical(va)) return;
  tlbDropPage(cpu, va, currentPcid(cpu), true);
  lookasideDrop(changetype<usize>(cpu));
}

/** Drops what `cpu` caches of [start, end) under `pcid`, as a shootdown asks. */
export function invalidateRange(cpu: Cpu, pcid: u64, start: u64, end: u64): void {
  tlbDropRange(cpu, pcid, start, end);
  lookasideDrop(changetype<usize>(cpu));
}

/** Drops everything, global entries too. */
export function flushAll(cpu: Cpu): void {
  tlbDropAll(cpu);
  tlbSetContext(cpu, currentPcid(cpu));
  lookasideDrop(changetype<usize>(cpu));
}

/** MOV to CR3 (SDM Vol. 3A §4.10.4.1): drops the new PCID's entries, unless bit 63 forbids. */
export function writeCr3(cpu: Cpu, value: u64): void {
  const hasPcid = ((cpu.cr4 >> CR4_PCIDE) & 1) != 0;
  const keeps = hasPcid && value >> CR3_NO_FLUSH != 0;
  cpu.cr3 = hasPcid ? value & ~((<u64>1) << CR3_NO_FLUSH) : value;
  deriveFromRegisters(cpu);
  const pcid = currentPcid(cpu);
  // Without PCIDs and global pages that is everything, and dropping everything is O(1).
  if (!keeps && !hasPcid && !tlbHoldsGlobal(cpu)) tlbDropAll(cpu);
  else if (!keeps) tlbDropRange(cpu, pcid, 0, ~(<u64>0));
  tlbSetContext(cpu, pcid);
  lookasideDrop(changetype<usize>(cpu));
}

/** After CR0, CR4, EFER or a feature was written: rights and formats may all differ. */
export function registersChanged(cpu: Cpu, dropsTlb: bool): void {
  deriveFromRegisters(cpu);
  if (dropsTlb) tlbDropAll(cpu);
  tlbSetContext(cpu, currentPcid(cpu));
  lookasideDrop(changetype<usize>(cpu));
}

export function setPrivilege(cpu: Cpu, cpl: u32): void {
  cpu.cpl = cpl;
  lookasideSetMode(changetype<usize>(cpu), cpl == USER_CPL ? 0 : 1);
}
