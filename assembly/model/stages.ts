// A batch level by level: what misses the first level is the batch of the second, and what misses
// that is walked. It counts what `refer` counts, because without inclusion no level takes from one
// before it; and each loop is small enough for the engine to keep its variables in registers, which
// it does only where nothing is called. What these loops do not do, is done between them.
//
//  an item:  63………38   37…36  35……0     a page, and how many references in turn there are to it
//           +---------+------+------+
//           | nrTimes | kind | page |
//           +---------+------+------+

import { PAGE_NUMBER_BITS } from "./layout";
import {
  FULL,
  NUMBER_MASK,
  STATE,
  TagArray,
  find,
  keyOf,
  replacementState,
  setKey,
  setOf,
} from "./array";
import { insert, touch } from "./replacement";
import { Lane, Route, bankOf, refer, routeOf } from "./lane";
import { walk } from "./walk";

const TIMES_SHIFT: u64 = PAGE_NUMBER_BITS + 2;

// @ts-ignore: decorator
@inline
export function itemOf(page: u64, kind: u32, nrTimes: u64): u64 {
  return page | ((<u64>kind) << PAGE_NUMBER_BITS) | (nrTimes << TIMES_SHIFT);
}

// @ts-ignore: decorator
@inline
function kindOf(item: u64): u32 {
  return <u32>(item >> PAGE_NUMBER_BITS) & 3;
}

/** All levels at once, reference by reference. */
export function referAll(lane: Lane, from: usize, end: usize): void {
  for (let at = from; at < end; at += 8) {
    const item = load<u64>(at);
    refer(lane, item & NUMBER_MASK, kindOf(item), item >> TIMES_SHIFT);
  }
}

// @ts-ignore: decorator
@inline
function routeFor(lane: Lane, item: u64): Route {
  return routeOf(lane, kindOf(item), lane.size);
}

/** As `touch`, for trees. */
// @ts-ignore: decorator
@inline
function touchTree(array: TagArray, state: usize, way: u32): void {
  const bits = array.touches + (way << 4);
  store<u64>(state, (load<u64>(state, STATE) & load<u64>(bits)) | load<u64>(bits, 8), STATE);
}

/** The ways whose low tags are equal, a bit each; at most 64 ways. */
// @ts-ignore: decorator
@inline
function equalLows(array: TagArray, set: usize, key: u64): u64 {
  const low = i32x4.splat(<u32>key);
  const half = array.halfBytes;
  let equal = <u64>i32x4.bitmask(i32x4.eq(v128.load(set), low));
  for (let at: u32 = 16; at < half; at += 16) {
    equal |= (<u64>i32x4.bitmask(i32x4.eq(v128.load(set + at), low))) << (at >> 2);
  }
  return equal;
}

/** References from `from` on through the first level; misses are written to `to`. Returns their end. */
export function firstStage(lane: Lane, from: usize, end: usize, to: usize): usize {
  for (let at = from; at < end; at += 8) {
    // Arrays with a table of victims, and sets that are full.
    do {
      const item = load<u64>(at);
      const route = routeFor(lane, item);
      const array = changetype<TagArray>(route.first);
      const key = keyOf(route.firstSpace, (item & NUMBER_MASK) >> route.firstShift);
      if (array.recent != key) {
        if (!array.victims) break;
        const set = setOf(array, key, 0);
        const state = replacementState(array, set);
        const equal = equalLows(array, set, key);
        let way = <u32>ctz(equal);
        if (!equal) {
          if (!load<u32>(state, FULL)) break;
          way = load<u8>(array.victims + <usize>load<u64>(state, STATE));
          setKey(array, set, way, key);
          route.firstMisses++;
          store<u64>(to, item);
          to += 8;
        } else if (load<u32>(set + array.halfBytes + (way << 2)) != <u32>(key >> 32)) break;
        array.recent = key;
        touchTree(array, state, way);
      }
      at += 8;
    } while (at < end);
    if (at >= end) break;
    const item = load<u64>(at);
    if (hitsFirst(routeFor(lane, item), item & NUMBER_MASK)) continue;
    store<u64>(to, item);
    to += 8;
  }
  return to;
}

function hitsFirst(route: Route, page: u64): bool {
  const array = changetype<TagArray>(route.first);
  const key = keyOf(route.firstSpace, page >> route.firstShift);
  if (array.recent == key) return true;
  array.recent = key;
  const set = setOf(array, key, 0);
  const way = find(array, set, key);
  if (way >= 0) {
    touch(array, set, way);
    return true;
  }
  route.firstMisses++;
  insert(array, set, key);
  return false;
}

/** What the first level misses, through the banks; what they miss is written to `to`, to be walked. */
export function secondStage(lane: Lane, from: usize, end: usize, to: usize): usize {
  for (let at = from; at < end; at += 8) {
    do {
      const item = load<u64>(at);
      const route = routeFor(lane, item);
      if (!route.nrBanks) break;
      const number = (item & NUMBER_MASK) >> route.bankShift;
      const array = bankOf(route, number);
      if (!array.victims) break;
      const key = keyOf(route.bankSpace, number);
      const set = setOf(array, key, route.dealShift);
      const state = replacementState(array, set);
      const equal = equalLows(array, set, key);
      let way = <u32>ctz(equal);
      if (!equal) {
        if (!load<u32>(state, FULL)) break;
        way = load<u8>(array.victims + <usize>load<u64>(state, STATE));
        setKey(array, set, way, key);
        array.misses++;
        route.walks++;
        store<u64>(to, item);
        to += 8;
      } else {
        if (load<u32>(set + array.halfBytes + (way << 2)) != <u32>(key >> 32)) break;
        array.hits++;
      }
      touchTree(array, state, way);
      at += 8;
    } while (at < end);
    if (at >= end) break;
    const item = load<u64>(at);
    if (hitsSecond(routeFor(lane, item), item & NUMBER_MASK)) continue;
    store<u64>(to, item);
    to += 8;
  }
  return to;
}

function hitsSecond(route: Route, page: u64): bool {
  if (route.nrBanks) {
    const number = page >> route.bankShift;
    const bank = bankOf(route, number);
    const key = keyOf(route.bankSpace, number);
    const set = setOf(bank, key, route.dealShift);
    const way = find(bank, set, key);
    if (way >= 0) {
      bank.hits++;
      touch(bank, set, way);
      return true;
    }
    bank.misses++;
    insert(bank, set, key);
  }
  route.walks++;
  return false;
}

export function walkStage(lane: Lane, from: usize, end: usize): void {
  for (let at = from; at < end; at += 8) walk(lane, load<u64>(at) & NUMBER_MASK, lane.size);
}
