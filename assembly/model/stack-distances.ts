// LRU stack distances (Mattson et al., 1970): of each reference, how many other pages were referred
// to since its page was last. A fully associative LRU TLB of n entries misses where that is n or
// more, so one histogram of distances gives the misses of TLBs of every size.
//
// Each reference takes the next slot (live-slots.ts), and the slot its page had is no longer live:
// the distance is the number of live slots behind that. A hash table leads from a page to its slot:
//
//  an entry: 31…17   16…0
//           +-------+------+
//           | tag   | slot |      tag: bits of the page's hash; all 0: the entry is free
//           +-------+------+
// When slots run out, the `depth` latest pages move to the first slots, and others are forgotten. A
// reference to one of them counts as one to a page that is new, and so does any distance of `depth`
// or more: what is counted does not depend on when slots ran out.

import { STACK_ACCESSES, STACK_DEPTH_MAX, STACK_HISTOGRAM } from "./layout";
import {
  ROW_BYTES,
  SLOT_BITS,
  appendSlot,
  clearSlots,
  liveSlotsFrom,
  rank,
  removeSlot,
} from "./live-slots";
import { allocate } from "./memory";

const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;
/** Slots for each page that is kept when they run out. 4 win no time: tables leave the caches. */
const SLOTS_A_PAGE: u32 = 2;
if (<u32>STACK_DEPTH_MAX * SLOTS_A_PAGE > 1 << SLOT_BITS) ERROR("SLOT_BITS");
const SLOTS_MIN: u32 = 4096;
/** 2^64 divided by the golden ratio: Fibonacci hashing. */
const HASH_FACTOR: u64 = 0x9e3779b97f4a7c15;

/** The histogram lies behind it: distances of 0 to depth − 1, then those beyond and new pages. */
@unmanaged
export class StackDistances {
  /** With repeats, which the histogram does not have. */
  accesses: u64;
  /** The page last referred to; 0: none. */
  recent: u64;
  depth: u32;
  nrLive: u32;
  /** Slots are 1 to `endSlot` − 1, so that no entry in use is 0. */
  nextSlot: u32;
  endSlot: u32;
  slots: usize;
  /** By slot. */
  pages: usize;
  table: usize;
  tableBits: u32;
}
if (offsetof<StackDistances>("accesses") != STACK_ACCESSES) ERROR("STACK_ACCESSES");
if (offsetof<StackDistances>() > <usize>STACK_HISTOGRAM) ERROR("STACK_HISTOGRAM");

/** A power of two. */
function nrSlotsFor(nrPages: u32): u32 {
  return 1 << (32 - clz(max(SLOTS_MIN, nrPages * SLOTS_A_PAGE) - 1));
}

/** Entries: twice the slots. */
function tableBitsFor(nrSlots: u32): u32 {
  return 32 - clz(nrSlots);
}

/** `depth`: 1 to STACK_DEPTH_MAX. */
export function createStack(depth: u32): StackDistances {
  const bytes = <usize>STACK_HISTOGRAM + ((<usize>depth + 1) << 3);
  const stack = changetype<StackDistances>(allocate(bytes));
  const nrSlots = nrSlotsFor(depth);
  stack.depth = depth;
  stack.slots = allocate(ROW_BYTES);
  stack.pages = allocate((<usize>nrSlots) << 3);
  stack.table = allocate(sizeof<u32>() << tableBitsFor(nrSlots));
  restart(stack, 0);
  return stack;
}

/** Begins at the first slot, with as many as `nrPages` need: few, so that they stay in caches. */
function restart(stack: StackDistances, nrPages: u32): void {
  clearSlots(stack.slots, stack.nextSlot);
  stack.nrLive = 0;
  stack.nextSlot = 1;
  stack.endSlot = nrSlotsFor(nrPages);
  stack.tableBits = tableBitsFor(stack.endSlot);
  memory.fill(stack.table, 0, sizeof<u32>() << stack.tableBits);
}

function entryOf(hash: u64, slot: u32): u32 {
  return (<u32>hash & ~SLOT_MASK) | slot;
}

/** Where the entry of `page` is, or goes. */
function find(table: usize, tableBits: u32, pages: usize, page: u64, hash: u64): usize {
  const mask: u32 = (1 << tableBits) - 1;
  let index = <u32>(hash >> (64 - tableBits));
  let at = table + (index << 2);
  for (let entry = load<u32>(at); entry; entry = load<u32>(at)) {
    const slot = entry & SLOT_MASK;
    if (entry == entryOf(hash, slot) && load<u64>(pages + (slot << 3)) == page) break;
    index = (index + 1) & mask;
    at = table + (index << 2);
  }
  return at;
}

/** References to pages (u64, not 0), none of which is the one before it. */
export function refer(stack: StackDistances, from: usize, end: usize): void {
  while (from < end) {
    if (stack.nextSlot == stack.endSlot) renumber(stack);
    const room = stack.endSlot - stack.nextSlot;
    from = referWithin(stack, from, min(end, from + ((<usize>room) << 3)));
  }
}

/** The same, where there are slots for all. Returns `end`. */
function referWithin(stack: StackDistances, from: usize, end: usize): usize {
  const histogram = changetype<usize>(stack) + STACK_HISTOGRAM;
  const depth = stack.depth;
  const slots = stack.slots;
  const pages = stack.pages;
  const table = stack.table;
  const tableBits = stack.tableBits;
  let nrLive = stack.nrLive;
  let nextSlot = stack.nextSlot;
  for (let at = from; at < end; at += 8) {
    const page = load<u64>(at);
    const hash = page * HASH_FACTOR;
    const place = find(table, tableBits, pages, page, hash);
    const entry = load<u32>(place);
    let distance = depth;
    if (entry) {
      const slot = entry & SLOT_MASK;
      distance = min(depth, nrLive - rank(slots, slot));
      removeSlot(slots, slot);
      nrLive--;
    }
    const count = histogram + ((<usize>distance) << 3);
    store<u64>(count, load<u64>(count) + 1);
    store<u32>(place, entryOf(hash, nextSlot));
    store<u64>(pages + (nextSlot << 3), page);
    appendSlot(slots, nextSlot++, nrLive++);
  }
  stack.nrLive = nrLive;
  stack.nextSlot = nextSlot;
  return end;
}

/** The latest pages are moved to the first slots, in their order. */
function renumber(stack: StackDistances): void {
  const pages = stack.pages;
  const first = pages + sizeof<u64>();
  let nrForgotten = max<i32>(0, stack.nrLive - stack.depth);
  let end = first;
  for (let slot: u32 = 0; slot < stack.nextSlot; slot += 64) {
    for (let live = liveSlotsFrom(stack.slots, slot); live; live &= live - 1) {
      if (nrForgotten-- > 0) continue;
      store<u64>(end, load<u64>(pages + ((slot + <u32>ctz(live)) << 3)));
      end += sizeof<u64>();
    }
  }
  restart(stack, <u32>((end - first) >> 3));
  referWithin(stack, first, end);
  const beyond = changetype<usize>(stack) + STACK_HISTOGRAM + (stack.depth << 3);
  store<u64>(beyond, load<u64>(beyond) - stack.nrLive);
}
