// An array of tags: sets of ways, found by key. TLB arrays, structure caches and the caches that
// walks load through are all of this kind.
//
//  key:   63     62…56  55…44  43…36   35……………0
//        +-------+-----+------+-------+--------+
//        | valid | 0   | PCID | space | number |  space: page size or table level; valid: not empty
//        +-------+-----+------+-------+--------+
//  tag: the key without the bits of the number that bank and set tell, the others shifted down
//  a set: what replacement knows (replacement.ts), and the tags' low halves (padded to a multiple of
//  4 ways); their high halves are in the same order as far behind each set as all sets are long
//        +------+------+-------+------+       +-------+
//        | full | held | state | lows |  ...  | highs |
//        +------+------+-------+------+       +-------+
//  held: ways that are not empty, a bit each, up to 32, for tree-loops.ts
// Halves are apart so that one vector compares four ways. Mostly all high halves of an array are
// the same, and nobody looks at them (filter.ts). Sets in order are other things: their ways
// have times (times.ts), or they are a log (log.ts).

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

/** Of a key or a tag. */
// @ts-ignore: decorator
@inline
export function spaceOf(tag: u64): u32 {
  return <u32>(tag >> PAGE_NUMBER_BITS) & <u32>SPACE_MASK;
}

/** Of empty ways. Where tags of an array are shorter, its low half is that of none. */
export const EMPTY: u64 = u32.MAX_VALUE;

// @ts-ignore: decorator
@inline
export function isEmpty(tag: u64): bool {
  return !(tag >> 32);
}

/** Whether a way is not empty, and of `pcid`, which may be ANY_PCID. */
export function isOf(tag: u64, pcid: u32): bool {
  if (isEmpty(tag)) return false;
  return pcid == ANY_PCID || (<u32>(tag >> PCID_SHIFT) & <u32>PCID_MASK) == pcid;
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
  /** Bytes of one half of a set's tags, and where the halves are, from the set on. */
  halfBytes: u32;
  lowsAt: u32;
  highsAt: u32;
  /** Of all tags, if they have the same; 0: there was none; HIGHS_DIFFER: else. */
  high: u32;
  /** Whether tags are without what bank and set tell, which needs a page to be in one set alone. */
  hasShortTags: bool;
  replacement: u32;
  /** Of lru and fifo: ways have times (times.ts), or they are a log (log.ts). */
  hasTimes: bool;
  isLog: bool;
  /** Of a log: of the offset of a bucket; and bytes of its ring. */
  bucketMask: u32;
  ringBytes: u32;
  /** Of trees: what a touch does to the bits, by way, and the victim, by state; else 0. */
  touches: usize;
  victims: usize;
  /** Of a tree of four ways: what an access does, by state and by the ways that are equal; else 0. */
  moves: usize;
  /** The next random number comes from this one. */
  random: u32;
  /** The next touch's, where ways have times (times.ts). */
  time: u32;
  tricks: u32;
  /** Where its next item goes, while a batch is dealt out (streams.ts); else 0. */
  stream: usize;
}
if (offsetof<TagArray>("hits") != COUNT_HITS) ERROR("COUNT_HITS");
if (offsetof<TagArray>("misses") != COUNT_MISSES) ERROR("COUNT_MISSES");

/** No half of a tag: it is not valid. */
const HIGHS_DIFFER: u32 = 1;

/** Of a set that is in no order. */
export const FULL: usize = 0;
export const HELD: usize = 4;
export const STATE: usize = 8;
export const LOWS: usize = 16;

// Where n banks share numbers, a number's lowest bits tell the bank; `dealShift` is log2 of n.

// @ts-ignore: decorator
@inline
export function setOf(array: TagArray, key: u64, dealShift: u32): usize {
  const dealt = (key & NUMBER_MASK) >> dealShift;
  return array.sets + indexOf(array, dealt) * array.setBytes;
}

// @ts-ignore: decorator
@inline
function indexOf(array: TagArray, dealt: u64): u32 {
  let index = dealt;
  if (array.indexGroups > 1) {
    index ^= dealt >> array.setBits;
    for (let group: u32 = 2; group < array.indexGroups; group++) {
      const shift = array.setBits * group;
      if (shift >= <u32>PAGE_NUMBER_BITS) break;
      index ^= dealt >> shift;
    }
  }
  return <u32>index & array.setMask;
}

/** So many low bits of a number are not in its tag. */
// @ts-ignore: decorator
@inline
export function toldBits(array: TagArray, dealShift: u32): u32 {
  return array.hasShortTags ? dealShift + array.setBits : 0;
}

// @ts-ignore: decorator
@inline
export function tagOf(array: TagArray, key: u64, dealShift: u32): u64 {
  return withNumber(key, (key & NUMBER_MASK) >> toldBits(array, dealShift));
}

// @ts-ignore: decorator
@inline
function withNumber(key: u64, number: u64): u64 {
  return (key & ~NUMBER_MASK) | number;
}

/** The key that has `tag` in `set`; the bank gets numbers that end with `bank`. */
export function untag(
  array: TagArray,
  set: usize,
  tag: u64,
  dealShift: u32,
  bank: u32,
): u64 {
  if (!array.hasShortTags) return tag;
  const index = <u32>((set - array.sets) / array.setBytes);
  // All groups of the number but the lowest, which makes the index of the others that of the set.
  const others = (tag & NUMBER_MASK) << array.setBits;
  const lowest = index ^ indexOf(array, others);
  return withNumber(tag, ((others | lowest) << dealShift) | bank);
}

/** The tag of a way. */
// @ts-ignore: decorator
@inline
export function tagAt(array: TagArray, set: usize, way: u32): u64 {
  const at = set + (way << 2);
  return load<u32>(at + array.lowsAt) | ((<u64>load<u32>(at + array.highsAt)) << 32);
}

// @ts-ignore: decorator
@inline
export function setTag(array: TagArray, set: usize, way: u32, tag: u64): void {
  const at = set + (way << 2);
  store<u32>(at + array.lowsAt, <u32>tag);
  store<u32>(at + array.highsAt, <u32>(tag >> 32));
}

/** `tag` comes into the array. */
// @ts-ignore: decorator
@inline
export function noteHigh(array: TagArray, tag: u64): void {
  const high = <u32>(tag >> 32);
  if (array.high != high) array.high = array.high ? HIGHS_DIFFER : high;
}
