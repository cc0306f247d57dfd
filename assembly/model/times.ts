// Ways that leave in the order of their use (lru) or filling (fifo): each has the time it was touched,
// or filled, and the one with the lowest leaves. A time is a count of such events. It starts above
// the numbers of ways, because an empty way has its own for a time: the lowest is filled first.
//
// Times lie behind the low halves of a set, u32 each.

import { ORDER_WAYS_MAX } from "./layout";
import { TagArray } from "./array";

/** So many are kept in registers. Of more ways in one set the order is a log (log.ts). */
export const VECTOR_WAYS_MAX: u32 = 16;
export const TIMES_START: u32 = ORDER_WAYS_MAX + 1;
/** Then they are renumbered. It is the time of the padding. */
const TIMES_END: u32 = 1 << 26;

function timeAt(array: TagArray, set: usize, way: u32): usize {
  return set + array.halfBytes + (way << 2);
}

export function initTimes(array: TagArray): void {
  array.time = TIMES_START;
  for (let i: u32 = 0; i <= array.setMask; i++) {
    const set = array.sets + i * array.setBytes;
    for (let way: u32 = 0; way < array.halfBytes >> 2; way++) {
      store<u32>(timeAt(array, set, way), way < array.ways ? way : TIMES_END);
    }
  }
}

/** Makes sure that there are `count` times. */
export function makeTimes(array: TagArray, count: u32): void {
  if (array.time + count <= TIMES_END) return;
  for (let i: u32 = 0; i <= array.setMask; i++) renumber(array, array.sets + i * array.setBytes);
  array.time = TIMES_START + array.ways;
}

/** Gives the ways of a set the lowest times in the same order. */
function renumber(array: TagArray, set: usize): void {
  let time = TIMES_START;
  // Those that are renumbered have no higher ones than what was the last.
  for (let last = TIMES_START - 1; ; time++) {
    let nextWay: u32 = array.ways;
    let next = TIMES_END;
    for (let way: u32 = 0; way < array.ways; way++) {
      const its = load<u32>(timeAt(array, set, way));
      if (its <= last || its >= next) continue;
      next = its;
      nextWay = way;
    }
    if (nextWay == array.ways) return;
    store<u32>(timeAt(array, set, nextWay), time);
    last = next;
  }
}

export function setTime(array: TagArray, set: usize, way: u32): void {
  makeTimes(array, 1);
  store<u32>(timeAt(array, set, way), array.time++);
}

export function forgetTime(array: TagArray, set: usize, way: u32): void {
  store<u32>(timeAt(array, set, way), way);
}

/** The way with the lowest time. */
export function oldest(array: TagArray, set: usize): u32 {
  let found: u32 = 0;
  for (let way: u32 = 1; way < array.ways; way++) {
    if (load<u32>(timeAt(array, set, way)) < load<u32>(timeAt(array, set, found))) found = way;
  }
  return found;
}
