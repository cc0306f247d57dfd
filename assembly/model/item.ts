// What a chunk of a trace is made of: references in turn to one page are an item. Its place is how
// many references of the chunk are before it, so that the next one's tells how many it is.
//
//  63………48   47…46   45…36   35……0
// +---------+------+-------+------+
// |  place  | kind |   0   | page |  kind and page lie to each other as in a reference
// +---------+------+-------+------+

import { REFERENCE_KIND_SHIFT } from "../layout";
import { PAGE_4K_SHIFT, PAGE_NUMBER_BITS } from "./layout";

/** References that go through the stages together: what they leave stays in the nearest caches. */
export const CHUNK: u32 = 2048;

const KIND_SHIFT: u64 = REFERENCE_KIND_SHIFT - PAGE_4K_SHIFT;
export const PLACE_SHIFT: u64 = KIND_SHIFT + 2;
export const ITEM_MASK: u64 = (((<u64>1) << PAGE_NUMBER_BITS) - 1) | ((<u64>3) << KIND_SHIFT);

// @ts-ignore: decorator
@inline
export function itemOf(reference: u64, place: u64): u64 {
  return ((reference >> PAGE_4K_SHIFT) & ITEM_MASK) | (place << PLACE_SHIFT);
}

// @ts-ignore: decorator
@inline
export function kindOfItem(item: u64): u32 {
  return <u32>(item >> KIND_SHIFT) & 3;
}

// @ts-ignore: decorator
@inline
export function placeOfItem(item: u64): u64 {
  return item >> PLACE_SHIFT;
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
