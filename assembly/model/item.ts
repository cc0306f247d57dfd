// What a chunk of a trace is made of: references in turn to one page are an item.
//
//  63………38   37…36  35……0
// +---------+------+------+
// | nrTimes | kind | page |
// +---------+------+------+

import { PAGE_NUMBER_BITS } from "./layout";

/** References that go through the stages together: what they leave stays in the nearest caches. */
export const CHUNK: u32 = 2048;

const TIMES_SHIFT: u64 = PAGE_NUMBER_BITS + 2;
/** Where the stages have an item's place in its batch instead. */
export const PLACE_SHIFT = TIMES_SHIFT;

// @ts-ignore: decorator
@inline
export function itemOf(page: u64, kind: u32, nrTimes: u64): u64 {
  return page | ((<u64>kind) << PAGE_NUMBER_BITS) | (nrTimes << TIMES_SHIFT);
}

// @ts-ignore: decorator
@inline
export function kindOfItem(item: u64): u32 {
  return <u32>(item >> PAGE_NUMBER_BITS) & 3;
}

// @ts-ignore: decorator
@inline
export function timesOfItem(item: u64): u64 {
  return item >> TIMES_SHIFT;
}

/** Bits of a chunk's items of one kind, in a word of all kinds. */
const KIND_BITS: u64 = 16;

/** One of `kind`, or `count` of them. */
// @ts-ignore: decorator
@inline
export function countOfKind(kind: u32, count: u64): u64 {
  return count << (kind * KIND_BITS);
}

// @ts-ignore: decorator
@inline
export function ofKind(counts: u64, kind: u32): u64 {
  return (counts >> (kind * KIND_BITS)) & ((1 << KIND_BITS) - 1);
}
