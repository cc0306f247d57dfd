// Ways that leave in the order of their use (lru) or filling (fifo). Nobody sees which way has an
// entry, only who leaves: so such sets keep their entries any way that is fast.
//
// Of few ways (`isShort`): the entries themselves are in order, the last one touched first, empty
// ways behind. Touching and filling are the same move: those before the entry, or all, go one back.
// It has no branch that hit or miss decides.
//
// Of many: a ring of ways, each linked to those touched before and after it. The way touched
// longest ago is the one before the first: filling it turns the ring, and that is all. An entry is
// found by hash: each bucket has a chain of ways.
//  behind the tags:
//        0      4       16                                  16 + 4 × ways
//        +------+-------+-----------------------------------+-----------+
//        | full | front | before, behind, further, 0 by way | buckets[] |  a byte each
//        +------+-------+-----------------------------------+-----------+
// In chains and buckets a way is its number + 1; 0: none.

import { FULL, STATE, TagArray, keyAt, replacementState, setKey } from "./array";

/** A short set's ways: a move takes time for each four of them. */
export const SHORT_WAYS_MAX: u32 = 16;
const LANE_BITS = i32x4(1, 2, 4, 8);
/** 2^32 over the golden ratio. */
const SPREAD: u32 = 0x9e3779b1;

const FRONT: usize = 4;
const BEFORE: usize = STATE;
const BEHIND: usize = STATE + 1;
const FURTHER: usize = STATE + 2;

/** Bytes of a long set's ring. */
export function ringBytes(ways: u32): u32 {
  return (ways << 2) + (1 << bucketBits(ways));
}

/** Log2 of so many buckets that most have one way at most. */
export function bucketBits(ways: u32): u32 {
  return 35 - clz(ways);
}

export function initRing(array: TagArray, set: usize): void {
  const ways = array.ways;
  const ring = replacementState(array, set);
  for (let way: u32 = 0; way < ways; way++) {
    store<u8>(ring + (way << 2), <u8>((way + ways - 1) % ways), BEFORE);
    store<u8>(ring + (way << 2), <u8>((way + 1) % ways), BEHIND);
  }
}

/** The ways of a short set that have `key`, a bit each. */
// @ts-ignore: decorator
@inline
export function equalKeys(half: u32, set: usize, key: u64): u32 {
  const low = i32x4.splat(<u32>key);
  const high = i32x4.splat(<u32>(key >> 32));
  let equal = equal4(half, set, low, high);
  if (half > 16) equal |= equal4(half, set + 16, low, high) << 4;
  if (half > 32) equal |= equal4(half, set + 32, low, high) << 8;
  if (half > 48) equal |= equal4(half, set + 48, low, high) << 12;
  return equal;
}

// @ts-ignore: decorator
@inline
function equal4(half: u32, at: usize, low: v128, high: v128): u32 {
  const lows = i32x4.eq(v128.load(at), low);
  const highs = i32x4.eq(v128.load(at + half), high);
  return i32x4.bitmask(v128.and(lows, highs));
}

/** Puts `key` first in a short set. `equal`: where it was, a bit; 0: nowhere, the last leaves. */
// @ts-ignore: decorator
@inline
export function moveFirst(half: u32, ways: u32, set: usize, key: u64, equal: u32): void {
  // From the first way to the one that has the key.
  const moved = i32x4.splat((equal ^ (equal - 1)) & ((1 << ways) - 1));
  moveBack(half, set, moved, i32x4.splat(<u32>key));
  moveBack(half, set + half, moved, i32x4.splat(<u32>(key >> 32)));
}

/** Of each way in `moved`, the next gets the half key; the first one gets `first`'s. */
// @ts-ignore: decorator
@inline
function moveBack(half: u32, at: usize, moved: v128, first: v128): void {
  const ways0 = v128.load(at);
  move4(at, first, ways0, moved);
  if (half <= 16) return;
  const ways4 = v128.load(at, 16);
  move4(at + 16, ways0, ways4, i32x4.shr_u(moved, 4));
  if (half <= 32) return;
  const ways8 = v128.load(at, 32);
  move4(at + 32, ways4, ways8, i32x4.shr_u(moved, 8));
  if (half <= 48) return;
  move4(at + 48, ways8, v128.load(at, 48), i32x4.shr_u(moved, 12));
}

// @ts-ignore: decorator
@inline
function move4(at: usize, before: v128, old: v128, moved: v128): void {
  const shifted = v128.shuffle<i32>(before, old, 3, 4, 5, 6);
  const isMoved = i32x4.eq(v128.and(moved, LANE_BITS), LANE_BITS);
  v128.store(at, v128.bitselect(shifted, old, isMoved));
}

/** Way `way` of a short set becomes empty: those behind it come one forward. */
export function removeShort(array: TagArray, set: usize, way: u32): void {
  const last = array.ways - 1;
  for (; way < last; way++) setKey(array, set, way, keyAt(array, set, way + 1));
  setKey(array, set, last, 0);
}

/** In a long set, the bucket of the ways that `key` is looked for in. */
// @ts-ignore: decorator
@inline
export function bucketOf(array: TagArray, set: usize, key: u64): usize {
  return set + array.bucketsAt + ((<u32>key * SPREAD) >> array.bucketShift);
}

/** The way of a long set that has `key`, or −1. */
// @ts-ignore: decorator
@inline
export function findLong(half: u32, set: usize, bucket: usize, key: u64): i32 {
  const ring = set + (half << 1);
  let way = <i32>load<u8>(bucket) - 1;
  while (way >= 0) {
    const at = set + (way << 2);
    if (load<u32>(at) == <u32>key && load<u32>(at + half) == <u32>(key >> 32)) break;
    way = <i32>load<u8>(ring + (way << 2), FURTHER) - 1;
  }
  return way;
}

/** Makes `way` of a long set the first. */
// @ts-ignore: decorator
@inline
export function moveWayFirst(half: u32, set: usize, way: u32): void {
  const ring = set + (half << 1);
  const front = <u32>load<u8>(ring, FRONT);
  if (way == front) return;
  const own = ring + (way << 2);
  const itsBefore = <u32>load<u8>(own, BEFORE);
  const itsBehind = <u32>load<u8>(own, BEHIND);
  store<u8>(ring + (itsBefore << 2), <u8>itsBehind, BEHIND);
  store<u8>(ring + (itsBehind << 2), <u8>itsBefore, BEFORE);
  const last = <u32>load<u8>(ring + (front << 2), BEFORE);
  store<u8>(own, <u8>last, BEFORE);
  store<u8>(own, <u8>front, BEHIND);
  store<u8>(ring + (last << 2), <u8>way, BEHIND);
  store<u8>(ring + (front << 2), <u8>way, BEFORE);
  store<u8>(ring, <u8>way, FRONT);
}

/** Gives `key` the way touched longest ago, in a long set that is full. Returns the key it had. */
// @ts-ignore: decorator
@inline
export function replaceLast(array: TagArray, half: u32, set: usize, bucket: usize, key: u64): u64 {
  const ring = set + (half << 1);
  const way = <u32>load<u8>(ring + (<u32>load<u8>(ring, FRONT) << 2), BEFORE);
  store<u8>(ring, <u8>way, FRONT);
  const evicted = keyAt(array, set, way);
  unchain(ring, bucketOf(array, set, evicted), way);
  chain(ring, bucket, way);
  setKey(array, set, way, key);
  return evicted;
}

/** Gives `key` an empty way of a long set. */
export function fillLong(array: TagArray, set: usize, way: u32, key: u64): void {
  moveWayFirst(array.halfBytes, set, way);
  chain(replacementState(array, set), bucketOf(array, set, key), way);
  setKey(array, set, way, key);
}

export function emptyLong(array: TagArray, set: usize, way: u32): void {
  const ring = replacementState(array, set);
  unchain(ring, bucketOf(array, set, keyAt(array, set, way)), way);
  setKey(array, set, way, 0);
  store<u32>(ring, 0, FULL);
}

// @ts-ignore: decorator
@inline
function chain(ring: usize, bucket: usize, way: u32): void {
  store<u8>(ring + (way << 2), load<u8>(bucket), FURTHER);
  store<u8>(bucket, <u8>(way + 1));
}

// @ts-ignore: decorator
@inline
function unchain(ring: usize, bucket: usize, way: u32): void {
  let link = bucket;
  let linked = <u32>load<u8>(link);
  while (linked != way + 1) {
    link = ring + ((linked - 1) << 2) + FURTHER;
    linked = <u32>load<u8>(link);
  }
  store<u8>(link, load<u8>(ring + (way << 2), FURTHER));
}
