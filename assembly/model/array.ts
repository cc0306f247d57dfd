// An array of tags: sets of ways, found by key. TLB arrays, structure caches and the caches that
// walks load through are all of this kind.
//
//  key:   63     62…56  55…44  43…36   35……………0
//        +-------+-----+------+-------+--------+
//        | valid | 0   | PCID | space | number |  space: page size or table level; valid: not empty
//        +-------+-----+------+-------+--------+
//  a set: the keys' low halves (padded to a multiple of 4 ways), their high halves, then what
//  replacement knows (replacement.ts, recency.ts)
//        +------+-------+------+-------+
//        | lows | highs | full | state |
//        +------+-------+------+-------+
// Halves are apart so that one vector compares four ways; the high half is looked at only where the
// low one is equal. All ways are compared, because leaving the loop at the hit is a branch that is
// foreseen wrongly.

import {
  BIT_WAYS_MAX,
  COUNT_HITS,
  COUNT_MISSES,
  PAGE_NUMBER_BITS,
  REPLACEMENT_FIFO,
  REPLACEMENT_LRU,
  TRICK_SIMD,
} from "./layout";
import { allocate } from "./memory";
import { SHORT_WAYS_MAX, bucketBits, findLong, ringBytes } from "./recency";

const VALID: u64 = (<u64>1) << 63;
export const NUMBER_MASK: u64 = ((<u64>1) << PAGE_NUMBER_BITS) - 1;
const SPACE_MASK: u64 = 0xff;
const PCID_SHIFT: u64 = 44;
const PCID_MASK: u64 = 0xfff;

/** Of all keys that are made, in its place. */
let pcidBits: u64 = VALID;

export function setPcid(pcid: u32): void {
  pcidBits = VALID | ((<u64>pcid) << PCID_SHIFT);
}

// @ts-ignore: decorator
@inline
export function keyOf(space: u32, number: u64): u64 {
  return pcidBits | ((<u64>space) << PAGE_NUMBER_BITS) | number;
}

// @ts-ignore: decorator
@inline
/** The PCID of all keys that are made. */
export function currentPcid(): u32 {
  return <u32>(pcidBits >> PCID_SHIFT) & <u32>PCID_MASK;
}

export function keyFor(pcid: u32, space: u32, number: u64): u64 {
  return VALID | ((<u64>pcid) << PCID_SHIFT) | ((<u64>space) << PAGE_NUMBER_BITS) | number;
}

// @ts-ignore: decorator
@inline
export function spaceOf(key: u64): u32 {
  return <u32>(key >> PAGE_NUMBER_BITS) & <u32>SPACE_MASK;
}

/** Whether a way is not empty, and of `pcid`, which may be ANY_PCID. */
export function isOf(key: u64, pcid: u32): bool {
  if (!key) return false;
  return pcid == ANY_PCID || (<u32>(key >> PCID_SHIFT) & <u32>PCID_MASK) == pcid;
}
export const ANY_PCID: u32 = u32.MAX_VALUE;

@unmanaged
export class TagArray {
  hits: u64;
  misses: u64;
  /** The key asked for last, or 0. */
  recent: u64;
  sets: usize;
  setBytes: u32;
  setMask: u32;
  /** The set is the XOR of so many groups of `setBits` bits of a number. */
  setBits: u32;
  indexGroups: u32;
  ways: u32;
  /** Bytes of one half of a set's tags; the highs lie behind. */
  halfBytes: u32;
  replacement: u32;
  /** Of lru and fifo (recency.ts): few ways, or many. */
  isShort: bool;
  isLong: bool;
  /** Of many: from a hash to a bucket. */
  bucketShift: u32;
  /** Of trees: what a touch does to the bits, by way, and the victim, by state; else 0. */
  touches: usize;
  victims: usize;
  /** The next random number comes from this one. */
  random: u32;
  /** Log2 of the 4K pages an entry of size 4K translates. */
  coalescedShift: u32;
  tricks: u32;
  /** Where its next item goes, while a batch is dealt out (streams.ts); else 0. */
  stream: usize;
}
if (offsetof<TagArray>("hits") != COUNT_HITS) ERROR("COUNT_HITS");
if (offsetof<TagArray>("misses") != COUNT_MISSES) ERROR("COUNT_MISSES");

/** Where a set's `full` and `state` are. */
export const FULL: usize = 0;
export const STATE: usize = 16;

// @ts-ignore: decorator
@inline
export function replacementState(array: TagArray, set: usize): usize {
  return set + (<usize>array.halfBytes << 1);
}

function hasOrder(replacement: u32): bool {
  return replacement == REPLACEMENT_LRU || replacement == REPLACEMENT_FIFO;
}

function roundUp(n: u32, unit: u32): u32 {
  return (n + unit - 1) & ~(unit - 1);
}

/** Precondition: `nrSets` is a power of two. */
export function createArray(
  nrSets: u32,
  ways: u32,
  indexGroups: u32,
  replacement: u32,
  seed: u32,
  coalescedShift: u32,
  tricks: u32,
): TagArray {
  const array = changetype<TagArray>(allocate(offsetof<TagArray>()));
  array.coalescedShift = coalescedShift;
  array.setMask = nrSets - 1;
  array.setBits = 31 - clz(nrSets);
  array.indexGroups = indexGroups;
  array.ways = ways;
  array.halfBytes = roundUp(ways, 4) << 2;
  array.replacement = replacement;
  array.random = seed;
  array.tricks = tricks;
  array.isShort = hasOrder(replacement) && ways <= SHORT_WAYS_MAX;
  array.isLong = hasOrder(replacement) && ways > SHORT_WAYS_MAX;
  array.bucketShift = 32 - bucketBits(ways);
  const stateBytes = array.isLong ? roundUp(ringBytes(ways), 16) : 16;
  array.setBytes = (array.halfBytes << 1) + (array.isShort ? 0 : <u32>STATE + stateBytes);
  array.sets = allocate(<usize>nrSets * array.setBytes);
  return array;
}

/** `shift`: low bits of the number that are not part of the index. */
// @ts-ignore: decorator
@inline
export function setOf(array: TagArray, key: u64, shift: u32): usize {
  const number = (key & NUMBER_MASK) >> shift;
  let index = number;
  if (array.indexGroups > 1) {
    index ^= number >> array.setBits;
    for (let group: u32 = 2; group < array.indexGroups; group++) {
      index ^= number >> (array.setBits * group);
    }
  }
  return array.sets + (<u32>index & array.setMask) * array.setBytes;
}

/** The ways of a set with halves of `half` bytes whose low half is equal, a bit each; at most 64. */
// @ts-ignore: decorator
@inline
export function equalLows(half: u32, set: usize, key: u64): u64 {
  const low = i32x4.splat(<u32>key);
  const ways0 = i32x4.eq(v128.load(set), low);
  if (half == 16) return <u64>i32x4.bitmask(ways0);
  const ways4 = i32x4.eq(v128.load(set, 16), low);
  const ways0To7 = i16x8.narrow_i32x4_s(ways0, ways4);
  if (half == 32) return <u64>i16x8.bitmask(ways0To7);
  const ways8 = i32x4.eq(v128.load(set, 32), low);
  const ways12 = half == 48 ? i32x4.splat(0) : i32x4.eq(v128.load(set, 48), low);
  const ways8To15 = i16x8.narrow_i32x4_s(ways8, ways12);
  let equal = <u64>i8x16.bitmask(i8x16.narrow_i16x8_s(ways0To7, ways8To15));
  for (let at: u32 = 64; at < half; at += 16) {
    equal |= (<u64>i32x4.bitmask(i32x4.eq(v128.load(set + at), low))) << (at >> 2);
  }
  return equal;
}

/** The way of `set` that has `key`, or −1. */
// @ts-ignore: decorator
@inline
export function find(array: TagArray, set: usize, key: u64): i32 {
  if (array.isLong) return findLong(array, set, key);
  const half = array.halfBytes;
  if (half > <u32>BIT_WAYS_MAX << 2 || !(array.tricks & TRICK_SIMD)) {
    return findSlow(array, set, key);
  }
  for (let equal = equalLows(half, set, key); equal; equal &= equal - 1) {
    const way = <u32>ctz(equal);
    if (load<u32>(set + half + (way << 2)) == <u32>(key >> 32)) return way;
  }
  return -1;
}

function findSlow(array: TagArray, set: usize, key: u64): i32 {
  if (array.tricks & TRICK_SIMD) return findMany(array, set, key);
  for (let way: u32 = 0; way < array.ways; way++) if (keyAt(array, set, way) == key) return way;
  return -1;
}

/** The same, four ways after another, for arrays of any size. */
function findMany(array: TagArray, set: usize, key: u64): i32 {
  const low = i32x4.splat(<u32>key);
  const half = array.halfBytes;
  for (let at: u32 = 0; at < half; at += 16) {
    let equal = i32x4.bitmask(i32x4.eq(v128.load(set + at), low));
    for (; equal; equal &= equal - 1) {
      const offset = at + (ctz(equal) << 2);
      if (load<u32>(set + half + offset) == <u32>(key >> 32)) return offset >> 2;
    }
  }
  return -1;
}

/** The key of a way; 0: it is empty. */
// @ts-ignore: decorator
@inline
export function keyAt(array: TagArray, set: usize, way: u32): u64 {
  const at = set + (way << 2);
  return load<u32>(at) | ((<u64>load<u32>(at + array.halfBytes)) << 32);
}

// @ts-ignore: decorator
@inline
export function setKey(array: TagArray, set: usize, way: u32, key: u64): void {
  const at = set + (way << 2);
  store<u32>(at, <u32>key);
  store<u32>(at + array.halfBytes, <u32>(key >> 32));
}
