// The stacks that a trace is fed to: one for a class of kinds (0: loads and stores, 1: fetches) and
// a page size. What is no repeat on pages of one size goes on to the next larger.

import { KIND_FETCH } from "../layout";
import { KINDS, SIZES, SIZE_SHIFT } from "./layout";
import { NUMBER_MASK, keyOf } from "./array";
import { StackDistances, refer } from "./stack-distances";
import { kindOfItem, ofKind } from "./item";

const CLASSES: u32 = 2;
/** By class, then size; 0: there is none. */
const stacks = memory.data(CLASSES * SIZES * sizeof<usize>());
let hasStacks = false;

function classOf(kind: u32): u32 {
  return <u32>(kind == KIND_FETCH);
}

function stackAddress(kindClass: u32, size: u32): usize {
  return stacks + (kindClass * SIZES + size) * sizeof<usize>();
}

function stackOf(kindClass: u32, size: u32): StackDistances {
  return changetype<StackDistances>(load<usize>(stackAddress(kindClass, size)));
}

/** `kind`: any of its class. */
export function addStack(stack: StackDistances, kind: u32, size: u32): void {
  store<usize>(stackAddress(classOf(kind), size), changetype<usize>(stack));
  hasStacks = true;
}

/** A chunk of items (item.ts), of so many references by kind. Each room is for as many keys. */
export function referStacks(
  from: usize,
  end: usize,
  lookups: u64,
  room0: usize,
  room1: usize,
): void {
  if (!hasStacks) return;
  let to0 = room0;
  let to1 = room1;
  for (let at = from; at < end; at += 8) {
    const item = load<u64>(at);
    const key = keyOf(0, item & NUMBER_MASK);
    const kindClass = classOf(kindOfItem(item));
    store<u64>(to0, key);
    to0 += (1 - kindClass) << 3;
    store<u64>(to1, key);
    to1 += kindClass << 3;
  }
  for (let kind: u32 = 0; kind < <u32>KINDS; kind++) {
    addAccesses(classOf(kind), ofKind(lookups, kind));
  }
  referClass(0, room0, to0);
  referClass(1, room1, to1);
}

/** Repeats, too, which keys leave out. */
function addAccesses(kindClass: u32, count: u64): void {
  for (let size: u32 = 0; size < <u32>SIZES; size++) {
    const stack = stackOf(kindClass, size);
    if (changetype<usize>(stack)) stack.accesses += count;
  }
}

function referClass(kindClass: u32, keys: usize, end: usize): void {
  let shift: u64 = 0;
  for (let size: u32 = 0; size < <u32>SIZES; size++, shift += SIZE_SHIFT) {
    const stack = stackOf(kindClass, size);
    if (!changetype<usize>(stack)) continue;
    end = dropRepeats(stack, keys, end, shift);
    shift = 0;
    refer(stack, keys, end);
  }
}

/**
 * Of keys, makes them pages that are `shift` bits shorter, and leaves those that are not the one
 * before. Returns their end.
 */
function dropRepeats(stack: StackDistances, from: usize, end: usize, shift: u64): usize {
  let recent = stack.recent;
  let to = from;
  for (let at = from; at < end; at += 8) {
    const page = load<u64>(at) >> shift;
    store<u64>(to, page);
    to += (<usize>(page != recent)) << 3;
    recent = page;
  }
  stack.recent = recent;
  return to;
}

/** One access to `nrPages` pages of 4K from `page` on. `room`: for one key. */
export function referStacksAcross(page: u64, nrPages: u64, kind: u32, room: usize): void {
  for (let size: u32 = 0; size < <u32>SIZES; size++) {
    const stack = stackOf(classOf(kind), size);
    if (!changetype<usize>(stack)) continue;
    let last: u64 = 0;
    for (let i: u64 = 0; i < nrPages; i++) {
      const current = keyOf(0, (page + i) & NUMBER_MASK) >> (SIZE_SHIFT * size);
      if (current == last) continue;
      last = current;
      stack.accesses++;
      if (current == stack.recent) continue;
      stack.recent = current;
      store<u64>(room, current);
      refer(stack, room, room + 8);
    }
  }
}
