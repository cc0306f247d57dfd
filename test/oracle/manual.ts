/**
 * 4-level and 5-level paging as the manual states it: the oracle the emulator is held to.
 *
 * Mirrors Intel SDM Vol. 3A chapter 4 (chapter 5 in the newest editions, sections numbered alike).
 * Written for clarity, from the text, and shares nothing with the emulator: only its tests import
 * it. Entries are pairs of 32-bit halves, so that millions of cases are quick; a rule is still a
 * line.
 */
import {
  A,
  addressIn,
  D,
  isLeaf,
  P,
  patIndexIn,
  protectionKeyIn,
  reservedHigh,
  reservedLow,
  RW,
  US,
  XD,
  G,
  PAGE_BYTES,
  type Level,
  type PageLevel,
} from "./entry.ts";
import { linearHigh } from "./linear-address.ts";
import { isWrite, type Access, type Processor } from "./processor.ts";
import { errorCode, isDenied, type Cause, type Rights } from "./rights.ts";

/** Physical memory: some words that matter, zeros up to `ramBytes`, and ones beyond. */
export interface Memory {
  /** From physical address 0, little-endian. */
  readonly words: Uint32Array;
  readonly ramBytes: number;
  /** No flag is set: a look without an access. */
  readonly isFrozen?: boolean;
}

/** What comes of an access. One object serves many cases; `clear` makes it new. */
export interface Verdict extends Rights {
  /** 0: it succeeded; 14 #PF, 13 #GP, 12 #SS. */
  vector: 0 | 12 | 13 | 14;
  errorCode: number;
  /** Meaningful with vector 14 only: #GP and #SS leave CR2 alone. */
  cr2High: number;
  cr2Low: number;
  /**
   * #PF: the level of the entry that ended the translation; 0: all entries were good, the access
   * was denied.
   */
  level: Level | 0;
  /** Where that entry is. */
  entryAddress: number;
  /**
   * Whether there is a translation, permitted or not: then `pageLevel` and everything below holds.
   */
  isTranslated: boolean;
  physicalAddress: number;
  pageLevel: PageLevel;
  isDirty: boolean;
  isGlobal: boolean;
  patIndex: number;
}

export function newVerdict(): Verdict {
  return {
    vector: 0,
    errorCode: 0,
    cr2High: 0,
    cr2Low: 0,
    level: 0,
    entryAddress: 0,
    isTranslated: false,
    physicalAddress: 0,
    pageLevel: 1,
    isWritable: true,
    isUser: true,
    isExecuteDisabled: false,
    isShadowStack: false,
    protectionKey: 0,
    isDirty: false,
    isGlobal: false,
    patIndex: 0,
  };
}

/** Makes `to` a copy of `from`. */
export function copyVerdict(from: Verdict, to: Verdict): void {
  to.vector = from.vector;
  to.errorCode = from.errorCode;
  to.cr2High = from.cr2High;
  to.cr2Low = from.cr2Low;
  to.level = from.level;
  to.entryAddress = from.entryAddress;
  to.isTranslated = from.isTranslated;
  to.physicalAddress = from.physicalAddress;
  to.pageLevel = from.pageLevel;
  to.isWritable = from.isWritable;
  to.isUser = from.isUser;
  to.isExecuteDisabled = from.isExecuteDisabled;
  to.isShadowStack = from.isShadowStack;
  to.protectionKey = from.protectionKey;
  to.isDirty = from.isDirty;
  to.isGlobal = from.isGlobal;
  to.patIndex = from.patIndex;
}

function clear(verdict: Verdict): void {
  verdict.vector = 0;
  verdict.errorCode = 0;
  verdict.level = 0;
  verdict.entryAddress = 0;
  verdict.isTranslated = false;
  verdict.isWritable = true;
  verdict.isUser = true;
  verdict.isExecuteDisabled = false;
}

/**
 * §4.10.3: where a walk may begin that a paging-structure cache shortens; or at CR3, with every
 * right.
 */
export interface Start {
  /** The level of the first entry read. */
  readonly level: Level;
  readonly table: number;
  readonly isWritable: boolean;
  readonly isUser: boolean;
  readonly isExecuteDisabled: boolean;
}

/**
 * The number of the entry within its table: §4.5.4, bits 56:48, 47:39, 38:30, 29:21, 20:12 of the
 * linear address.
 */
export function indexOf(level: Level, high: number, low: number): number {
  if (level === 5) return (high >>> 16) & 0x1ff;
  if (level === 4) return (high >>> 7) & 0x1ff;
  if (level === 3) return ((high << 2) | (low >>> 30)) & 0x1ff;
  if (level === 2) return (low >>> 21) & 0x1ff;
  return (low >>> 12) & 0x1ff;
}

function readLow(memory: Memory, at: number): number {
  if (at < memory.words.length * 4) return memory.words[at / 4];
  return at < memory.ramBytes ? 0 : 0xffff_ffff;
}

function readHigh(memory: Memory, at: number): number {
  return readLow(memory, at + 4);
}

/** §4.8: flags are only ever set. Beyond RAM a store goes nowhere. */
function setFlags(memory: Memory, at: number, flags: number): void {
  if (memory.isFrozen !== true) memory.words[at / 4] |= flags;
}

/**
 * Makes the access: fills `verdict`, and sets accessed and dirty flags in `memory`. `used` collects
 * what each entry that is not the last says, which is what paging-structure caches may keep of it.
 */
export function translate(
  q: Processor,
  memory: Memory,
  access: Access,
  verdict: Verdict,
  start?: Start,
  used?: Start[],
): void {
  clear(verdict);
  const high = linearHigh(q, access);
  if (high === undefined) {
    // Vol. 1 §3.3.7.1: #GP(0), or #SS(0) for a reference to the stack
    verdict.vector = access.manner === "stack" ? 12 : 13;
    return;
  }
  const { low } = access;

  // §4.5.4: a PML5 table with CR4.LA57 = 1, else a PML4 table
  let level: Level = start?.level ?? (q.la57 ? 5 : 4);
  let table = start?.table ?? q.root; // §4.5.2, Table 4-14: bits 51:12 of CR3
  let isWritable = start?.isWritable ?? true;
  let isUser = start?.isUser ?? true;
  let isExecuteDisabled = start?.isExecuteDisabled ?? false;

  for (;;) {
    const at = table + indexOf(level, high, low) * 8; // §4.5.4: eight bytes an entry
    const entryLow = readLow(memory, at);
    const entryHigh = readHigh(memory, at);
    const mapsPage = isLeaf(entryLow, level);
    const reserved = (entryLow & reservedLow(q, level, mapsPage)) | (entryHigh & reservedHigh(q));

    // §4.7: with P = 0 no other bit is looked at
    if ((entryLow & P) === 0) return pageFault(q, access, verdict, high, "not-present", level, at);
    // §4.7: a reserved bit in an entry with P = 1
    if (reserved !== 0) return pageFault(q, access, verdict, high, "reserved", level, at);

    if (mapsPage) {
      // §4.6.1: R/W = 0 and D = 1 here, R/W = 1 above
      verdict.isShadowStack = isWritable && (entryLow & RW) === 0 && (entryLow & D) !== 0;
    }
    // §4.6.1: R/W and U/S are ANDed over the levels, XD is ORed
    isWritable = isWritable && (entryLow & RW) !== 0;
    isUser = isUser && (entryLow & US) !== 0;
    isExecuteDisabled = isExecuteDisabled || (entryHigh & XD) !== 0;

    if (!mapsPage) {
      // §4.8: A in every entry used, even if a later one ends the translation
      setFlags(memory, at, A);
      table = addressIn(entryLow, entryHigh);
      level = (level - 1) as Level;
      used?.push({ level, table, isWritable, isUser, isExecuteDisabled });
      continue;
    }

    const offset = PAGE_BYTES[level] - 1;
    const frame = addressIn(entryLow, entryHigh);
    verdict.isTranslated = true;
    verdict.pageLevel = level as PageLevel;
    // §4.5.4: frame, then page offset
    verdict.physicalAddress = frame - (frame % (offset + 1)) + ((low & offset) >>> 0);
    verdict.isWritable = isWritable;
    verdict.isUser = isUser;
    verdict.isExecuteDisabled = isExecuteDisabled;
    verdict.protectionKey = protectionKeyIn(entryHigh);
    verdict.patIndex = patIndexIn(entryLow, level as PageLevel);
    verdict.isDirty = (entryLow & D) !== 0;
    verdict.isGlobal = (entryLow & G) !== 0;

    if (isDenied(q, access, verdict)) {
      // §6.15 #PF: the leaf's A on a protection fault is model-specific
      if (q.leafAccessedOnFault) setFlags(memory, at, A);
      return pageFault(q, access, verdict, high, "denied", 0, 0);
    }
    setFlags(memory, at, isWrite(access) ? A | D : A); // §4.8: D only where the page is mapped
    return;
  }
}

/**
 * Makes the access through a translation that a TLB holds (§4.10.2): `cached` is the verdict that
 * made it. Only the rights are asked again: registers may have changed. Precondition: the address
 * is canonical.
 */
export function useCached(q: Processor, access: Access, cached: Verdict, verdict: Verdict): void {
  copyVerdict(cached, verdict);
  verdict.vector = 0;
  verdict.errorCode = 0;
  verdict.level = 0;
  const offset = PAGE_BYTES[cached.pageLevel] - 1;
  const frame = cached.physicalAddress - (cached.physicalAddress % (offset + 1));
  // §4.10.2.2: the page frame, not the linear address's offset
  verdict.physicalAddress = frame + ((access.low & offset) >>> 0);
  if (isDenied(q, access, verdict)) {
    pageFault(q, access, verdict, linearHigh(q, access) ?? 0, "denied", 0, 0);
  }
}

function pageFault(
  q: Processor,
  access: Access,
  verdict: Verdict,
  high: number,
  cause: Cause,
  level: Level | 0,
  entryAddress: number,
): void {
  verdict.vector = 14;
  verdict.errorCode = errorCode(q, access, cause, verdict);
  verdict.cr2High = high; // §4.7, LAM: CR2 holds the linear address, masked
  verdict.cr2Low = access.low;
  verdict.level = level;
  verdict.entryAddress = entryAddress;
}
