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
// Halves are apart so that one vector compares four ways.

import { COUNT_HITS, COUNT_MISSES, PAGE_NUMBER_BITS } from "./layout";

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

/** Of all keys that `keyOf` makes. */
export function currentPcid(): u32 {
  return <u32>(pcidBits >> PCID_SHIFT) & <u32>PCID_MASK;
}

/** The key of any PCID. */
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
  /** Of many: from a hash to a bucket, and where a set's buckets are. */
  bucketShift: u32;
  bucketsAt: u32;
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
