// Items through sets of few ways in the order of their use (times.ts). There is no branch that hit or
// miss decides: what is lowest is the way that has the tag, with −1 for a time, or else the oldest.
// (An access to one set of 8 ways takes 4.2 ns, and took 9.7 when ways were moved to the front.)

import { TagArray } from "./array";
import { LoopFunction, loop } from "./loop";
import { TIMES_START, VECTOR_WAYS_MAX, makeTimes } from "./times";

/** Of an array whose ways have times in the order of use. */
export function timeLoopOf(array: TagArray): LoopFunction {
  if (array.ways > VECTOR_WAYS_MAX) return setsOfMany;
  if (array.halfBytes == 16) return array.setMask ? sets4 : oneSet4;
  if (array.halfBytes == 32) return array.setMask ? sets8 : oneSet8;
  return array.halfBytes == 48 ? sets12 : sets16;
}

function sets4(array: TagArray, from: usize, end: usize, to: usize): usize {
  return through(16, false, array, from, end, to);
}
function sets8(array: TagArray, from: usize, end: usize, to: usize): usize {
  return through(32, false, array, from, end, to);
}
function sets12(array: TagArray, from: usize, end: usize, to: usize): usize {
  return through(48, false, array, from, end, to);
}
function sets16(array: TagArray, from: usize, end: usize, to: usize): usize {
  return through(64, false, array, from, end, to);
}
function oneSet4(array: TagArray, from: usize, end: usize, to: usize): usize {
  return through(16, true, array, from, end, to);
}
function oneSet8(array: TagArray, from: usize, end: usize, to: usize): usize {
  return through(32, true, array, from, end, to);
}

/** One set stays in registers. */
// @ts-ignore: decorator
@inline
function through(
  half: u32,
  isOneSet: bool,
  array: TagArray,
  from: usize,
  end: usize,
  to: usize,
): usize {
  makeTimes(array, <u32>((end - from) >> 3));
  const mask = loop.mask;
  const indexShift = loop.indexShift;
  const tagShift = loop.tagShift;
  const tagMask = <u32>loop.tagMask;
  const setMask = <u32>loop.setMask;
  const foldMask = <u32>loop.foldMask;
  const setBytes = array.setBytes;
  const sets = array.sets;
  let set = sets;
  let time = i32x4.splat(array.time);
  const one = i32x4.splat(1);
  let last = ~load<u64>(from);
  let lows0 = v128.load(set);
  let lows4 = half > 16 ? v128.load(set, 16) : one;
  let lows8 = half > 32 ? v128.load(set, 32) : one;
  let lows12 = half > 48 ? v128.load(set, 48) : one;
  let times0 = v128.load(set + half);
  let times4 = half > 16 ? v128.load(set + half, 16) : one;
  let times8 = half > 32 ? v128.load(set + half, 32) : one;
  let times12 = half > 48 ? v128.load(set + half, 48) : one;
  for (; from < end; from += 8) {
    const item = load<u64>(from);
    if (!((item ^ last) & mask)) continue;
    const tag = <u32>(item >> tagShift) & tagMask;
    if (!isOneSet) {
      const index = (<u32>(item >> indexShift) ^ (tag & foldMask)) & setMask;
      set = sets + index * setBytes;
      lows0 = v128.load(set);
      times0 = v128.load(set + half);
      if (half > 16) {
        lows4 = v128.load(set, 16);
        times4 = v128.load(set + half, 16);
      }
      if (half > 32) {
        lows8 = v128.load(set, 32);
        times8 = v128.load(set + half, 32);
      }
      if (half > 48) {
        lows12 = v128.load(set, 48);
        times12 = v128.load(set + half, 48);
      }
    }
    const low = i32x4.splat(tag);
    const ranks0 = v128.or(i32x4.eq(lows0, low), times0);
    const ranks4 = v128.or(i32x4.eq(lows4, low), times4);
    const ranks8 = v128.or(i32x4.eq(lows8, low), times8);
    const ranks12 = v128.or(i32x4.eq(lows12, low), times12);
    let lowest = ranks0;
    if (half > 16) lowest = i32x4.min_s(lowest, ranks4);
    if (half > 32) lowest = i32x4.min_s(lowest, half > 48 ? i32x4.min_s(ranks8, ranks12) : ranks8);
    lowest = lowestOf(lowest);
    const rank = i32x4.extract_lane(lowest, 0);
    // An empty way gets a high half, too.
    if (<u32>rank < TIMES_START) break;
    last = item;
    const is0 = i32x4.eq(ranks0, lowest);
    lows0 = v128.bitselect(low, lows0, is0);
    times0 = v128.bitselect(time, times0, is0);
    if (half > 16) {
      const is4 = i32x4.eq(ranks4, lowest);
      lows4 = v128.bitselect(low, lows4, is4);
      times4 = v128.bitselect(time, times4, is4);
    }
    if (half > 32) {
      const is8 = i32x4.eq(ranks8, lowest);
      lows8 = v128.bitselect(low, lows8, is8);
      times8 = v128.bitselect(time, times8, is8);
    }
    if (half > 48) {
      const is12 = i32x4.eq(ranks12, lowest);
      lows12 = v128.bitselect(low, lows12, is12);
      times12 = v128.bitselect(time, times12, is12);
    }
    time = i32x4.add(time, one);
    if (!isOneSet) storeSet(half, set, lows0, lows4, lows8, lows12, times0, times4, times8, times12);
    store<u64>(to, item);
    to += usize(rank >= 0) << 3;
  }
  if (isOneSet) storeSet(half, set, lows0, lows4, lows8, lows12, times0, times4, times8, times12);
  array.time = i32x4.extract_lane(time, 0);
  loop.stop = from;
  return to;
}

// @ts-ignore: decorator
@inline
function storeSet(
  half: u32,
  set: usize,
  lows0: v128,
  lows4: v128,
  lows8: v128,
  lows12: v128,
  times0: v128,
  times4: v128,
  times8: v128,
  times12: v128,
): void {
  v128.store(set, lows0);
  v128.store(set + half, times0);
  if (half > 16) {
    v128.store(set, lows4, 16);
    v128.store(set + half, times4, 16);
  }
  if (half > 32) {
    v128.store(set, lows8, 32);
    v128.store(set + half, times8, 32);
  }
  if (half > 48) {
    v128.store(set, lows12, 48);
    v128.store(set + half, times12, 48);
  }
}

/** Of more ways than are kept in registers: vectors one after another, once to find, once to change. */
function setsOfMany(array: TagArray, from: usize, end: usize, to: usize): usize {
  makeTimes(array, <u32>((end - from) >> 3));
  const mask = loop.mask;
  const indexShift = loop.indexShift;
  const tagShift = loop.tagShift;
  const tagMask = <u32>loop.tagMask;
  const setMask = <u32>loop.setMask;
  const foldMask = <u32>loop.foldMask;
  const half = array.halfBytes;
  const setBytes = array.setBytes;
  const sets = array.sets;
  let time = array.time;
  let last = ~load<u64>(from);
  for (; from < end; from += 8) {
    const item = load<u64>(from);
    if (!((item ^ last) & mask)) continue;
    const tag = <u32>(item >> tagShift) & tagMask;
    const index = (<u32>(item >> indexShift) ^ (tag & foldMask)) & setMask;
    const set = sets + index * setBytes;
    const endOfLows = set + half;
    const low = i32x4.splat(tag);
    let lowest = i32x4.splat(i32.MAX_VALUE);
    for (let at = set; at < endOfLows; at += 16) {
      lowest = i32x4.min_s(lowest, ranksAt(at, half, low));
    }
    lowest = lowestOf(lowest);
    const rank = i32x4.extract_lane(lowest, 0);
    if (<u32>rank < TIMES_START) break;
    last = item;
    for (let at = set; at < endOfLows; at += 16) {
      const is = i32x4.eq(ranksAt(at, half, low), lowest);
      v128.store(at, v128.bitselect(low, v128.load(at), is));
      v128.store(at + half, v128.bitselect(i32x4.splat(time), v128.load(at + half), is));
    }
    time++;
    store<u64>(to, item);
    to += usize(rank >= 0) << 3;
  }
  array.time = time;
  loop.stop = from;
  return to;
}

// @ts-ignore: decorator
@inline
function ranksAt(lows: usize, half: u32, low: v128): v128 {
  return v128.or(i32x4.eq(v128.load(lows), low), v128.load(lows + half));
}

/** The lowest lane, in all. */
// @ts-ignore: decorator
@inline
function lowestOf(lanes: v128): v128 {
  const pairs = i32x4.min_s(lanes, v128.shuffle<i32>(lanes, lanes, 2, 3, 0, 1));
  return i32x4.min_s(pairs, v128.shuffle<i32>(pairs, pairs, 1, 0, 3, 2));
}
