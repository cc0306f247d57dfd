// A batch of items through one array: those that it has are touched; those that it has not are put
// there and passed on. There is a loop for each way of keeping order, and for the usual numbers of
// ways, so that the engine keeps what it needs in registers, which it does only where nothing is
// called (tree-loops.ts, time-loops.ts, log-loop.ts).
//
// Most loops need all tags of the array and of the items to have one high half. Then the low half
// tells them apart, and high halves of full sets are what they will be.

import { REPLACEMENT_LRU } from "./layout";
import { EMPTY, TagArray, setOf, tagOf, toldBits } from "./array";
import { find } from "./find";
import { logLoopOf } from "./log-loop";
import { LoopFunction, loop } from "./loop";
import { insert, touch } from "./replacement";
import { timeLoopOf } from "./time-loops";
import { hasTreeLoop, treeLoopOf } from "./tree-loops";

/** Which key an item has in an array, and which of its sets. */
@unmanaged
export class Placement {
  /** The key is that of no number (keyOf), and the bits of the item in `mask`, shifted. */
  space: u64;
  mask: u64;
  shift: u64;
  /** So many low bits of the number tell the bank. */
  dealShift: u64;
}

/** What is missed is written to `to`, which may be `from`. Returns where that ends. */
export function filter(
  array: TagArray,
  placement: Placement,
  from: usize,
  end: usize,
  to: usize,
): usize {
  if (from == end) return to;
  prepare(array, placement);
  const bits = tagBits(array, from, end);
  loop.sure = bits < EMPTY ? u32.MAX_VALUE : 0;
  const high = bits > u32.MAX_VALUE ? 0 : <u32>(placement.space >> 32);
  let last = to;
  for (let at = from; ; ) {
    const run = loopOf(array, high);
    last = run(array, at, end, last);
    at = loop.stop;
    if (at == end) break;
    // What has no loop gets one at its first tag, or not in this batch.
    const endOfThese = run == none && array.high != 0 ? end : at + 8;
    for (; at < endOfThese; at += 8) last = accessAny(array, placement, load<u64>(at), last);
  }
  const nrMisses = <u64>((last - to) >> 3);
  array.misses += nrMisses;
  array.hits += <u64>((end - from) >> 3) - nrMisses;
  array.recent = 0;
  return last;
}

function prepare(array: TagArray, placement: Placement): void {
  loop.space = placement.space;
  loop.mask = (placement.mask >> placement.shift) << placement.shift;
  loop.indexShift = placement.shift + placement.dealShift;
  loop.tagShift = placement.shift + toldBits(array, <u32>placement.dealShift);
  loop.tagMask = placement.mask >> loop.tagShift;
  loop.tagMask1 = loop.tagMask;
  loop.setMask = array.setMask;
  loop.setMask1 = loop.setMask;
  loop.foldMask = array.indexGroups > 1 ? array.setMask : 0;
  loop.foldMask1 = loop.foldMask;
}

/** Bits that numbers in tags have: all that there can be, or where those are many, in these items. */
function tagBits(array: TagArray, from: usize, end: usize): u64 {
  // Trees may have as many as a low half.
  if (loop.tagMask < EMPTY || (loop.tagMask == EMPTY && !array.hasTimes)) return loop.tagMask;
  let bits: u64 = 0;
  for (let at = from; at < end; at += 8) bits |= load<u64>(at);
  return (bits >> loop.tagShift) & loop.tagMask;
}

/** `high`: the high half of all items' tags, if numbers have no bits there; else 0. */
function loopOf(array: TagArray, high: u32): LoopFunction {
  const isLru = array.replacement == REPLACEMENT_LRU;
  if (array.isLog) return isLru ? logLoopOf(array) : none;
  const isOneHigh = high != 0 && array.high == high;
  // A short tag is also what the lower group of an index is XORed with.
  if (!isOneHigh || array.indexGroups > 2 || !array.hasShortTags) return none;
  if (array.hasTimes) return isLru && loop.sure ? timeLoopOf(array) : none;
  return hasTreeLoop(array) ? treeLoopOf(array) : none;
}

function none(array: TagArray, from: usize, end: usize, to: usize): usize {
  loop.stop = from;
  return to;
}

/** One item through any array. */
function accessAny(array: TagArray, placement: Placement, item: u64, to: usize): usize {
  const key = placement.space | ((item & placement.mask) >> placement.shift);
  const dealShift = <u32>placement.dealShift;
  const set = setOf(array, key, dealShift);
  const tag = tagOf(array, key, dealShift);
  const way = find(array, set, tag);
  if (way >= 0) {
    touch(array, set, way);
    return to;
  }
  insert(array, set, tag);
  store<u64>(to, item);
  return to + 8;
}
