// A batch through several arrays. Each array gets its items in a stream of its own, in their order,
// which is all that matters to it; what the arrays miss comes back into the order of the batch.
//
// An item's place here is its number in the batch, from 1 on, and not that of item.ts.

import { KINDS } from "./layout";
import { NUMBER_MASK, TagArray, keyOf } from "./array";
import { Placement, filter } from "./filter";
import { CHUNK, PLACE_SHIFT, kindOfItem } from "./item";
import { Lane, Route, bankAt, bankOf, routeOf } from "./lane";
import { allocate } from "./memory";

/** Banks of all kinds, at most. */
const STREAMS_MAX: u32 = 12;
const buffers = allocate((STREAMS_MAX * CHUNK) << 3);
/** Items that missed by their place; 0: it did not. */
const missed = allocate((CHUNK + 1) << 3);

/** All items of an array are placed in the same way, because all kinds have the same banks. */
@unmanaged
class Stream extends Placement {
  array: usize;
}
const streams = memory.data(STREAMS_MAX * offsetof<Stream>());
let nrStreams: u32 = 0;

/**
 * Items through the first-level arrays, or the banks, of `kinds`, a bit each; what they miss is
 * written to `to`. Returns where that ends.
 */
export function throughArrays(
  lane: Lane,
  kinds: u32,
  isFirst: bool,
  from: usize,
  end: usize,
  to: usize,
): usize {
  const areAllKept = openStreams(lane, kinds, isFirst);
  if (nrStreams == 1 && areAllKept) {
    const last = filter(changetype<TagArray>(streamAt(0).array), streamAt(0), from, end, to);
    closeStreams();
    return last;
  }
  if (isFirst) dealFirst(lane, from, end);
  else dealSecond(lane, from, end);
  for (let i: u32 = 0; i < nrStreams; i++) {
    const buffer = bufferOf(i);
    const array = changetype<TagArray>(streamAt(i).array);
    const last = filter(array, streamAt(i), buffer, array.stream, buffer);
    for (let at = buffer; at < last; at += 8) putMissed(load<u64>(at));
  }
  closeStreams();
  return gather(<u32>((end - from) >> 3), to);
}

function streamAt(i: u32): Stream {
  return changetype<Stream>(streams + i * offsetof<Stream>());
}

function bufferOf(i: u32): usize {
  return buffers + ((<usize>i * CHUNK) << 3);
}

/** One for each array that items of `kinds` may go to. Returns whether all kinds have an array. */
function openStreams(lane: Lane, kinds: u32, isFirst: bool): bool {
  let areAllKept = true;
  for (let kind: u32 = 0; kind < <u32>KINDS; kind++) {
    if (!((kinds >> kind) & 1)) continue;
    const route = routeOf(lane, kind, lane.size);
    if (isFirst) openStream(route, changetype<TagArray>(route.first), true);
    else openBanks(route);
    if (!isFirst && !route.nrBanks) areAllKept = false;
  }
  return areAllKept;
}

function openBanks(route: Route): void {
  for (let i: u32 = 0; i < route.nrBanks; i++) openStream(route, bankAt(route, i), false);
}

function openStream(route: Route, array: TagArray, isFirst: bool): void {
  if (array.stream) return;
  array.stream = bufferOf(nrStreams);
  const stream = streamAt(nrStreams++);
  stream.array = changetype<usize>(array);
  stream.space = keyOf(isFirst ? route.firstSpace : route.bankSpace, 0);
  stream.mask = NUMBER_MASK;
  stream.shift = isFirst ? route.firstShift : route.bankShift;
  stream.dealShift = isFirst ? 0 : route.dealShift;
}

function closeStreams(): void {
  for (let i: u32 = 0; i < nrStreams; i++) changetype<TagArray>(streamAt(i).array).stream = 0;
  nrStreams = 0;
}

function dealFirst(lane: Lane, from: usize, end: usize): void {
  let place: u64 = 1 << PLACE_SHIFT;
  for (let at = from; at < end; at += 8) {
    const item = load<u64>(at);
    const route = routeOf(lane, kindOfItem(item), lane.size);
    append(changetype<TagArray>(route.first), placed(item, place));
    place += 1 << PLACE_SHIFT;
  }
}

function dealSecond(lane: Lane, from: usize, end: usize): void {
  let place: u64 = 1 << PLACE_SHIFT;
  for (let at = from; at < end; at += 8) {
    const item = load<u64>(at);
    const route = routeOf(lane, kindOfItem(item), lane.size);
    const here = placed(item, place);
    if (route.nrBanks) append(bankOf(route, (item & NUMBER_MASK) >> route.bankShift), here);
    else putMissed(here);
    place += 1 << PLACE_SHIFT;
  }
}

// @ts-ignore: decorator
@inline
function placed(item: u64, place: u64): u64 {
  return (item & ((1 << PLACE_SHIFT) - 1)) | place;
}

// @ts-ignore: decorator
@inline
function append(array: TagArray, item: u64): void {
  const at = array.stream;
  store<u64>(at, item);
  array.stream = at + 8;
}

// @ts-ignore: decorator
@inline
function putMissed(item: u64): void {
  store<u64>(missed + (<usize>(item >> PLACE_SHIFT) << 3), item);
}

/** What was put at the first `count` places, in their order. */
function gather(count: u32, to: usize): usize {
  const end = missed + (<usize>(count + 1) << 3);
  for (let at = missed + 8; at < end; at += 8) {
    const item = load<u64>(at);
    store<u64>(at, 0);
    store<u64>(to, item);
    to += usize(item != 0) << 3;
  }
  return to;
}
