// A batch of a trace's words (src/trace/reference.ts), through all lanes. Of an address the low 48
// bits count. An access of 1 to 16 bytes that reaches into the next page refers to both. Controls
// are passed over.

import { REFERENCE_KIND_SHIFT, REFERENCE_SIZE_SHIFT } from "../layout";
import { KINDS, KIND_CONTROL, PAGE_4K_SHIFT, SIZE_SHIFT } from "./layout";
import { NUMBER_MASK } from "./array";
import { Lane, refer, routeOf } from "./lane";
import { allocate } from "./memory";
import { firstStage, itemOf, referAll, secondStage, walkStage } from "./stages";

const LANES_MAX: u32 = 16;
const lanes = memory.data(LANES_MAX * sizeof<usize>());
let nrLanes: u32 = 0;
/** The bits that are equal where two references of one page and kind differ in nothing but offset. */
const PAGE_AND_KIND: u64 = (NUMBER_MASK << PAGE_4K_SHIFT) | ((<u64>3) << REFERENCE_KIND_SHIFT);

export function addLane(lane: usize): void {
  if (nrLanes == LANES_MAX) unreachable();
  store<usize>(lanes + nrLanes++ * sizeof<usize>(), lane);
}

// @ts-ignore: decorator
@inline
function laneAt(i: u32): Lane {
  return changetype<Lane>(load<usize>(lanes + i * sizeof<usize>()));
}

/** The reference to the last byte of the same access. */
// @ts-ignore: decorator
@inline
function lastByte(reference: u64): u64 {
  return reference + (reference >> REFERENCE_SIZE_SHIFT);
}

/** Bits of PAGE_AND_KIND that differ between `first` and any byte of the access `other`. */
// @ts-ignore: decorator
@inline
function differing(first: u64, other: u64): u64 {
  return ((first ^ other) | (first ^ lastByte(other))) & PAGE_AND_KIND;
}

/** References that go through the stages together: what they leave stays in the nearest caches. */
const CHUNK: u32 = 2048;
const items = allocate(CHUNK << 3);
const misses = allocate(CHUNK << 3);
const walks = allocate(CHUNK << 3);
/** Bits of a chunk's references of one kind, in a word of all kinds. */
const LOOKUPS_SHIFT: u64 = 16;

export function replay(from: usize, count: u32): void {
  const end = from + ((<usize>count) << 3);
  while (from < end) from = replayChunk(from, min(end, from + (CHUNK << 3)));
}

/** Up to the first access that reaches into the next page, and that one. Returns where it stopped. */
function replayChunk(from: usize, end: usize): usize {
  let to = items;
  let at = from;
  let reference: u64 = 0;
  let lookups: u64 = 0;
  while (at < end) {
    reference = load<u64>(at);
    if (kindOf(reference) == KIND_CONTROL) {
      at += 8;
      continue;
    }
    if (differing(reference, reference)) break;
    const start = at;
    at += 8;
    while (at < end && !differing(reference, load<u64>(at))) at += 8;
    const kind = kindOf(reference);
    const nrTimes = <u64>((at - start) >> 3);
    store<u64>(to, itemOf(pageOf(reference), kind, nrTimes));
    to += 8;
    lookups += nrTimes << (kind * LOOKUPS_SHIFT);
  }
  for (let i: u32 = 0; i < nrLanes; i++) replayLane(laneAt(i), to, lookups);
  if (at == end) return end;
  referBoth(pageOf(reference), kindOf(reference));
  return at + 8;
}

function replayLane(lane: Lane, end: usize, lookups: u64): void {
  if (!lane.hasStages) {
    referAll(lane, items, end);
    return;
  }
  for (let kind: u32 = 0; kind < <u32>KINDS; kind++) {
    const ofKind = lookups >> (kind * LOOKUPS_SHIFT);
    routeOf(lane, kind, lane.size).lookups += ofKind & ((1 << LOOKUPS_SHIFT) - 1);
  }
  const endOfMisses = firstStage(lane, items, end, misses);
  walkStage(lane, walks, secondStage(lane, misses, endOfMisses, walks));
}

// @ts-ignore: decorator
@inline
function pageOf(reference: u64): u64 {
  return (reference >> PAGE_4K_SHIFT) & NUMBER_MASK;
}

// @ts-ignore: decorator
@inline
function kindOf(reference: u64): u32 {
  return <u32>(reference >> REFERENCE_KIND_SHIFT) & 3;
}

/** An access that ends in the page after `page`. */
function referBoth(page: u64, kind: u32): void {
  const next = (page + 1) & NUMBER_MASK;
  for (let i: u32 = 0; i < nrLanes; i++) {
    const lane = laneAt(i);
    const shift = SIZE_SHIFT * lane.size;
    refer(lane, page, kind, 1);
    if (page >> shift != next >> shift) refer(lane, next, kind, 1);
  }
}
