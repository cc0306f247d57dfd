// Who leaves a full set. What a set knows of its ways, behind its tags:
//   lru, fifo          recency.ts
//   plru, mru3-plru    the bits of the trees, those of a tree in heap order; then the last group
//   nru                marks, a bit each
//   random             nothing; the array has the number

import {
  REPLACEMENT_LRU,
  REPLACEMENT_MRU3_PLRU,
  REPLACEMENT_NRU,
  REPLACEMENT_PLRU,
  SIZE_SHIFT,
  TRICK_TABLES,
} from "./layout";
import {
  FULL,
  NUMBER_MASK,
  STATE,
  TagArray,
  isOf,
  keyAt,
  replacementState,
  setKey,
  spaceOf,
} from "./array";
import { allocate } from "./memory";
import {
  bucketOf,
  emptyLong,
  fillLong,
  initRing,
  moveFirst,
  moveWayFirst,
  removeShort,
  replaceLast,
} from "./recency";

const GROUPS: u32 = 3;
/** What a touch does to a tree, by way: bits to keep, bits to set; and the way's lane of a vector. */
export const TOUCHED_SHIFT: u32 = 5;
export const TOUCHED_SET: usize = 8;
export const TOUCHED_LANES: usize = 16;
/** A table of victims has at most 2^11 bytes; that of 12 ways in three groups. */
const TABLE_BITS_MAX: u32 = 11;

/** Whether `stages.ts` can do it: at most 2^11 states, and an index of at most two groups. */
export function isQuick(array: TagArray): bool {
  return array.victims != 0 && array.indexGroups <= 2;
}

function isTree(array: TagArray): bool {
  return array.replacement == REPLACEMENT_PLRU || array.replacement == REPLACEMENT_MRU3_PLRU;
}

function nrGroups(array: TagArray): u32 {
  return array.replacement == REPLACEMENT_MRU3_PLRU ? GROUPS : 1;
}

/** Makes a new array ready. */
export function initReplacement(array: TagArray): void {
  if (array.isLong) initRings(array);
  if (isTree(array)) initTrees(array);
}

function initRings(array: TagArray): void {
  for (let i: u32 = 0; i <= array.setMask; i++) initRing(array, array.sets + i * array.setBytes);
}

function initTrees(array: TagArray): void {
  const groupWays = array.ways / nrGroups(array);
  array.touches = allocate(array.ways << TOUCHED_SHIFT);
  for (let way: u32 = 0; way < array.ways; way++) {
    const group = way / groupWays;
    const tree = group * (groupWays - 1);
    let cleared: u64 = 0;
    let set: u64 = 0;
    let node: u32 = 1;
    for (let half = groupWays >> 1; half; half >>= 1) {
      const isUpper = ((way % groupWays) & half) != 0;
      const bit = (<u64>1) << (tree + node - 1);
      cleared |= bit;
      if (!isUpper) set |= bit;
      node = (node << 1) | u32(isUpper);
    }
    if (nrGroups(array) > 1) {
      const shift = array.ways - GROUPS;
      cleared |= (<u64>3) << shift;
      set |= (<u64>group) << shift;
    }
    const touched = array.touches + (way << TOUCHED_SHIFT);
    store<u64>(touched, ~cleared);
    store<u64>(touched, set, TOUCHED_SET);
    store<i32>(touched + ((way & 3) << 2), -1, TOUCHED_LANES);
  }
  const bits = nrGroups(array) > 1 ? array.ways - GROUPS + 2 : array.ways - 1;
  if (bits > TABLE_BITS_MAX || !(array.tricks & TRICK_TABLES)) return;
  const victims = allocate((<usize>1) << bits);
  for (let state: u32 = 0; state < 1 << bits; state++) {
    store<u8>(victims + state, <u8>treeVictim(array, state));
  }
  array.victims = victims;
}

function treeVictim(array: TagArray, state: u64): u32 {
  const groupWays = array.ways / nrGroups(array);
  const group =
    nrGroups(array) > 1 ? (<u32>(state >> (array.ways - GROUPS)) + 1) % GROUPS : 0;
  const tree = group * (groupWays - 1);
  let node: u32 = 1;
  while (node < groupWays) node = (node << 1) | (<u32>(state >> (tree + node - 1)) & 1);
  return group * groupWays + node - groupWays;
}

/** `way` is hit. */
// @ts-ignore: decorator
@inline
export function touch(array: TagArray, set: usize, way: u32): void {
  if (array.touches) touchTree(array, set, way);
  else if (array.replacement == REPLACEMENT_LRU) touchOrder(array, set, way);
  else if (array.replacement == REPLACEMENT_NRU) mark(array, set, way);
}

// @ts-ignore: decorator
@inline
function touchTree(array: TagArray, set: usize, way: u32): void {
  const at = replacementState(array, set);
  const bits = array.touches + (way << TOUCHED_SHIFT);
  store<u64>(at, (load<u64>(at, STATE) & load<u64>(bits)) | load<u64>(bits, 8), STATE);
}

function touchOrder(array: TagArray, set: usize, way: u32): void {
  if (array.isLong) moveWayFirst(array.halfBytes, set, way);
  else moveFirst(array.halfBytes, array.ways, set, keyAt(array, set, way), 1 << way);
}

function mark(array: TagArray, set: usize, way: u32): void {
  const at = replacementState(array, set);
  const own = (<u64>1) << way;
  const marks = load<u64>(at, STATE) | own;
  const all = ~(<u64>0) >> (64 - array.ways);
  store<u64>(at, marks == all ? own : marks, STATE);
}

/** Fills a way of `set`, which does not have `key`; returns the key that leaves for it, or 0. */
export function insert(array: TagArray, set: usize, key: u64): u64 {
  if (array.isShort) return insertShort(array, set, key);
  const isFull = load<u32>(replacementState(array, set), FULL) != 0;
  const empty = isFull ? -1 : emptyWay(array, set);
  if (array.isLong) {
    const bucket = bucketOf(array, set, key);
    if (empty < 0) return replaceLast(array, array.halfBytes, set, bucket, key);
    fillLong(array, set, empty, key);
    return 0;
  }
  const way = empty < 0 ? victim(array, set) : empty;
  const evicted = keyAt(array, set, way);
  touch(array, set, way);
  setKey(array, set, way, key);
  return evicted;
}

function insertShort(array: TagArray, set: usize, key: u64): u64 {
  const evicted = keyAt(array, set, array.ways - 1);
  moveFirst(array.halfBytes, array.ways, set, key, 0);
  return evicted;
}

/** The lowest empty way, or −1, which is remembered until a way is emptied. */
function emptyWay(array: TagArray, set: usize): i32 {
  for (let way: u32 = 0; way < array.ways; way++) if (!keyAt(array, set, way)) return way;
  store<u32>(replacementState(array, set), 1, FULL);
  return -1;
}

/** Empties `way`. Ways before it stay where they are. */
export function empty(array: TagArray, set: usize, way: u32): void {
  if (keyAt(array, set, way) == array.recent) array.recent = 0;
  if (array.isShort) {
    removeShort(array, set, way);
    return;
  }
  if (array.isLong) {
    emptyLong(array, set, way);
    return;
  }
  setKey(array, set, way, 0);
  store<u32>(replacementState(array, set), 0, FULL);
}

/** Empties the ways that have entries of `pcid`. */
export function dropPcid(array: TagArray, pcid: u32): void {
  for (let i: u32 = 0; i <= array.setMask; i++) {
    const set = array.sets + i * array.setBytes;
    for (let way = array.ways; way--; ) {
      if (isOf(keyAt(array, set, way), pcid)) empty(array, set, way);
    }
  }
}

/** Empties the ways that translate any of the 4K pages from `first` to `last`, of `pcid`. */
export function dropPages(array: TagArray, pcid: u32, first: u64, last: u64): void {
  for (let i: u32 = 0; i <= array.setMask; i++) {
    const set = array.sets + i * array.setBytes;
    for (let way = array.ways; way--; ) {
      const key = keyAt(array, set, way);
      if (!isOf(key, pcid)) continue;
      const size = spaceOf(key);
      const shift = size ? SIZE_SHIFT * size : array.coalescedShift;
      const number = key & NUMBER_MASK;
      if (number >= first >> shift && number <= last >> shift) empty(array, set, way);
    }
  }
}

/** The way that leaves a full set, of an array without positions. */
// @ts-ignore: decorator
@inline
function victim(array: TagArray, set: usize): u32 {
  const at = replacementState(array, set) + STATE;
  if (array.victims) return load<u8>(array.victims + <usize>load<u64>(at));
  return victimSlow(array, at);
}

function victimSlow(array: TagArray, at: usize): u32 {
  if (isTree(array)) return treeVictim(array, load<u64>(at));
  if (array.replacement == REPLACEMENT_NRU) {
    const way = <u32>ctz(~load<u64>(at));
    return way < array.ways ? way : 0;
  }
  let x = array.random;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  array.random = x;
  return <u32>((<u64>x * array.ways) >> 32);
}
