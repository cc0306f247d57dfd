// A batch of references, through all lanes. A reference is as in ../layout.ts; of its address the
// low 48 bits count. An access that reaches into the next page refers to both.

import { KIND_FETCH, REFERENCE_KIND_SHIFT, REFERENCE_SIZE_SHIFT } from "../layout";
import { PAGE_4K_SHIFT, SIZE_SHIFT } from "./layout";
import { NUMBER_MASK } from "./array";
import { Lane, refer } from "./lane";

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
  return reference + ((reference >> REFERENCE_SIZE_SHIFT) & 7);
}

/** Bits of PAGE_AND_KIND that differ between `first` and any byte of the access `other`. */
// @ts-ignore: decorator
@inline
function differing(first: u64, other: u64): u64 {
  return ((first ^ other) | (first ^ lastByte(other))) & PAGE_AND_KIND;
}

export function replay(from: usize, count: u32): void {
  const end = from + ((<usize>count) << 3);
  let at = from;
  while (at < end) {
    const reference = load<u64>(at);
    const start = at;
    at += 8;
    const page = (reference >> PAGE_4K_SHIFT) & NUMBER_MASK;
    // KIND_FETCH and what is no kind are one.
    const kind = min(<u32>(reference >> REFERENCE_KIND_SHIFT) & 3, <u32>KIND_FETCH);
    if (differing(reference, reference)) {
      referBoth(page, kind);
      continue;
    }
    while (at < end && !differing(reference, load<u64>(at))) at += 8;
    const nrTimes = <u64>((at - start) >> 3);
    for (let i: u32 = 0; i < nrLanes; i++) refer(laneAt(i), page, kind, nrTimes);
  }
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
