// A batch of a trace's words (src/trace/reference.ts), through all lanes. Of an address the low 48
// bits count. An access that reaches into further pages refers to each.

import {
  KIND_FETCH,
  REFERENCE_ADDRESS_BITS,
  REFERENCE_KIND_SHIFT,
  REFERENCE_SIZE_SHIFT,
} from "../layout";
import {
  CONTROL_IP,
  CONTROL_INVALIDATE,
  CONTROL_SIZE,
  KINDS,
  KIND_CONTROL,
  LANES_MAX,
  PAGE_4K_SHIFT,
  SIZE_BY_RULES,
  SIZE_SHIFT,
} from "./layout";
import { NUMBER_MASK, currentPcid } from "./array";
import { CHUNK, PLACE_SHIFT, countOfKind, itemOf, kindOfItem, ofKind, placeOfItem } from "./item";
import { Lane, dropAll, dropPages, refer, routeOf } from "./lane";
import { allocate } from "./memory";
import { counts, endOfItems, nrTaken, takePlain } from "./plain";
import { referByRules, sizeOf } from "./rules";
import { referStacks, referStacksAcross } from "./stacks";
import { stages } from "./stages";
import { setInstruction } from "./walk";

const lanes = memory.data(LANES_MAX * sizeof<usize>());
let nrLanes: u32 = 0;
const VALUE_MASK: u64 = ((<u64>1) << REFERENCE_ADDRESS_BITS) - 1;
const ADDRESS_MASK: u64 = (NUMBER_MASK << PAGE_4K_SHIFT) | ((1 << PAGE_4K_SHIFT) - 1);
/** In the place of one: its kind is that of none. */
const NO_REFERENCE: u64 = u64.MAX_VALUE;
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

/**
 * Items, and a last one that has the place behind them; the instruction of each, if any lane asks
 * for it, lies INSTRUCTIONS bytes behind it.
 */
const INSTRUCTIONS: usize = <usize>(CHUNK + 1) << 3;
const items = allocate(INSTRUCTIONS << 1);
/** Room for stacks' keys, of two classes. */
const keys = allocate(CHUNK << 4);

/** References so far, by kind, u64 each; a large one is one. */
export const references: usize = allocate(KINDS << 3);
const NO_INSTRUCTION: u64 = u64.MAX_VALUE;
/** What controls have said of the next reference; 0 and NO_INSTRUCTION: nothing. */
let nrBytes: u64 = 0;
let instruction: u64 = NO_INSTRUCTION;
/** The last instruction that was fetched. */
let fetched: u64 = 0;
/** Whether any lane asks for the instruction of each reference. */
let tellsInstructions = false;

export function separateInstructions(): void {
  tellsInstructions = true;
}

export function replay(from: usize, count: u32): void {
  const end = from + ((<usize>count) << 3);
  while (from < end) from = replayChunk(from, min(end, from + (CHUNK << 3)));
}

/**
 * Up to the first access that reaches into another page, or the first invalidation, and that one.
 * Returns where it stopped.
 */
function replayChunk(from: usize, end: usize): usize {
  let to = items;
  let at = from;
  let reference: u64 = 0;
  let previous = NO_REFERENCE;
  let place: u64 = 0;
  let lookups: u64 = 0;
  while (at < end) {
    if (at > from && !tellsInstructions && !nrBytes) {
      at = takePlain(at, end, to, place);
      to = endOfItems;
      place += nrTaken;
      lookups += counts;
      if (at == end) break;
      previous = load<u64>(at - 8);
    }
    reference = load<u64>(at);
    const kind = kindOf(reference);
    if (kind == KIND_CONTROL) {
      if (isInvalidation(reference)) break;
      takeControl(reference);
      previous = reference;
      at += 8;
      continue;
    }
    if (differing(reference, reference) || nrBytes) break;
    // A control has a kind of its own, so a reference behind it is a new item.
    if (differing(previous, reference)) {
      store<u64>(to, itemOf(reference, place));
      if (tellsInstructions) {
        previous = isByItself(kind) ? NO_REFERENCE : reference;
        store<u64>(to, takeInstruction(kind, reference), INSTRUCTIONS);
      } else previous = reference;
      to += 8;
    }
    lookups += countOfKind(kind, 1);
    place++;
    at += 8;
  }
  store<u64>(to, place << PLACE_SHIFT);
  const time = nrReferences();
  for (let i: u32 = 0; i < nrLanes; i++) replayLane(laneAt(i), to, lookups, time);
  referStacks(items, to, lookups, keys, keys + (CHUNK << 3));
  for (let kind: u32 = 0; kind < <u32>KINDS; kind++) addReferences(kind, ofKind(lookups, kind));
  if (at == end) return end;
  if (kindOf(reference) == KIND_CONTROL) invalidate(reference);
  else referSpan(reference);
  return at + 8;
}

function addReferences(kind: u32, count: u64): void {
  const at = references + (kind << 3);
  store<u64>(at, load<u64>(at) + count);
}

function nrReferences(): u64 {
  return load<u64>(references) + load<u64>(references, 8) + load<u64>(references, 16);
}

function takeControl(word: u64): void {
  const control = <u32>(word >> REFERENCE_SIZE_SHIFT);
  if (control == CONTROL_SIZE) nrBytes = word & VALUE_MASK;
  else if (control == CONTROL_IP) instruction = word & ADDRESS_MASK;
}

// @ts-ignore: decorator
@inline
function isInvalidation(word: u64): bool {
  return <u32>(word >> REFERENCE_SIZE_SHIFT) - CONTROL_INVALIDATE <= 1;
}

function invalidate(word: u64): void {
  const isOfBytes = <u32>(word >> REFERENCE_SIZE_SHIFT) == CONTROL_INVALIDATE;
  const first = pageOf(word);
  const last = ((word & ADDRESS_MASK) + max<u64>(1, nrBytes) - 1) >> PAGE_4K_SHIFT;
  nrBytes = 0;
  for (let i: u32 = 0; i < nrLanes; i++) {
    if (isOfBytes) dropPages(laneAt(i), currentPcid(), first, min(last, NUMBER_MASK));
    else dropAll(laneAt(i));
  }
}

/** Whether the reference after a next one may be of another instruction. */
// @ts-ignore: decorator
@inline
function isByItself(kind: u32): bool {
  return kind == KIND_FETCH || instruction != NO_INSTRUCTION;
}

/** The instruction of a reference, and of those to the same page behind it, unless `isByItself`. */
// @ts-ignore: decorator
@inline
function takeInstruction(kind: u32, reference: u64): u64 {
  if (kind == KIND_FETCH) fetched = reference & ADDRESS_MASK;
  const taken = kind == KIND_FETCH || instruction == NO_INSTRUCTION ? fetched : instruction;
  instruction = NO_INSTRUCTION;
  return taken;
}

function replayLane(lane: Lane, end: usize, lookups: u64, time: u64): void {
  if (!lane.hasStages) {
    referAll(lane, end, time);
    return;
  }
  for (let kind: u32 = 0; kind < <u32>KINDS; kind++) {
    routeOf(lane, kind, lane.size).lookups += ofKind(lookups, kind);
  }
  stages(lane, items, end, lookups);
}

/** All levels at once, reference by reference. */
function referAll(lane: Lane, end: usize, time: u64): void {
  for (let at = items; at < end; at += 8) {
    const item = load<u64>(at);
    const nrTimes = placeOfItem(load<u64>(at, 8)) - placeOfItem(item);
    setInstruction(load<u64>(at, INSTRUCTIONS));
    referTimes(lane, item & NUMBER_MASK, kindOfItem(item), nrTimes, time);
    time += nrTimes;
  }
}

function referTimes(lane: Lane, page: u64, kind: u32, nrTimes: u64, time: u64): void {
  if (lane.size == SIZE_BY_RULES) referByRules(lane, page, kind, nrTimes, time);
  else refer(lane, page, kind, lane.size, nrTimes);
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

/** An access that may reach into further pages. */
function referSpan(reference: u64): void {
  const kind = kindOf(reference);
  const size = nrBytes ? nrBytes : (reference >> REFERENCE_SIZE_SHIFT) + 1;
  nrBytes = 0;
  setInstruction(takeInstruction(kind, reference));
  const time = nrReferences();
  const page = pageOf(reference);
  const nrFurther = (((reference & ADDRESS_MASK) + size - 1) >> PAGE_4K_SHIFT) - page;
  for (let i: u32 = 0; i < nrLanes; i++) {
    const lane = laneAt(i);
    referTimes(lane, page, kind, 1, time);
    for (let further: u64 = 1; further <= nrFurther; further++) {
      const next = (page + further) & NUMBER_MASK;
      const shift = SIZE_SHIFT * sizeOf(lane, next, time);
      const isInside = (next & (((<u64>1) << shift) - 1)) != 0;
      if (!isInside) referTimes(lane, next, kind, 1, time);
    }
  }
  referStacksAcross(page, nrFurther + 1, kind, keys);
  addReferences(kind, 1);
}
