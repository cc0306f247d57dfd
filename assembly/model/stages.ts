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
  equalLows,
  find,
  keyOf,
  setOf,
} from "./array";
import { insert, isQuick, touch } from "./replacement";
import { Lane, Route, bankOf, routeOf } from "./lane";
import { walk } from "./walk";

const TIMES_SHIFT: u64 = PAGE_NUMBER_BITS + 2;

// @ts-ignore: decorator
@inline
export function itemOf(page: u64, kind: u32, nrTimes: u64): u64 {
  return page | ((<u64>kind) << PAGE_NUMBER_BITS) | (nrTimes << TIMES_SHIFT);
}

// @ts-ignore: decorator
@inline
export function kindOfItem(item: u64): u32 {
  return <u32>(item >> PAGE_NUMBER_BITS) & 3;
}

// @ts-ignore: decorator
@inline
export function timesOfItem(item: u64): u64 {
  return item >> TIMES_SHIFT;
}

/** Of a number, what the index XORs it with: nothing, where there is one group. */
// @ts-ignore: decorator
@inline
function foldShift(array: TagArray): u64 {
  return array.indexGroups > 1 ? array.setBits : 63;
}

/**
 * `key` in a set of an array that is quick (replacement.ts): finds or fills it. Both loops inline it, with
 * what it needs of the array in variables. Tells whether it was there; UNDONE: this is no case for it.
 */
// @ts-ignore: decorator
@inline
function quickAccess(set: usize, half: u32, touches: usize, victims: usize, key: u64): u32 {
  const state = set + ((<usize>half) << 1);
  const equal = equalLows(half, set, key);
  const bits = load<u64>(state, STATE);
  let way = <u32>ctz(equal);
  let outcome = HIT;
  if (!equal) {
    if (!load<u32>(state, FULL)) return UNDONE;
    way = load<u8>(victims + <usize>bits);
    store<u32>(set + (way << 2), <u32>key);
    store<u32>(set + half + (way << 2), <u32>(key >> 32));
    outcome = MISS;
  } else if (load<u32>(set + half + (way << 2)) != <u32>(key >> 32)) return UNDONE;
  const touched = touches + (way << 4);
  store<u64>(state, (bits & load<u64>(touched)) | load<u64>(touched, 8), STATE);
  return outcome;
}
const HIT: u32 = 0;
const MISS: u32 = 1;
const UNDONE: u32 = 2;

/** References from `from` on through the first level; misses are written to `to`. Returns their end. */
export function firstStage(lane: Lane, from: usize, end: usize, to: usize): usize {
  let at = from;
  while (at < end) {
    const kind = kindOfItem(load<u64>(at));
    const route = routeOf(lane, kind, lane.size);
    const array = changetype<TagArray>(route.first);
    if (isQuick(array)) {
      const sets = array.sets;
      const setMask = <u64>array.setMask;
      const setBytes = array.setBytes;
      const half = array.halfBytes;
      const touches = array.touches;
      const victims = array.victims;
      const fold = foldShift(array);
      const shift = route.firstShift;
      const space = keyOf(route.firstSpace, 0);
      const start = to;
      let recent = array.recent;
      do {
        const item = load<u64>(at);
        if (kindOfItem(item) != kind) break;
        const number = (item & NUMBER_MASK) >> shift;
        const key = space | number;
        if (key != recent) {
          const set = sets + <u32>((number ^ (number >> fold)) & setMask) * setBytes;
          const outcome = quickAccess(set, half, touches, victims, key);
          if (outcome == UNDONE) break;
          if (outcome == MISS) {
            store<u64>(to, item);
            to += 8;
          }
          recent = key;
        }
        at += 8;
      } while (at < end);
      array.recent = recent;
      route.firstMisses += (to - start) >> 3;
      if (at >= end) break;
    }
    const item = load<u64>(at);
    if (kindOfItem(item) != kind) continue;
    at += 8;
    if (hitsFirst(route, item & NUMBER_MASK)) continue;
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
  let at = from;
  while (at < end) {
    const first = load<u64>(at);
    const kind = kindOfItem(first);
    const route = routeOf(lane, kind, lane.size);
    const shift = route.bankShift;
    const nrBanksMask = <u64>route.nrBanks - 1;
    const index = ((first & NUMBER_MASK) >> shift) & nrBanksMask;
    const array = route.nrBanks ? bankOf(route, index) : changetype<TagArray>(0);
    if (route.nrBanks && isQuick(array)) {
      const sets = array.sets;
      const setMask = <u64>array.setMask;
      const setBytes = array.setBytes;
      const half = array.halfBytes;
      const touches = array.touches;
      const victims = array.victims;
      const fold = foldShift(array);
      const dealShift = route.dealShift;
      const space = keyOf(route.bankSpace, 0);
      const startAt = at;
      const startTo = to;
      do {
        const item = load<u64>(at);
        const number = (item & NUMBER_MASK) >> shift;
        if (kindOfItem(item) != kind || (number & nrBanksMask) != index) break;
        const dealt = number >> dealShift;
        const set = sets + <u32>((dealt ^ (dealt >> fold)) & setMask) * setBytes;
        const outcome = quickAccess(set, half, touches, victims, space | number);
        if (outcome == UNDONE) break;
        if (outcome == MISS) {
          store<u64>(to, item);
          to += 8;
        }
        at += 8;
      } while (at < end);
      const nrMisses = <u64>((to - startTo) >> 3);
      array.misses += nrMisses;
      array.hits += <u64>((at - startAt) >> 3) - nrMisses;
      route.walks += nrMisses;
      if (at >= end) break;
      if (at > startAt) continue;
    }
    const item = load<u64>(at);
    at += 8;
    if (hitsSecond(route, item & NUMBER_MASK)) continue;
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
