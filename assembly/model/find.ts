// The way of a set that has a tag. The high half is looked at only where the low one is equal. All
// ways are compared, because leaving the loop at the hit is a branch that is foreseen wrongly.

import { BIT_WAYS_MAX, TRICK_SIMD } from "./layout";
import { TagArray, tagAt } from "./array";
import { findInLog } from "./log";

/** The ways with halves of `half` bytes whose low half, from `lows` on, is equal: up to 64, a bit each. */
// @ts-ignore: decorator
@inline
export function equalLows(half: u32, lows: usize, low: v128): u64 {
  const ways0 = i32x4.eq(v128.load(lows), low);
  if (half == 16) return <u64>i32x4.bitmask(ways0);
  const ways4 = i32x4.eq(v128.load(lows, 16), low);
  const ways0To7 = i16x8.narrow_i32x4_s(ways0, ways4);
  if (half == 32) return <u64>i16x8.bitmask(ways0To7);
  const ways8 = i32x4.eq(v128.load(lows, 32), low);
  const ways12 = half == 48 ? i32x4.splat(0) : i32x4.eq(v128.load(lows, 48), low);
  const ways8To15 = i16x8.narrow_i32x4_s(ways8, ways12);
  let equal = <u64>i8x16.bitmask(i8x16.narrow_i16x8_s(ways0To7, ways8To15));
  if (half <= 64) return equal;
  for (let at: u32 = 64; at < half; at += 16) {
    equal |= (<u64>i32x4.bitmask(i32x4.eq(v128.load(lows + at), low))) << (at >> 2);
  }
  return equal;
}

/** The way of `set` that has `tag`, or −1. */
// @ts-ignore: decorator
@inline
export function find(array: TagArray, set: usize, tag: u64): i32 {
  const half = array.halfBytes;
  if (array.isLog) return findInLog(array, set, tag);
  if (half > <u32>BIT_WAYS_MAX << 2 || !(array.tricks & TRICK_SIMD)) {
    return findSlow(array, set, tag);
  }
  let equal = equalLows(half, set + array.lowsAt, i32x4.splat(<u32>tag));
  for (; equal; equal &= equal - 1) {
    const way = <u32>ctz(equal);
    if (load<u32>(set + array.highsAt + (way << 2)) == <u32>(tag >> 32)) return way;
  }
  return -1;
}

function findSlow(array: TagArray, set: usize, tag: u64): i32 {
  if (array.tricks & TRICK_SIMD) return findMany(array, set, tag);
  for (let way: u32 = 0; way < array.ways; way++) if (tagAt(array, set, way) == tag) return way;
  return -1;
}

/** The same, four ways after another, for arrays of any size. */
function findMany(array: TagArray, set: usize, tag: u64): i32 {
  const low = i32x4.splat(<u32>tag);
  const half = array.halfBytes;
  for (let at: u32 = 0; at < half; at += 16) {
    let equal = i32x4.bitmask(i32x4.eq(v128.load(set + array.lowsAt + at), low));
    for (; equal; equal &= equal - 1) {
      const offset = at + (ctz(equal) << 2);
      if (load<u32>(set + array.highsAt + offset) == <u32>(tag >> 32)) return offset >> 2;
    }
  }
  return -1;
}
