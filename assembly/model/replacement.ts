// Who leaves a full set. What a set knows of its ways:
//   lru, fifo          times.ts, log.ts
//   plru, mru3-plru    the bits of the trees, those of a tree in heap order; then the last group
//   nru                marks, a bit each
//   random             nothing; the array has the number

import {
  REPLACEMENT_LRU,
  REPLACEMENT_MRU3_PLRU,
  REPLACEMENT_NRU,
  REPLACEMENT_PLRU,
  TRICK_TABLES,
} from "./layout";
import {
  EMPTY,
  FULL,
  HELD,
  NUMBER_MASK,
  STATE,
  TagArray,
  isEmpty,
  isOf,
  noteHigh,
  setTag,
  spaceOf,
  tagAt,
  untag,
} from "./array";
import { buryEntry, entryTag, initLog, nrEntries, writeToLog } from "./log";
import { allocate } from "./memory";
import { forgetTime, initTimes, oldest, setTime } from "./times";

const GROUPS: u32 = 3;
/** What a touch does to a tree, by way: bits to keep, bits to set. */
export const TOUCHED_SHIFT: u32 = 4;
export const TOUCHED_SET: usize = 8;
/** A table of victims has at most 2^11 bytes; that of 12 ways in three groups. */
const TABLE_BITS_MAX: u32 = 11;
/**
 * What an access does to a tree of four ways, by its state and by the ways that are equal, a bit
 * each: the lane of the way that is touched, or filled; the next state; and the bytes of an item, if
 * it is a miss. Bits of such a tree are so high that the state says where its moves are.
 */
const MOVES_WAYS: u32 = 4;
export const MOVES_SHIFT: u32 = 9;
export const MOVE_SHIFT: u32 = 5;
export const MOVE_STATE: usize = 16;
export const MOVE_MISS: usize = 20;

function isTree(array: TagArray): bool {
  return array.replacement == REPLACEMENT_PLRU || array.replacement == REPLACEMENT_MRU3_PLRU;
}

/** The first bit of a tree. */
function treeShift(array: TagArray): u32 {
  return array.ways == MOVES_WAYS ? MOVES_SHIFT : 0;
}

function nrGroups(array: TagArray): u32 {
  return array.replacement == REPLACEMENT_MRU3_PLRU ? GROUPS : 1;
}

/** Makes a new array ready. */
export function initReplacement(array: TagArray): void {
  if (array.hasTimes) initTimes(array);
  if (array.isLog) initLog(array, array.sets);
  if (isTree(array)) initTrees(array);
}

function initTrees(array: TagArray): void {
  const groupWays = array.ways / nrGroups(array);
  array.touches = allocate(array.ways << TOUCHED_SHIFT);
  for (let way: u32 = 0; way < array.ways; way++) {
    const group = way / groupWays;
    const tree = treeShift(array) + group * (groupWays - 1);
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
  }
  const bits = nrGroups(array) > 1 ? array.ways - GROUPS + 2 : array.ways - 1;
  if (bits > TABLE_BITS_MAX || !(array.tricks & TRICK_TABLES)) return;
  const victims = allocate((<usize>1) << bits);
  for (let state: u32 = 0; state < 1 << bits; state++) {
    store<u8>(victims + state, <u8>treeVictim(array, state << treeShift(array)));
  }
  array.victims = victims;
  if (array.ways == MOVES_WAYS) array.moves = createMoves(array);
}

function createMoves(array: TagArray): usize {
  const moves = allocate(1 << (MOVES_WAYS - 1 + MOVES_SHIFT));
  for (let i: u32 = 0; i < 1 << (MOVES_WAYS - 1); i++) {
    const state = i << MOVES_SHIFT;
    for (let equal: u32 = 0; equal < 1 << MOVES_WAYS; equal++) {
      const way = equal ? <u32>ctz(equal) : treeVictim(array, state);
      const touched = array.touches + (way << TOUCHED_SHIFT);
      const move = moves + state + (equal << MOVE_SHIFT);
      store<i32>(move + (way << 2), -1);
      const next = (state & load<u32>(touched)) | load<u32>(touched, TOUCHED_SET);
      store<u32>(move, next, MOVE_STATE);
      store<u32>(move, equal ? 0 : 8, MOVE_MISS);
    }
  }
  return moves;
}

function treeVictim(array: TagArray, bits: u64): u32 {
  const state = bits >> treeShift(array);
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
  const touched = array.touches + (way << TOUCHED_SHIFT);
  const state = (load<u64>(set, STATE) & load<u64>(touched)) | load<u64>(touched, TOUCHED_SET);
  store<u64>(set, state, STATE);
}

function touchOrder(array: TagArray, set: usize, way: u32): void {
  if (array.hasTimes) {
    setTime(array, set, way);
    return;
  }
  if (way + 1 == nrEntries(set)) return;
  const tag = entryTag(array, set, way);
  buryEntry(array, set, way);
  writeToLog(array, set, tag);
}

function mark(array: TagArray, set: usize, way: u32): void {
  const own = (<u64>1) << way;
  const marks = load<u64>(set, STATE) | own;
  const all = ~(<u64>0) >> (64 - array.ways);
  store<u64>(set, marks == all ? own : marks, STATE);
}

/** Fills a way of `set`, which does not have `tag`; returns the tag that leaves for it, or 0. */
export function insert(array: TagArray, set: usize, tag: u64): u64 {
  noteHigh(array, tag);
  if (array.hasTimes) return insertTimed(array, set, tag);
  if (array.isLog) return writeToLog(array, set, tag);
  const isFull = load<u32>(set, FULL) != 0;
  const empty = isFull ? -1 : emptyWay(array, set);
  const way = empty < 0 ? victim(array, set) : empty;
  const evicted = tagAt(array, set, way);
  touch(array, set, way);
  setTag(array, set, way, tag);
  if (empty < 0) return evicted;
  setHeld(set, way, 1);
  return 0;
}

function insertTimed(array: TagArray, set: usize, tag: u64): u64 {
  const way = oldest(array, set);
  const evicted = tagAt(array, set, way);
  setTime(array, set, way);
  setTag(array, set, way, tag);
  return isEmpty(evicted) ? 0 : evicted;
}

/** The lowest empty way, or −1, which is remembered until a way is emptied. */
function emptyWay(array: TagArray, set: usize): i32 {
  for (let way: u32 = 0; way < array.ways; way++) if (isEmpty(tagAt(array, set, way))) return way;
  store<u32>(set, 1, FULL);
  return -1;
}

/** Empties `way`. Ways before it stay where they are. */
export function empty(array: TagArray, set: usize, way: u32): void {
  array.recent = 0;
  if (array.isLog) {
    buryEntry(array, set, way);
    return;
  }
  setTag(array, set, way, EMPTY);
  if (array.hasTimes) forgetTime(array, set, way);
  else {
    setHeld(set, way, 0);
    store<u32>(set, 0, FULL);
  }
}

function setHeld(set: usize, way: u32, isHeld: u32): void {
  if (way < 32) store<u32>(set, (load<u32>(set, HELD) & ~(1 << way)) | (isHeld << way), HELD);
}

// Of all ways of a set.

function nrPlaces(array: TagArray, set: usize): u32 {
  return array.isLog ? nrEntries(set) : array.ways;
}

function tagAtPlace(array: TagArray, set: usize, i: u32): u64 {
  return array.isLog ? entryTag(array, set, i) : tagAt(array, set, i);
}

/** Empties the ways that have entries of `pcid`. */
export function dropPcid(array: TagArray, pcid: u32): void {
  let isEmptied = true;
  for (let i: u32 = 0; i <= array.setMask; i++) {
    const set = array.sets + i * array.setBytes;
    for (let way = nrPlaces(array, set); way--; ) {
      const tag = tagAtPlace(array, set, way);
      if (isOf(tag, pcid)) empty(array, set, way);
      else if (!isEmpty(tag)) isEmptied = false;
    }
  }
  if (isEmptied) array.high = 0;
}

/**
 * Empties the ways that have numbers from `first` to `last`, of `pcid` and `space`, of those that
 * the bank (array.ts) has.
 */
export function dropNumbers(
  array: TagArray,
  pcid: u32,
  space: u32,
  first: u64,
  last: u64,
  dealShift: u32,
  bank: u32,
): void {
  for (let i: u32 = 0; i <= array.setMask; i++) {
    const set = array.sets + i * array.setBytes;
    for (let way = nrPlaces(array, set); way--; ) {
      const tag = tagAtPlace(array, set, way);
      if (!isOf(tag, pcid) || spaceOf(tag) != space) continue;
      const number = untag(array, set, tag, dealShift, bank) & NUMBER_MASK;
      if (number >= first && number <= last) empty(array, set, way);
    }
  }
}

/** The way that leaves a full set, of an array that keeps no order. */
// @ts-ignore: decorator
@inline
function victim(array: TagArray, set: usize): u32 {
  const state = load<u64>(set, STATE);
  if (array.victims) return load<u8>(array.victims + <usize>(state >> treeShift(array)));
  return victimSlow(array, state);
}

function victimSlow(array: TagArray, state: u64): u32 {
  if (isTree(array)) return treeVictim(array, state);
  if (array.replacement == REPLACEMENT_NRU) {
    const way = <u32>ctz(~state);
    return way < array.ways ? way : 0;
  }
  let x = array.random;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  array.random = x;
  return <u32>((<u64>x * array.ways) >> 32);
}
