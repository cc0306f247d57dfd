// A batch of items through one array: those that it has are touched, and those that it has not are
// put there and passed on. Each loop is for one way of keeping order, and so small that the engine
// keeps what it needs in registers, which it does only where nothing is called. What a loop does not
// do, a tree whose set is not full, is done between two runs of it.

import { REPLACEMENT_LRU } from "./layout";
import { FULL, STATE, TagArray, setOf } from "./array";
import { equalLows, find } from "./find";
import { insert, isQuick, touch } from "./replacement";
import { bucketOf, equalKeys, findLong, moveFirst, moveWayFirst, replaceLast } from "./recency";

const HIT: u32 = 0;
const MISS: u32 = 1;
/** This is no case for a loop. */
const UNDONE: u32 = 2;

const TREE4: u32 = 11;
const TREE8: u32 = 12;
const TREE12: u32 = 13;
const TREE16: u32 = 14;
const SHORT4: u32 = 1;
const SHORT8: u32 = 2;
const SHORT12: u32 = 3;
const SHORT16: u32 = 4;
const LONG: u32 = 5;
const ANY: u32 = 6;

/**
 * Items at `from` to `end` through `array`. An item's key is `space` (keyOf) and its bits in `mask`,
 * shifted; of its number, `dealShift` more are not part of the index. What it has not is written to
 * `to`, which may be `from`. Returns where that ends.
 */
export function filter(
  array: TagArray,
  space: u64,
  mask: u64,
  shift: u64,
  dealShift: u64,
  from: usize,
  end: usize,
  to: usize,
): usize {
  if (from == end) return to;
  let last: usize;
  switch (methodOf(array)) {
    case TREE4:
      last = filterTree4(array, space, mask, shift, dealShift, from, end, to);
      break;
    case TREE8:
      last = filterTree8(array, space, mask, shift, dealShift, from, end, to);
      break;
    case TREE12:
      last = filterTree12(array, space, mask, shift, dealShift, from, end, to);
      break;
    case SHORT4:
      last = filterShort4(array, space, mask, shift, dealShift, from, end, to);
      break;
    case SHORT8:
      last = filterShort8(array, space, mask, shift, dealShift, from, end, to);
      break;
    case SHORT12:
      last = filterShort12(array, space, mask, shift, dealShift, from, end, to);
      break;
    case SHORT16:
      last = filterShort16(array, space, mask, shift, dealShift, from, end, to);
      break;
    case LONG:
      last = filterLong(array, space, mask, shift, dealShift, from, end, to);
      break;
    default:
      last = filterAny(array, space, mask, shift, dealShift, from, end, to);
  }
  const nrMisses = <u64>((last - to) >> 3);
  array.misses += nrMisses;
  array.hits += <u64>((end - from) >> 3) - nrMisses;
  return last;
}

function methodOf(array: TagArray): u32 {
  if (array.indexGroups > 2) return ANY;
  if (isQuick(array)) return TREE4 - 1 + (array.halfBytes >> 4);
  if (array.replacement != REPLACEMENT_LRU) return ANY;
  if (array.isLong) return LONG;
  return SHORT4 - 1 + (array.halfBytes >> 4);
}

function filterTree4(
  array: TagArray, space: u64, mask: u64, shift: u64, deal: u64, from: usize, end: usize, to: usize,
): usize {
  return run(TREE4, array, space, mask, shift, deal, from, end, to);
}
function filterTree8(
  array: TagArray, space: u64, mask: u64, shift: u64, deal: u64, from: usize, end: usize, to: usize,
): usize {
  return run(TREE8, array, space, mask, shift, deal, from, end, to);
}
function filterTree12(
  array: TagArray, space: u64, mask: u64, shift: u64, deal: u64, from: usize, end: usize, to: usize,
): usize {
  return run(TREE12, array, space, mask, shift, deal, from, end, to);
}
function filterShort4(
  array: TagArray, space: u64, mask: u64, shift: u64, deal: u64, from: usize, end: usize, to: usize,
): usize {
  return run(SHORT4, array, space, mask, shift, deal, from, end, to);
}
function filterShort8(
  array: TagArray, space: u64, mask: u64, shift: u64, deal: u64, from: usize, end: usize, to: usize,
): usize {
  return run(SHORT8, array, space, mask, shift, deal, from, end, to);
}
function filterShort12(
  array: TagArray, space: u64, mask: u64, shift: u64, deal: u64, from: usize, end: usize, to: usize,
): usize {
  return run(SHORT12, array, space, mask, shift, deal, from, end, to);
}
function filterShort16(
  array: TagArray, space: u64, mask: u64, shift: u64, deal: u64, from: usize, end: usize, to: usize,
): usize {
  return run(SHORT16, array, space, mask, shift, deal, from, end, to);
}
function filterLong(
  array: TagArray, space: u64, mask: u64, shift: u64, deal: u64, from: usize, end: usize, to: usize,
): usize {
  return run(LONG, array, space, mask, shift, deal, from, end, to);
}
function filterAny(
  array: TagArray, space: u64, mask: u64, shift: u64, deal: u64, from: usize, end: usize, to: usize,
): usize {
  return run(ANY, array, space, mask, shift, deal, from, end, to);
}

// @ts-ignore: decorator
@inline
function run(
  method: u32,
  array: TagArray,
  space: u64,
  mask: u64,
  shift: u64,
  dealShift: u64,
  from: usize,
  end: usize,
  to: usize,
): usize {
  const sets = array.sets;
  const setMask = <u64>array.setMask;
  const setBytes = array.setBytes;
  const half = array.halfBytes;
  const touches = array.touches;
  const victims = array.victims;
  const fold = foldShift(array);
  let at = from;
  // What other ways asked last is not known here.
  let recent: u64 = 0;
  while (at < end) {
    if (method != ANY) {
      do {
        const item = load<u64>(at);
        const number = (item & mask) >> shift;
        const key = space | number;
        if (key != recent) {
          const dealt = number >> dealShift;
          const index = <u32>((dealt ^ (dealt >> fold)) & setMask);
          const set = sets + index * (method == TREE4 ? 64 : method > TREE4 ? 128 : setBytes);
          let outcome: u32;
          if (method >= TREE4) outcome = accessTree((method - 10) << 4, touches, victims, set, key);
          else if (method == LONG) outcome = accessLong(array, half, set, key);
          else outcome = accessShort(method << 4, array.ways, set, key);
          if (outcome == UNDONE) break;
          store<u64>(to, item);
          to += outcome << 3;
          recent = key;
        }
        at += 8;
      } while (at < end);
      if (at >= end) break;
    }
    const item = load<u64>(at);
    at += 8;
    const key = space | ((item & mask) >> shift);
    recent = key;
    if (hits(array, setOf(array, key, <u32>dealShift), key)) continue;
    store<u64>(to, item);
    to += 8;
  }
  array.recent = recent;
  return to;
}

/** Of a number, what the index XORs it with: nothing, where there is one group. */
function foldShift(array: TagArray): u64 {
  return array.indexGroups > 1 ? array.setBits : 63;
}

function hits(array: TagArray, set: usize, key: u64): bool {
  const way = find(array, set, key);
  if (way >= 0) touch(array, set, way);
  else insert(array, set, key);
  return way >= 0;
}

// @ts-ignore: decorator
@inline
function accessTree(half: u32, touches: usize, victims: usize, set: usize, key: u64): u32 {
  const state = set + (half << 1);
  const equal = equalLows(half, set, key);
  const bits = load<u64>(state, STATE);
  if (equal) {
    const way = <u32>ctz(equal);
    if (load<u32>(set + half + (way << 2)) != <u32>(key >> 32)) return UNDONE;
    const touched = touches + (way << 5);
    store<u64>(state, (bits & load<u64>(touched)) | load<u64>(touched, 8), STATE);
    return HIT;
  }
  if (!load<u32>(state, FULL)) return UNDONE;
  const way = <u32>load<u8>(victims + <usize>bits);
  const touched = touches + (way << 5);
  store<u64>(state, (bits & load<u64>(touched)) | load<u64>(touched, 8), STATE);
  // All four, because they are read at once: a processor would wait until a narrower write is done.
  const at = half == 16 ? set : set + ((way >> 2) << 4);
  const lows = v128.bitselect(i32x4.splat(<u32>key), v128.load(at), v128.load(touched, 16));
  v128.store(at, lows);
  store<u32>(set + half + (way << 2), <u32>(key >> 32));
  return MISS;
}

/** It has no branch. */
// @ts-ignore: decorator
@inline
function accessShort(half: u32, ways: u32, set: usize, key: u64): u32 {
  const equal = equalKeys(half, set, key);
  moveFirst(half, ways, set, key, equal);
  return u32(!equal);
}

// @ts-ignore: decorator
@inline
function accessLong(array: TagArray, half: u32, set: usize, key: u64): u32 {
  const bucket = bucketOf(array, set, key);
  const way = findLong(half, set, bucket, key);
  if (way >= 0) {
    moveWayFirst(half, set, way);
    return HIT;
  }
  if (!load<u32>(set + (half << 1), FULL)) return UNDONE;
  replaceLast(array, half, set, bucket, key);
  return MISS;
}
