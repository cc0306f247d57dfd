// The TLB: first levels for 4K, 2M and 1G pages, a second level for 4K and 2M together and one
// for 1G. Set-associative; of a set the least recently used way is the one that is replaced. A hit
// in the second level refills the first.
//
//  tag:   63   62    61……57       56……………12   11…0
//        +---+-----+------------+------------+------+
//        | G | >4K | generation | page       | PCID |     of a global page: PCID 0
//        +---+-----+------------+------------+------+
//  data: a translation (walk.ts). A tag of 0 is no entry: generations start at 1.
//
//  a set: tags (padded to a multiple of 4 ways), one byte a way: its position in the order of use
//  (0: used last; padded to 16), data
//        +------+-----------+------+
//        | tags | positions | data |
//        +------+-----------+------+
// Positions are kept, instead of moving entries, because a hit then rewrites one vector without a
// branch; and all tags of a set are compared, four at a time, because leaving the loop at the hit
// is a branch that is foreseen wrongly (a hit in the first level 18 ns against 25, in the second
// 36 against 80).
// Invalidation is by SDM Vol. 3A §4.10.4; raising the generation empties all arrays at once.

import {
  COUNT_L1_HITS,
  COUNT_L2_HITS,
  CPU_ARRAYS,
  CPU_LOOKASIDE,
  LEVEL_PD,
  LEVEL_PDPT,
  LEVEL_PT,
  TLB_ARRAYS,
  TLB_ARRAY_SHIFT,
  TLB_L1_1G,
  TLB_L1_2M,
  TLB_L1_4K,
  TLB_L2,
  TLB_L2_1G,
} from "./layout";
import { G, levelShift } from "./entry";
import { Cpu, count } from "./cpu";
import { STRUCTURE_CACHES_END } from "./structure-cache";
import { translationLevel } from "./walk";

const GLOBAL: u64 = (<u64>1) << 63;
const LARGE: u64 = (<u64>1) << 62;
const GENERATION_SHIFT: u64 = 57;
const GENERATION_LAST: u32 = 31;
const PAGE_MASK: u64 = 0x01ff_ffff_ffff_f000; // bits 56:12
const PCID_MASK: u64 = 0xfff;

const TAGS_WAYS: u32 = 4; // compared at a time
const POSITIONS_WAYS: u32 = 16; // of which one vector holds the positions
/** Fills the last vector up: behind every way. */
const NO_POSITION: u8 = 127;

@unmanaged
class TlbArray {
  /** Offset of the sets from the CPU. */
  offset: u32;
  setMask: u32;
  setBytes: u16;
  /** Offsets in a set. */
  positions: u16;
  data: u16;
  ways: u16;
}
if (offsetof<TlbArray>() != 1 << TLB_ARRAY_SHIFT) ERROR("TLB_ARRAY_SHIFT");

/**
 * Behind the descriptors, a byte an array: what was cached since everything was dropped, a bit for
 * global pages, one for each level. Other page sizes are not looked for (an array costs 8 ns, and
 * most programs use one size). HELD_TAGS stays until the tags are cleared. One word, so that
 * dropping everything is one load and store (a flush 5.8 ns, against 7.6 with a loop over arrays).
 */
const CPU_HELD: usize = CPU_ARRAYS + (TLB_ARRAYS << TLB_ARRAY_SHIFT);
if (CPU_HELD + 8 > <usize>CPU_LOOKASIDE || TLB_ARRAYS > 8) ERROR("CPU_HELD");
const HELD_GLOBAL: u32 = 1;
const HELD_TAGS: u32 = 128;

// @ts-ignore: decorator
@inline
function holds(cpu: Cpu, index: u32, what: u32): bool {
  return (load<u8>(changetype<usize>(cpu) + index, CPU_HELD) & what) != 0;
}

// @ts-ignore: decorator
@inline
function inAll(what: u32): u64 {
  return <u64>what * 0x0101_0101_0101_0101;
}

// @ts-ignore: decorator
@inline
function heldLevel(level: u32): u32 {
  return 1 << level;
}

// @ts-ignore: decorator
@inline
function arrayOf(cpu: Cpu, index: u32): TlbArray {
  return changetype<TlbArray>(changetype<usize>(cpu) + CPU_ARRAYS + (index << TLB_ARRAY_SHIFT));
}

// @ts-ignore: decorator
@inline
function roundUp(n: u32, unit: u32): u32 {
  return (n + unit - 1) & ~(unit - 1);
}

/** Places the arrays behind the structure caches, in memory that is zero; returns the bytes of a CPU. */
export function tlbInit(cpu: Cpu, geometry: usize): u32 {
  let offset = STRUCTURE_CACHES_END;
  for (let i: u32 = 0; i < <u32>TLB_ARRAYS; i++) {
    const array = arrayOf(cpu, i);
    const nrSets = load<u32>(geometry + (i << 3));
    const ways = load<u32>(geometry + (i << 3) + 4);
    array.offset = offset;
    array.setMask = nrSets - 1;
    array.positions = <u16>(roundUp(ways, TAGS_WAYS) << 3);
    array.data = <u16>(array.positions + roundUp(ways, POSITIONS_WAYS));
    array.setBytes = <u16>(array.data + roundUp(ways << 3, 16));
    array.ways = <u16>ways;
    for (let set: u32 = 0; set < nrSets; set++) {
      const positions = changetype<usize>(cpu) + offset + array.positions;
      for (let way: u32 = 0; way < roundUp(ways, POSITIONS_WAYS); way++) {
        store<u8>(positions + way, way < ways ? <u8>way : NO_POSITION);
      }
      offset += array.setBytes;
    }
  }
  return offset;
}

// @ts-ignore: decorator
@inline
function setOf(cpu: Cpu, array: TlbArray, va: u64, level: u32): usize {
  const set = <u32>(va >> levelShift(level)) & array.setMask;
  return changetype<usize>(cpu) + array.offset + set * array.setBytes;
}

// @ts-ignore: decorator
@inline
function tagOf(va: u64, level: u32, context: u64): u64 {
  const page = va & PAGE_MASK & ~(((<u64>1) << levelShift(level)) - 1);
  return page | context | (level == LEVEL_PT ? 0 : LARGE);
}

// @ts-ignore: decorator
@inline
function asGlobal(tag: u64): u64 {
  return (tag & ~PCID_MASK) | GLOBAL;
}

/** The ways of `set` that have one of two tags, a bit each. */
// @ts-ignore: decorator
@inline
function waysWithTag(array: TlbArray, set: usize, tag: u64, orTag: u64): u64 {
  const wanted = i64x2.splat(tag);
  const orWanted = i64x2.splat(orTag);
  let ways: u64 = 0;
  let way: u64 = 0;
  let at = set;
  do {
    const tags01 = v128.load(at);
    const tags23 = v128.load(at, 16);
    const equal01 = v128.or(i64x2.eq(tags01, wanted), i64x2.eq(tags01, orWanted));
    const equal23 = v128.or(i64x2.eq(tags23, wanted), i64x2.eq(tags23, orWanted));
    const equal = v128.shuffle<i32>(equal01, equal23, 0, 2, 4, 6);
    ways |= (<u64>i32x4.bitmask(equal)) << way;
    way += TAGS_WAYS;
    at += TAGS_WAYS << 3;
  } while (at < set + array.positions);
  return ways;
}

/** Makes the way at `position` the one used last: those before it move one back. Returns the way. */
// @ts-ignore: decorator
@inline
function use(array: TlbArray, set: usize, position: u8): u32 {
  const here = i8x16.splat(position);
  let ways: u64 = 0;
  let way: u64 = 0;
  let at = set + array.positions;
  do {
    const old = v128.load(at);
    const isHere = i8x16.eq(old, here);
    // A comparison that holds gives −1.
    const moved = i8x16.sub(old, i8x16.lt_s(old, here));
    v128.store(at, v128.andnot(moved, isHere));
    ways |= (<u64>i8x16.bitmask(isHere)) << way;
    way += POSITIONS_WAYS;
    at += POSITIONS_WAYS;
  } while (at < set + array.data);
  return <u32>ctz(ways);
}

// @ts-ignore: decorator
@inline
function find(cpu: Cpu, index: u32, va: u64, level: u32): u64 {
  const array = arrayOf(cpu, index);
  if (!holds(cpu, index, heldLevel(level))) return 0;
  const set = setOf(cpu, array, va, level);
  const tag = tagOf(va, level, cpu.tlbContext);
  const ways = waysWithTag(array, set, tag, asGlobal(tag));
  if (!ways) return 0;
  // Two ways only if software changed G without invalidating: either may be used (§4.10.4.4).
  const way = <u32>ctz(ways);
  use(array, set, load<u8>(set + array.positions + way));
  return load<u64>(set + array.data + (way << 3));
}

/** Replaces the way used longest ago. Precondition: the array does not hold the page. */
function insert(cpu: Cpu, index: u32, va: u64, data: u64): void {
  const level = translationLevel(data);
  const array = arrayOf(cpu, index);
  const set = setOf(cpu, array, va, level);
  const tag = tagOf(va, level, cpu.tlbContext);
  const isGlobal = (data & G) != 0;
  const way = use(array, set, <u8>(array.ways - 1));
  store<u64>(set + (way << 3), isGlobal ? asGlobal(tag) : tag);
  store<u64>(set + array.data + (way << 3), data);
  const held = changetype<usize>(cpu) + index;
  const added = HELD_TAGS | heldLevel(level) | (isGlobal ? HELD_GLOBAL : 0);
  store<u8>(held, load<u8>(held, CPU_HELD) | added, CPU_HELD);
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

/** The translation of `va` in the first levels, or 0. */
// @ts-ignore: decorator
@inline
export function tlbLookupFirst(cpu: Cpu, va: u64): u64 {
  let data = find(cpu, TLB_L1_4K, va, LEVEL_PT);
  if (!data) data = find(cpu, TLB_L1_2M, va, LEVEL_PD);
  if (!data) data = find(cpu, TLB_L1_1G, va, LEVEL_PDPT);
  if (data) count(cpu, COUNT_L1_HITS + translationLevel(data) - 1);
  return data;
}

/** The translation of `va` in the second level, or 0. Precondition: the first levels have none. */
export function tlbLookupSecond(cpu: Cpu, va: u64): u64 {
  let data = find(cpu, TLB_L2, va, LEVEL_PT);
  if (!data) data = find(cpu, TLB_L2, va, LEVEL_PD);
  if (!data) data = find(cpu, TLB_L2_1G, va, LEVEL_PDPT);
  if (!data) return 0;
  count(cpu, COUNT_L2_HITS + translationLevel(data) - 1);
  insert(cpu, firstLevel(translationLevel(data)), va, data);
  return data;
}

/** What is cached of `va`, or 0, without a trace. */
export function tlbPeek(cpu: Cpu, va: u64): u64 {
  return (
    peek(cpu, TLB_L1_4K, va, LEVEL_PT) ||
    peek(cpu, TLB_L1_2M, va, LEVEL_PD) ||
    peek(cpu, TLB_L1_1G, va, LEVEL_PDPT) ||
    peek(cpu, TLB_L2, va, LEVEL_PT) ||
    peek(cpu, TLB_L2, va, LEVEL_PD) ||
    peek(cpu, TLB_L2_1G, va, LEVEL_PDPT)
  );
}

function peek(cpu: Cpu, index: u32, va: u64, level: u32): u64 {
  const array = arrayOf(cpu, index);
  const set = setOf(cpu, array, va, level);
  const tag = tagOf(va, level, cpu.tlbContext);
  const ways = waysWithTag(array, set, tag, asGlobal(tag));
  return ways ? load<u64>(set + array.data + (<usize>ctz(ways) << 3)) : 0;
}

/**
 * Caches what a walk found. `isGlobal`: CR4.PGE is set and so is the leaf's G.
 * Precondition: neither level holds the page.
 */
export function tlbFill(cpu: Cpu, va: u64, translation: u64, isGlobal: bool): void {
  const data = isGlobal ? translation : translation & ~G;
  const level = translationLevel(data);
  insert(cpu, firstLevel(level), va, data);
  insert(cpu, secondLevel(level), va, data);
}

function dropPage(cpu: Cpu, index: u32, va: u64, level: u32, context: u64, andGlobal: bool): void {
  const array = arrayOf(cpu, index);
  if (!holds(cpu, index, heldLevel(level))) return;
  const set = setOf(cpu, array, va, level);
  const tag = tagOf(va, level, context);
  let ways = waysWithTag(array, set, tag, andGlobal ? asGlobal(tag) : tag);
  for (; ways; ways &= ways - 1) store<u64>(set + ((<usize>ctz(ways)) << 3), 0);
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

/** Drops the entries of one level whose pages meet [start, end). */
function dropRange(cpu: Cpu, index: u32, level: u32, context: u64, start: u64, end: u64): void {
  const array = arrayOf(cpu, index);
  if (!holds(cpu, index, heldLevel(level))) return;
  const shift = levelShift(level);
  const first = start >> shift;
  const last = (end - 1) >> shift;
  if (last - first < array.setMask) {
    for (let page = first; page <= last; page++) {
      dropPage(cpu, index, page << shift, level, context, false);
    }
    return;
  }
  const pcid = context & PCID_MASK;
  let set = changetype<usize>(cpu) + array.offset;
  for (let i: u32 = 0; i <= array.setMask; i++, set += array.setBytes) {
    for (let at: u32 = 0; at < (<u32>array.ways) << 3; at += 8) {
      const tag = load<u64>(set + at);
      if ((tag & (GLOBAL | PCID_MASK)) != pcid) continue;
      // Bits 63:57 of a page's address repeat bit 56.
      const page = <u64>(<i64>((tag & PAGE_MASK) << 7) >> 7) >> shift;
      if (page < first || page > last) continue;
      if (translationLevel(load<u64>(set + array.data + at)) == level) store<u64>(set + at, 0);
    }
  }
}

/** Drops every entry of `pcid` whose page meets [start, end); global ones stay. */
export function tlbDropRange(cpu: Cpu, pcid: u64, start: u64, end: u64): void {
  const context = (cpu.tlbContext & ~PCID_MASK) | pcid;
  dropRange(cpu, TLB_L1_4K, LEVEL_PT, context, start, end);
  dropRange(cpu, TLB_L1_2M, LEVEL_PD, context, start, end);
  dropRange(cpu, TLB_L1_1G, LEVEL_PDPT, context, start, end);
  dropRange(cpu, TLB_L2, LEVEL_PT, context, start, end);
  dropRange(cpu, TLB_L2, LEVEL_PD, context, start, end);
  dropRange(cpu, TLB_L2_1G, LEVEL_PDPT, context, start, end);
}

/** Whether a global page may be cached. */
export function tlbHoldsGlobal(cpu: Cpu): bool {
  return (load<u64>(changetype<usize>(cpu), CPU_HELD) & inAll(HELD_GLOBAL)) != 0;
}

/** Drops what is not global, of every PCID. */
export function tlbDropNonGlobal(cpu: Cpu): void {
  for (let i: u32 = 0; i < <u32>TLB_ARRAYS; i++) {
    const array = arrayOf(cpu, i);
    let set = changetype<usize>(cpu) + array.offset;
    for (let n: u32 = 0; n <= array.setMask; n++, set += array.setBytes) {
      for (let way: u32 = 0; way < array.ways; way++) {
        const tag = set + (way << 3);
        if (!(load<u64>(tag) & GLOBAL)) store<u64>(tag, 0);
      }
    }
  }
}

function clearTags(cpu: Cpu, array: TlbArray): void {
  let set = changetype<usize>(cpu) + array.offset;
  for (let i: u32 = 0; i <= array.setMask; i++, set += array.setBytes) {
    const end = set + array.positions;
    for (let at = set; at < end; at += TAGS_WAYS << 3) {
      v128.store(at, i64x2.splat(0));
      v128.store(at, i64x2.splat(0), 16);
    }
  }
}

/**
 * Old entries could match again. Positions may stay: any order of no entries is right. Arrays that
 * held nothing since the last time are passed over; else it takes 290 ns, once in 31 flushes.
 */
function clearAllTags(cpu: Cpu): void {
  for (let i: u32 = 0; i < <u32>TLB_ARRAYS; i++) {
    if (holds(cpu, i, HELD_TAGS)) clearTags(cpu, arrayOf(cpu, i));
  }
  store<u64>(changetype<usize>(cpu), 0, CPU_HELD);
}

/** Drops everything, global entries too. */
export function tlbDropAll(cpu: Cpu): void {
  const held = load<u64>(changetype<usize>(cpu), CPU_HELD);
  store<u64>(changetype<usize>(cpu), held & inAll(HELD_TAGS), CPU_HELD);
  if (++cpu.tlbGeneration <= GENERATION_LAST) return;
  cpu.tlbGeneration = 1;
  clearAllTags(cpu);
}

/** Sets the context that tags carry from now on. */
export function tlbSetContext(cpu: Cpu, pcid: u64): void {
  cpu.tlbContext = ((<u64>cpu.tlbGeneration) << GENERATION_SHIFT) | pcid;
}
