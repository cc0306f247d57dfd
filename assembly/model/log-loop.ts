// Items through a log (log.ts): many ways in the order of their use, in one set.

import { TagArray } from "./array";
import {
  ENTRY_BYTES,
  behindFirst,
  bucketOf,
  bucketsOf,
  bury,
  entryAt,
  headOf,
  liveOf,
  makeRoom,
  ringOf,
  setEnds,
  tailOf,
  write,
} from "./log";
import { LoopFunction, loop } from "./loop";

/** Of an array that is a log in the order of use. */
export function logLoopOf(array: TagArray): LoopFunction {
  loop.buckets = bucketsOf(array.sets);
  loop.bucketMask = array.bucketMask;
  loop.ring = ringOf(array, array.sets);
  loop.ringMask = array.ringBytes - 1;
  return liveOf(array.sets) == array.ways ? full : filling;
}

function full(array: TagArray, from: usize, end: usize, to: usize): usize {
  return through(true, array, from, end, to);
}

/** Up to the first miss. */
function filling(array: TagArray, from: usize, end: usize, to: usize): usize {
  return through(false, array, from, end, to);
}

// @ts-ignore: decorator
@inline
function through(isFull: bool, array: TagArray, from: usize, end: usize, to: usize): usize {
  const set = array.sets;
  makeRoom(array, set);
  const space = loop.space;
  const tagMask = loop.tagMask;
  const shift = loop.tagShift;
  const buckets = loop.buckets;
  const bucketMask = loop.bucketMask;
  const ring = loop.ring;
  const ringMask = loop.ringMask;
  let head = headOf(set);
  let tail = tailOf(set);
  for (; from < end; from += 8) {
    const item = load<u64>(from);
    const tag = space | ((item >> shift) & tagMask);
    const bucket = bucketOf(buckets, bucketMask, tag);
    const place = load<u32>(bucket);
    let before = place;
    if (place >= tail) {
      const entry = entryAt(ring, ringMask, place);
      if (load<u64>(entry) != tag || head - tail > ringMask) break;
      before = bury(entry);
    } else {
      if (!isFull) break;
      tail = behindFirst(ring, ringMask, tail);
      store<u64>(to, item);
      to += 8;
    }
    write(ring, ringMask, head, tag, bucket, before);
    head += ENTRY_BYTES;
  }
  setEnds(set, tail, head, liveOf(set));
  loop.stop = from;
  return to;
}
