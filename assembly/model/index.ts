// The TLB model's exports. A program makes arrays, lanes that lead to them, and then feeds batches;
// counts are read where layout.ts says. Arrays, lanes and routes are linear addresses.

import { TagArray, setPcid } from "./array";
import { createArray as create } from "./create-array";
import { dropPcid as drop } from "./replacement";
import {
  Lane,
  Route,
  addBank as add,
  createLane as newLane,
  dropPages as dropFromLane,
  has as hasIn,
  refer as referTo,
  routeOf as findRoute,
} from "./lane";
import { addWalkCache as addCache, initWalker, setStructures as set } from "./walk";
import {
  addLane,
  references as findReferences,
  replay as replayAll,
  separateInstructions,
} from "./replay";
import { addRule as newRule } from "./rules";
import { createStack as newStack } from "./stack-distances";
import { addStack } from "./stacks";
import { allocate as allocateBytes } from "./memory";
import { INSTRUCTION_BYTES, REGION_BYTES, SIZE_BY_RULES } from "./layout";
import { createTally } from "./tally";

/** Where batches are put. */
export function allocate(nrBytes: u32): usize {
  return allocateBytes(nrBytes);
}

export function createArray(
  nrSets: u32,
  ways: u32,
  indexGroups: u32,
  replacement: u32,
  seed: u32,
  hasShortTags: bool,
  tricks: u32,
): usize {
  return changetype<usize>(
    create(nrSets, ways, indexGroups, replacement, seed, hasShortTags, tricks),
  );
}

/** A lane whose pages have `size`, or SIZE_BY_RULES; it takes part in what is replayed. */
export function createLane(
  size: u32,
  inclusion: u32,
  hasPrefetch: bool,
  memoryCycles: u32,
  tricks: u32,
): usize {
  const lane = newLane(size, inclusion, hasPrefetch, tricks);
  initWalker(lane, memoryCycles);
  if (size == SIZE_BY_RULES) tallyRegions(lane);
  addLane(changetype<usize>(lane));
  return changetype<usize>(lane);
}

/** Has walks tallied by 2M region; returns the tally. */
export function tallyRegions(lane: Lane): usize {
  if (!lane.regions) lane.regions = changetype<usize>(createTally(REGION_BYTES));
  return lane.regions;
}

/** Has walks tallied by instruction; returns the tally. */
export function tallyInstructions(lane: Lane): usize {
  lane.hasStages = false;
  separateInstructions();
  if (!lane.instructions) lane.instructions = changetype<usize>(createTally(INSTRUCTION_BYTES));
  return lane.instructions;
}

/** The next rule of a lane, on 2M regions. `availability`: of 2^32; `delay`: below 0, never. */
export function addRule(
  lane: Lane,
  first: f64,
  last: f64,
  size: u32,
  availability: f64,
  delay: f64,
): void {
  const delayOrNever = delay < 0 ? u64.MAX_VALUE : <u64>delay;
  newRule(lane, <u64>first, <u64>last, size, <u64>availability, delayOrNever);
}

/** Structure caches are arrays, by level: 2 for entries that point to page tables, to 4. */
export function setStructures(lane: Lane, level: u32, array: usize): void {
  set(lane, level, array);
}

/** The next cache that the loads of walks go through. */
export function addWalkCache(lane: Lane, array: usize, cycles: u32): void {
  addCache(lane, array, cycles);
}

/** A kind and a size of a lane. `first`: the array, or 0; shifts lead from a 4K page's number. */
export function setRoute(
  lane: Lane,
  kind: u32,
  size: u32,
  first: usize,
  firstShift: u32,
  firstSpace: u32,
  bankShift: u32,
  bankSpace: u32,
): usize {
  const route = findRoute(lane, kind, size);
  if (size == lane.size && !first) lane.hasStages = false;
  route.size = size;
  route.first = first;
  route.firstShift = firstShift;
  route.firstSpace = firstSpace;
  route.bankShift = bankShift;
  route.bankSpace = bankSpace;
  return changetype<usize>(route);
}

/** The next of the banks that a route's pages are dealt out to. */
export function addBank(route: Route, bank: usize): void {
  add(route, bank);
}

/**
 * A stack of the distances of loads and stores, or of fetches (`kind`: one of them), for pages of
 * `size`; it takes part in what is replayed from now on. At most one for each.
 */
export function createStack(kind: u32, size: u32, depth: u32): usize {
  const stack = newStack(depth);
  addStack(stack, kind, size);
  return changetype<usize>(stack);
}

/** References are those of `pcid` from now on. */
export function switchPcid(pcid: u32): void {
  setPcid(pcid);
}

/** Empties the ways of `array` that have entries of `pcid`. */
export function dropPcid(array: TagArray, pcid: u32): void {
  drop(array, pcid);
}

/** A reference to the page of `size` that the 4K page `page` is in. */
export function refer(lane: Lane, page: f64, kind: u32, size: u32): void {
  referTo(lane, <u64>page, kind, size, 1);
}

/** Whether a reference to the page of `size` that the 4K page `page` is in would need no walk. */
export function has(lane: Lane, page: f64, kind: u32, size: u32): bool {
  return hasIn(lane, <u64>page, kind, size);
}

/** Translations of the 4K pages from `first` to `last`, of `pcid`, leave the lane. */
export function dropPages(lane: Lane, pcid: u32, first: f64, last: f64): void {
  dropFromLane(lane, pcid, <u64>first, <u64>last);
}

/** Where the references that were replayed are counted by kind. */
export function references(): usize {
  return findReferences;
}

/** `count` references at `from`, u64 each. */
export function replay(from: usize, count: u32): void {
  replayAll(from, count);
}
