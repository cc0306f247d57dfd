// References of a trace four at a time, as long as they are plain: no controls, no access that reaches
// into another page. What a vector has of four is their low or their high halves.

import {
  KIND_FETCH,
  KIND_READ,
  KIND_WRITE,
  REFERENCE_KIND_SHIFT,
  REFERENCE_SIZE_SHIFT,
} from "../layout";
import { PAGE_4K_SHIFT } from "./layout";
import { ITEM_MASK, PLACE_SHIFT, countOfKind } from "./item";

const OFFSET_MASK: u32 = (1 << PAGE_4K_SHIFT) - 1;
/** In high halves. */
const KIND_SHIFT = REFERENCE_KIND_SHIFT - 32;
const SIZE_SHIFT = REFERENCE_SIZE_SHIFT - 32;
/** Kinds are counted in one word: writes, and fetches so much higher. */
const FETCHES_SHIFT = 16;

// Constants are read from memory, because the engine makes those that it knows anew each time: 1.6 ns
// a reference instead of 0.7.
const CONSTANTS = memory.data(128, 16);
v128.store(CONSTANTS, i32x4.splat(OFFSET_MASK), 0);
v128.store(CONSTANTS, i64x2.splat(ITEM_MASK << PAGE_4K_SHIFT), 16);
v128.store(CONSTANTS, i64x2.splat(ITEM_MASK), 32);
v128.store(CONSTANTS, i64x2.splat(2 << PLACE_SHIFT), 48);
v128.store(CONSTANTS, i32x4.splat(1), 64);
v128.store(CONSTANTS, i32x4.splat(1 << FETCHES_SHIFT), 80);
v128.store(CONSTANTS, i64x2.splat(0), 96);

/** What was made of references: where items end, how many references, and how many of each kind. */
export let endOfItems: usize = 0;
export let nrTaken: u64 = 0;
export let counts: u64 = 0;

/**
 * References from `from` on, which there is a word before, up to four that are not plain. Items go
 * to `to`; the first one's place is `place`. Returns where it stopped.
 */
export function takePlain(from: usize, end: usize, to: usize, place: u64): usize {
  const offsets = v128.load(CONSTANTS, 0);
  const pageAndKind = v128.load(CONSTANTS, 16);
  const itemMask = v128.load(CONSTANTS, 32);
  const twoPlaces = v128.load(CONSTANTS, 48);
  const writes = v128.load(CONSTANTS, 64);
  const fetches = v128.load(CONSTANTS, 80);
  const zero = v128.load(CONSTANTS, 96);
  let places = i64x2.add(i64x2.splat(place << PLACE_SHIFT), i64x2(0, 1 << PLACE_SHIFT));
  let kinds = zero;
  let at = from;
  for (; at + 32 <= end; at += 32) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const lows = v128.shuffle<i32>(a, b, 0, 2, 4, 6);
    const highs = v128.shuffle<i32>(a, b, 1, 3, 5, 7);
    // The last byte's offset has a bit more if it is in another page; a control has both bits of
    // kind. Both come to the sign.
    const lastBytes = i32x4.add(v128.and(lows, offsets), i32x4.shr_u(highs, SIZE_SHIFT));
    const bothBits = v128.and(highs, i32x4.shl(highs, 1));
    const isOther = v128.or(
      i32x4.shl(lastBytes, 31 - PAGE_4K_SHIFT),
      i32x4.shl(bothBits, 30 - KIND_SHIFT),
    );
    if (i32x4.bitmask(isOther)) break;
    const isSameA = i64x2.eq(v128.and(v128.xor(a, v128.load(at - 8)), pageAndKind), zero);
    const isSameB = i64x2.eq(v128.and(v128.xor(b, v128.load(at + 8)), pageAndKind), zero);
    const same = i32x4.bitmask(v128.shuffle<i32>(isSameA, isSameB, 0, 2, 4, 6));
    kinds = i32x4.add(kinds, v128.and(i32x4.shr_u(highs, KIND_SHIFT), writes));
    kinds = i32x4.add(kinds, v128.and(i32x4.shr_u(highs, KIND_SHIFT + 1 - FETCHES_SHIFT), fetches));
    const placesB = i64x2.add(places, twoPlaces);
    const itemsA = v128.or(v128.and(i64x2.shr_u(a, PAGE_4K_SHIFT), itemMask), places);
    const itemsB = v128.or(v128.and(i64x2.shr_u(b, PAGE_4K_SHIFT), itemMask), placesB);
    places = i64x2.add(placesB, twoPlaces);
    if (!same) {
      v128.store(to, itemsA);
      v128.store(to, itemsB, 16);
      to += 32;
    } else if (same != 15) {
      v128.store64_lane(to, itemsA, 0);
      to += (~same & 1) << 3;
      v128.store64_lane(to, itemsA, 1);
      to += (~same & 2) << 2;
      v128.store64_lane(to, itemsB, 0);
      to += (~same & 4) << 1;
      v128.store64_lane(to, itemsB, 1);
      to += ~same & 8;
    }
  }
  endOfItems = to;
  nrTaken = (at - from) >> 3;
  counts = countsOf(kinds, nrTaken);
  return at;
}

function countsOf(kinds: v128, nr: u64): u64 {
  const two = i32x4.add(kinds, v128.shuffle<i32>(kinds, kinds, 2, 3, 0, 1));
  const sums = i32x4.extract_lane(two, 0) + i32x4.extract_lane(two, 1);
  const nrWrites = <u64>(sums & ((1 << FETCHES_SHIFT) - 1));
  const nrFetches = <u64>(<u32>sums >> FETCHES_SHIFT);
  const nrReads = nr - nrWrites - nrFetches;
  return (
    countOfKind(KIND_READ, nrReads) |
    countOfKind(KIND_WRITE, nrWrites) |
    countOfKind(KIND_FETCH, nrFetches)
  );
}
