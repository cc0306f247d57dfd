// A batch of items through one array: those that it has are touched; those that it has not are put
// there and passed on. There is a loop for each way of keeping order, and for the usual numbers of
// ways, so that the engine keeps what it needs in registers, which it does only where nothing is
// called. What a loop does not do, a set that is not full, is done between two runs of it.

import { REPLACEMENT_LRU } from "./layout";
import { FULL, STATE, TagArray, setOf } from "./array";
import { equalLows, find } from "./find";
import { bucketOf, equalKeys, findLong, moveFirst, moveWayFirst, replaceLast } from "./recency";
import { insert, isQuick, touch, TOUCHED_LANES, TOUCHED_SET, TOUCHED_SHIFT } from "./replacement";

/** Which key an item has in an array, and which of its sets. */
@unmanaged
export class Placement {
  /** The key is that of no number (keyOf), and the bits of the item in `mask`, shifted. */
  space: u64;
  mask: u64;
  shift: u64;
  /** So many low bits of the number are not part of the index. */
  dealShift: u64;
}

// Of trees and short sets, with how many vectors.
const TREE: u32 = 0;
const SHORT: u32 = 8;
const LONG: u32 = 16;
const ANY: u32 = 17;

/** What is missed is written to `to`, which may be `from`. Returns where that ends. */
export function filter(
  array: TagArray,
  placement: Placement,
  from: usize,
  end: usize,
  to: usize,
): usize {
  if (from == end) return to;
  const last = loopOf(array)(array, placement, from, end, to);
  const nrMisses = <u64>((last - to) >> 3);
  array.misses += nrMisses;
  array.hits += <u64>((end - from) >> 3) - nrMisses;
  return last;
}

type Loop = (array: TagArray, placed: Placement, from: usize, end: usize, to: usize) => usize;

function loopOf(array: TagArray): Loop {
  const nrVectors = array.halfBytes >> 4;
  if (array.indexGroups > 2) return any;
  if (isQuick(array)) return nrVectors == 1 ? tree4 : nrVectors == 2 ? tree8 : tree12;
  if (array.replacement != REPLACEMENT_LRU) return any;
  if (array.isLong) return long;
  if (nrVectors <= 2) return nrVectors == 1 ? short4 : short8;
  return nrVectors == 3 ? short12 : short16;
}

// Each a function of its own: all in one are 15 % slower, for want of registers.
function tree4(array: TagArray, placed: Placement, from: usize, end: usize, to: usize): usize {
  return run(TREE + 1, array, placed, from, end, to);
}
function tree8(array: TagArray, placed: Placement, from: usize, end: usize, to: usize): usize {
  return run(TREE + 2, array, placed, from, end, to);
}
function tree12(array: TagArray, placed: Placement, from: usize, end: usize, to: usize): usize {
  return run(TREE + 3, array, placed, from, end, to);
}
function short4(array: TagArray, placed: Placement, from: usize, end: usize, to: usize): usize {
  return run(SHORT + 1, array, placed, from, end, to);
}
function short8(array: TagArray, placed: Placement, from: usize, end: usize, to: usize): usize {
  return run(SHORT + 2, array, placed, from, end, to);
}
function short12(array: TagArray, placed: Placement, from: usize, end: usize, to: usize): usize {
  return run(SHORT + 3, array, placed, from, end, to);
}
function short16(array: TagArray, placed: Placement, from: usize, end: usize, to: usize): usize {
  return run(SHORT + 4, array, placed, from, end, to);
}
function long(array: TagArray, placed: Placement, from: usize, end: usize, to: usize): usize {
  return run(LONG, array, placed, from, end, to);
}
function any(array: TagArray, placed: Placement, from: usize, end: usize, to: usize): usize {
  return run(ANY, array, placed, from, end, to);
}

// @ts-ignore: decorator
@inline
function run(
  loop: u32,
  array: TagArray,
  placement: Placement,
  from: usize,
  end: usize,
  to: usize,
): usize {
  const space = placement.space;
  const mask = placement.mask;
  const shift = placement.shift;
  const dealShift = placement.dealShift;
  const sets = array.sets;
  const setMask = <u64>array.setMask;
  const setBytes = array.setBytes;
  const half = loop < LONG ? (loop & 7) << 4 : array.halfBytes;
  const touches = array.touches;
  const victims = array.victims;
  // Of a number, what the index XORs it with: nothing, where there is one group.
  const fold: u64 = array.indexGroups > 1 ? array.setBits : 63;
  // Others may have asked since; so what is not known here is the key asked for last.
  let recent: u64 = 0;
  while (from < end) {
    do {
      if (loop == ANY) break;
      const item = load<u64>(from);
      const number = (item & mask) >> shift;
      const key = space | number;
      if (key != recent) {
        const dealt = number >> dealShift;
        const index = <u32>((dealt ^ (dealt >> fold)) & setMask);
        if (loop >= SHORT && loop < LONG) {
          const isMiss = accessShort(half, array.ways, sets + index * setBytes, key);
          store<u64>(to, item);
          to += usize(isMiss) << 3;
        } else if (loop < SHORT) {
          const set = sets + index * treeBytes(loop);
          const equal = equalLows(half, set, key);
          if (equal) {
            const way = <u32>ctz(equal);
            if (load<u32>(set + half + (way << 2)) != <u32>(key >> 32)) break;
            touchTree(half, set, touches + (way << TOUCHED_SHIFT));
          } else {
            if (!load<u32>(set + (half << 1), FULL)) break;
            replaceInTree(half, set, touches, victims, key);
            store<u64>(to, item);
            to += 8;
          }
        } else {
          const set = sets + index * setBytes;
          const bucket = bucketOf(array, set, key);
          const way = findLong(half, set, bucket, key);
          if (way >= 0) moveWayFirst(half, set, way);
          else {
            if (!load<u32>(set + (half << 1), FULL)) break;
            replaceLast(array, half, set, bucket, key);
            store<u64>(to, item);
            to += 8;
          }
        }
        recent = key;
      }
      from += 8;
    } while (from < end);
    if (from >= end) break;
    const item = load<u64>(from);
    from += 8;
    recent = space | ((item & mask) >> shift);
    if (hits(array, setOf(array, recent, <u32>dealShift), recent)) continue;
    store<u64>(to, item);
    to += 8;
  }
  array.recent = recent;
  return to;
}

function hits(array: TagArray, set: usize, key: u64): bool {
  const way = find(array, set, key);
  if (way >= 0) touch(array, set, way);
  else insert(array, set, key);
  return way >= 0;
}

/** Bytes of a tree's set (create-array.ts), from the number of vectors. */
// @ts-ignore: decorator
@inline
function treeBytes(nrVectors: u32): u32 {
  return nrVectors == 1 ? 64 : 128;
}

// @ts-ignore: decorator
@inline
function touchTree(half: u32, set: usize, touched: usize): void {
  const state = set + (half << 1);
  const bits = load<u64>(state, STATE);
  store<u64>(state, (bits & load<u64>(touched)) | load<u64>(touched, TOUCHED_SET), STATE);
}

// @ts-ignore: decorator
@inline
function replaceInTree(half: u32, set: usize, touches: usize, victims: usize, key: u64): void {
  const way = <u32>load<u8>(victims + load<usize>(set + (half << 1), STATE));
  const touched = touches + (way << TOUCHED_SHIFT);
  touchTree(half, set, touched);
  // All four, because they are read at once: a processor would wait until a narrower write is done.
  const lows = half == 16 ? set : set + ((way >> 2) << 4);
  const isWay = v128.load(touched, TOUCHED_LANES);
  v128.store(lows, v128.bitselect(i32x4.splat(<u32>key), v128.load(lows), isWay));
  store<u32>(set + half + (way << 2), <u32>(key >> 32));
}

/** Whether a short set misses the key. There is no branch. */
// @ts-ignore: decorator
@inline
function accessShort(half: u32, ways: u32, set: usize, key: u64): bool {
  const equal = equalKeys(half, set, key);
  moveFirst(half, ways, set, key, equal);
  return !equal;
}
