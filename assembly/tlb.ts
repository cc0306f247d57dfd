// The TLB: first levels for 4K, 2M and 1G pages, a second level for 4K and 2M together and one
// for 1G. Set-associative, each set in order of recency (position 0 was used last), so that the
// least recently used entry is the one that leaves. A hit in the second level refills the first.
//
//  tag:   63   62    61……57       56……………12   11…0
//        +---+-----+------------+------------+------+
//        | G | >4K | generation | page       | PCID |     of a global page: PCID 0
//        +---+-----+------------+------------+------+
//  data: a translation (walk.ts). A tag of 0 is no entry: generations start at 1.
// Invalidation is by SDM Vol. 3A §4.10.4; raising the generation empties all arrays at once.

import {
  CPU_ARRAYS,
  CPU_LOOKASIDE,
  LEVEL_PD,
  LEVEL_PDPT,
  LEVEL_PT,
  LOOKASIDE_ENTRIES,
  LOOKASIDE_ENTRY_SHIFT,
  TLB_ARRAYS,
  TLB_ARRAY_SHIFT,
  TLB_ENTRY_SHIFT,
  TLB_L1_1G,
  TLB_L1_2M,
  TLB_L1_4K,
  TLB_L2,
  TLB_L2_1G,
} from "./layout";
import { levelShift } from "./entry";
import { Cpu } from "./cpu";
import { TRANSLATION_G, translationLevel } from "./walk";

const GLOBAL: u64 = (<u64>1) << 63;
const LARGE: u64 = (<u64>1) << 62;
const GENERATION_SHIFT: u64 = 57;
const GENERATION_LAST: u32 = 31;
const PAGE_MASK: u64 = 0x01ff_ffff_ffff_f000; // bits 56:12
const PCID_MASK: u64 = 0xfff;
const ENTRY_BYTES: usize = 1 << TLB_ENTRY_SHIFT;

@unmanaged
class TlbArray {
  /** Offset of the entries from the CPU. */
  offset: u32;
  setMask: u32;
  ways: u32;
  unused: u32;
}
if (offsetof<TlbArray>() != 1 << TLB_ARRAY_SHIFT) ERROR("TLB_ARRAY_SHIFT");

// @ts-ignore: decorator
@inline
function arrayOf(cpu: Cpu, index: u32): TlbArray {
  return changetype<TlbArray>(changetype<usize>(cpu) + CPU_ARRAYS + (index << TLB_ARRAY_SHIFT));
}

/** Places the arrays behind the lookaside; returns the bytes of a CPU. */
export function tlbInit(cpu: Cpu, geometry: usize): u32 {
  let offset: u32 = CPU_LOOKASIDE + (LOOKASIDE_ENTRIES << LOOKASIDE_ENTRY_SHIFT);
  for (let i: u32 = 0; i < <u32>TLB_ARRAYS; i++) {
    const array = arrayOf(cpu, i);
    const nrSets = load<u32>(geometry + (i << 3));
    array.offset = offset;
    array.setMask = nrSets - 1;
    array.ways = load<u32>(geometry + (i << 3) + 4);
    offset += (nrSets * array.ways) << TLB_ENTRY_SHIFT;
  }
  return offset;
}

// @ts-ignore: decorator
@inline
function setOf(cpu: Cpu, array: TlbArray, va: u64, level: u32): usize {
  const set = <u32>(va >> levelShift(level)) & array.setMask;
  return changetype<usize>(cpu) + array.offset + (<usize>(set * array.ways) << TLB_ENTRY_SHIFT);
}

// @ts-ignore: decorator
@inline
function tagOf(va: u64, level: u32, context: u64): u64 {
  const page = va & PAGE_MASK & ~(((<u64>1) << levelShift(level)) - 1);
  return page | context | (level == LEVEL_PT ? 0 : LARGE);
}

/** Moves what precedes `entry` in its set one place down and writes the pair at the front. */
// @ts-ignore: decorator
@inline
function putFirst(set: usize, entry: usize, tag: u64, data: u64): void {
  // A loop of 16-byte moves: memory.copy of so few bytes costs a call out of wasm (3 to 5 times).
  for (; entry > set; entry -= ENTRY_BYTES) v128.store(entry, v128.load(entry - ENTRY_BYTES));
  store<u64>(set, tag);
  store<u64>(set, data, 8);
}

function find(cpu: Cpu, index: u32, va: u64, level: u32): u64 {
  const array = arrayOf(cpu, index);
  const set = setOf(cpu, array, va, level);
  const end = set + (<usize>array.ways << TLB_ENTRY_SHIFT);
  const tag = tagOf(va, level, cpu.tlbContext);
  const globalTag = (tag & ~PCID_MASK) | GLOBAL;
  for (let entry = set; entry < end; entry += ENTRY_BYTES) {
    const found = load<u64>(entry);
    if (found == tag || found == globalTag) {
      const data = load<u64>(entry, 8);
      putFirst(set, entry, found, data);
      return data;
    }
  }
  return 0;
}

function insert(cpu: Cpu, index: u32, va: u64, data: u64): void {
  const level = translationLevel(data);
  const array = arrayOf(cpu, index);
  const set = setOf(cpu, array, va, level);
  const last = set + (<usize>(array.ways - 1) << TLB_ENTRY_SHIFT);
  let tag = tagOf(va, level, cpu.tlbContext);
  if (data & TRANSLATION_G) tag = (tag & ~PCID_MASK) | GLOBAL;
  // An older entry of the same page is replaced, never doubled.
  let entry = set;
  while (entry < last && load<u64>(entry) != tag) entry += ENTRY_BYTES;
  putFirst(set, entry, tag, data);
}

// @ts-ignore: decorator
@inline
function firstLevel(level: u32): u32 {
  return level == LEVEL_PT ? TLB_L1_4K : level == LEVEL_PD ? TLB_L1_2M : TLB_L1_1G;
}

// @ts-ignore: decorator
@inline
function secondLevel(level: u32): u32 {
  return level == LEVEL_PDPT ? TLB_L2_1G : TLB_L2;
}

/** The cached translation of `va`, or 0. */
export function tlbLookup(cpu: Cpu, va: u64): u64 {
  let data = find(cpu, TLB_L1_4K, va, LEVEL_PT);
  if (!data) data = find(cpu, TLB_L1_2M, va, LEVEL_PD);
  if (!data) data = find(cpu, TLB_L1_1G, va, LEVEL_PDPT);
  if (data) {
    cpu.l1Hits++;
    return data;
  }
  data = find(cpu, TLB_L2, va, LEVEL_PT);
  if (!data) data = find(cpu, TLB_L2, va, LEVEL_PD);
  if (!data) data = find(cpu, TLB_L2_1G, va, LEVEL_PDPT);
  if (data) {
    cpu.l2Hits++;
    insert(cpu, firstLevel(translationLevel(data)), va, data);
  }
  return data;
}

/** Caches what a walk found. `isGlobal`: CR4.PGE is set and so is the leaf's G. */
export function tlbFill(cpu: Cpu, va: u64, translation: u64, isGlobal: bool): void {
  const data = isGlobal ? translation : translation & ~TRANSLATION_G;
  const level = translationLevel(data);
  insert(cpu, firstLevel(level), va, data);
  insert(cpu, secondLevel(level), va, data);
}

function dropPage(cpu: Cpu, index: u32, va: u64, level: u32, context: u64, andGlobal: bool): void {
  const array = arrayOf(cpu, index);
  const set = setOf(cpu, array, va, level);
  const end = set + (<usize>array.ways << TLB_ENTRY_SHIFT);
  const tag = tagOf(va, level, context);
  const globalTag = andGlobal ? (tag & ~PCID_MASK) | GLOBAL : 0;
  for (let entry = set; entry < end; entry += ENTRY_BYTES) {
    const found = load<u64>(entry);
    if (found && (found == tag || found == globalTag)) store<u64>(entry, 0);
  }
}

/** Drops the entry of `va`, whatever its page size, under `pcid`; with `andGlobal` a global one too. */
export function tlbDropPage(cpu: Cpu, va: u64, pcid: u64, andGlobal: bool): void {
  const context = (cpu.tlbContext & ~PCID_MASK) | pcid;
  dropPage(cpu, TLB_L1_4K, va, LEVEL_PT, context, andGlobal);
  dropPage(cpu, TLB_L1_2M, va, LEVEL_PD, context, andGlobal);
  dropPage(cpu, TLB_L1_1G, va, LEVEL_PDPT, context, andGlobal);
  dropPage(cpu, TLB_L2, va, LEVEL_PT, context, andGlobal);
  dropPage(cpu, TLB_L2, va, LEVEL_PD, context, andGlobal);
  dropPage(cpu, TLB_L2_1G, va, LEVEL_PDPT, context, andGlobal);
}

/** Drops every entry of `pcid` whose page meets [start, end); global ones stay. */
export function tlbDropRange(cpu: Cpu, pcid: u64, start: u64, end: u64): void {
  for (let i: u32 = 0; i < <u32>TLB_ARRAYS; i++) {
    const array = arrayOf(cpu, i);
    let entry = changetype<usize>(cpu) + array.offset;
    const nrEntries = (array.setMask + 1) * array.ways;
    const last = entry + (<usize>nrEntries << TLB_ENTRY_SHIFT);
    for (; entry < last; entry += ENTRY_BYTES) {
      const tag = load<u64>(entry);
      if (!tag || tag & GLOBAL || (tag & PCID_MASK) != pcid) continue;
      // Bits 63:57 of a page's address repeat bit 56.
      const page = <u64>((<i64>((tag & PAGE_MASK) << 7)) >> 7);
      const bytes = (<u64>1) << levelShift(translationLevel(load<u64>(entry, 8)));
      if (page < end && page + (bytes - 1) >= start) store<u64>(entry, 0);
    }
  }
}

/** Drops everything, global entries too. */
export function tlbDropAll(cpu: Cpu): void {
  if (++cpu.tlbGeneration > GENERATION_LAST) {
    cpu.tlbGeneration = 1;
    const first = arrayOf(cpu, 0);
    const last = arrayOf(cpu, TLB_ARRAYS - 1);
    const end = last.offset + (((last.setMask + 1) * last.ways) << TLB_ENTRY_SHIFT);
    memory.fill(changetype<usize>(cpu) + first.offset, 0, end - first.offset);
  }
}

/** Sets the context that tags carry from now on. */
export function tlbSetContext(cpu: Cpu, pcid: u64): void {
  cpu.tlbContext = ((<u64>cpu.tlbGeneration) << GENERATION_SHIFT) | pcid;
}
