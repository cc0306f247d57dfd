// One set of many ways that leave in the order of their use (lru) or filling (fifo): it is a log of
// what was touched, in turn. Touching writes an entry behind the others and makes the one it had
// dead; who leaves is the first one alive. Entries are found by hash: a bucket has the place of the
// last one with its hash, and each entry the place of the one before it. Places only grow, so that
// one below `tail` is known to have left, and nobody takes it out of its chain. (A miss of 32 ways
// takes 3.2 ns; with a ring of linked ways, which have to leave their chains, it took 13.)
//
//        0      4      8      16          + 4 × buckets
//        +------+------+------+-----------+---------------------------+
//        | tail | head | live | buckets[] | tag u64, before u32, 0 [] |  a ring of entries
//        +------+------+------+-----------+---------------------------+
// A dead entry has tag 0. When the ring is full of them, those alive are written again.

import { TagArray } from "./array";

const TAIL: usize = 0;
const HEAD: usize = 4;
const LIVE: usize = 8;
const BUCKETS: usize = 16;
const BUCKET_BYTES: u32 = 4;
/** Places count bytes of entries. */
export const ENTRY_BYTES: u32 = 16;
const BEFORE: usize = 8;
/** 2^32 over the golden ratio. */
const SPREAD: u32 = 0x9e3779b1;
/** Of that product: those below are alike for many tags. */
const HASH_SHIFT: u32 = 14;
/** Entries for each way, at least: the more there are, the more seldom they are written again. */
const ENTRIES_PER_WAY_BITS: u32 = 3;
/** Then places are made low again. */
const PLACES_END: u32 = 1 << 30;

/** Bytes of so many buckets that most have no way. */
function bucketBytes(ways: u32): u32 {
  return BUCKET_BYTES << (38 - clz(ways));
}

function ringBytes(ways: u32): u32 {
  return ENTRY_BYTES << (32 - clz(ways - 1) + ENTRIES_PER_WAY_BITS);
}

export function logBytes(ways: u32): u32 {
  return <u32>BUCKETS + bucketBytes(ways) + ringBytes(ways);
}

export function initLog(array: TagArray, set: usize): void {
  array.bucketMask = bucketBytes(array.ways) - BUCKET_BYTES;
  array.ringBytes = ringBytes(array.ways);
  setEnds(set, array.ringBytes, array.ringBytes, 0);
}

// What a loop over a set has in registers; it puts it back.

// @ts-ignore: decorator
@inline
export function tailOf(set: usize): u32 {
  return load<u32>(set, TAIL);
}
// @ts-ignore: decorator
@inline
export function headOf(set: usize): u32 {
  return load<u32>(set, HEAD);
}
// @ts-ignore: decorator
@inline
export function liveOf(set: usize): u32 {
  return load<u32>(set, LIVE);
}
// @ts-ignore: decorator
@inline
export function setEnds(set: usize, tail: u32, head: u32, live: u32): void {
  store<u32>(set, tail, TAIL);
  store<u32>(set, head, HEAD);
  store<u32>(set, live, LIVE);
}

// @ts-ignore: decorator
@inline
export function ringOf(array: TagArray, set: usize): usize {
  return set + BUCKETS + bucketBytes(array.ways);
}

// @ts-ignore: decorator
@inline
export function bucketsOf(set: usize): usize {
  return set + BUCKETS;
}

// @ts-ignore: decorator
@inline
export function bucketOf(buckets: usize, mask: u32, tag: u64): usize {
  return buckets + (((<u32>tag * SPREAD) >> HASH_SHIFT) & mask);
}

/** Of a ring of `mask` + 1 bytes. */
// @ts-ignore: decorator
@inline
export function entryAt(ring: usize, mask: u32, place: u32): usize {
  return ring + (place & mask);
}

/** Where, from `link` on, the place of `tag` is written, or one below `tail`. */
// @ts-ignore: decorator
@inline
function linkTo(ring: usize, mask: u32, link: usize, tail: u32, tag: u64): usize {
  let place = load<u32>(link);
  while (place >= tail) {
    const entry = entryAt(ring, mask, place);
    if (load<u64>(entry) == tag) break;
    link = entry + BEFORE;
    place = load<u32>(link);
  }
  return link;
}

/** Makes an entry dead; returns the place of the one before it in its chain. */
// @ts-ignore: decorator
@inline
export function bury(entry: usize): u32 {
  store<u64>(entry, 0);
  return load<u32>(entry, BEFORE);
}

/** Writes an entry: the last one of its bucket. */
// @ts-ignore: decorator
@inline
export function write(
  ring: usize,
  mask: u32,
  place: u32,
  tag: u64,
  bucket: usize,
  before: u32,
): void {
  const entry = entryAt(ring, mask, place);
  store<u64>(entry, tag);
  store<u32>(entry, before, BEFORE);
  store<u32>(bucket, place);
}

/** The place behind the first one alive. */
// @ts-ignore: decorator
@inline
export function behindFirst(ring: usize, mask: u32, tail: u32): u32 {
  while (!load<u64>(entryAt(ring, mask, tail))) tail += ENTRY_BYTES;
  return tail + ENTRY_BYTES;
}

/** Makes room for an entry. */
export function makeRoom(array: TagArray, set: usize): void {
  if (headOf(set) >= PLACES_END) {
    // Places stay where they are in the ring.
    memory.fill(set + BUCKETS, 0, bucketBytes(array.ways));
    const lower = (headOf(set) & (array.ringBytes - 1)) + (array.ringBytes << 1);
    rewrite(array, set, lower - (headOf(set) - tailOf(set)));
  }
  if (headOf(set) - tailOf(set) == array.ringBytes) rewrite(array, set, headOf(set));
}

/** Writes those alive again, from `place` on: its entry is the first one, or one before. */
function rewrite(array: TagArray, set: usize, place: u32): void {
  const ring = ringOf(array, set);
  const mask = array.ringBytes - 1;
  const end = headOf(set);
  let from = tailOf(set);
  store<u32>(set, place, TAIL);
  for (; from < end; from += ENTRY_BYTES) {
    const tag = load<u64>(entryAt(ring, mask, from));
    if (!tag) continue;
    const bucket = bucketOf(bucketsOf(set), array.bucketMask, tag);
    write(ring, mask, place, tag, bucket, load<u32>(bucket));
    place += ENTRY_BYTES;
  }
  store<u32>(set, place, HEAD);
}

// Entries one at a time, numbered from the first that may be alive.

export function nrEntries(set: usize): u32 {
  return (headOf(set) - tailOf(set)) / ENTRY_BYTES;
}

/** 0: it is dead. */
export function entryTag(array: TagArray, set: usize, i: u32): u64 {
  const place = tailOf(set) + i * ENTRY_BYTES;
  return load<u64>(entryAt(ringOf(array, set), array.ringBytes - 1, place));
}

/** The number of the entry that has `tag`, or −1. */
export function findInLog(array: TagArray, set: usize, tag: u64): i32 {
  const place = load<u32>(findLink(array, set, tag));
  return place < tailOf(set) ? -1 : (place - tailOf(set)) / ENTRY_BYTES;
}

function findLink(array: TagArray, set: usize, tag: u64): usize {
  const bucket = bucketOf(bucketsOf(set), array.bucketMask, tag);
  return linkTo(ringOf(array, set), array.ringBytes - 1, bucket, tailOf(set), tag);
}

/** Writes `tag`, which is dead or not in the log; returns the tag that leaves for it, or 0. */
export function writeToLog(array: TagArray, set: usize, tag: u64): u64 {
  makeRoom(array, set);
  const ring = ringOf(array, set);
  const mask = array.ringBytes - 1;
  const head = headOf(set);
  let tail = tailOf(set);
  let live = liveOf(set) + 1;
  let evicted: u64 = 0;
  if (live > array.ways) {
    live--;
    tail = behindFirst(ring, mask, tail);
    evicted = load<u64>(entryAt(ring, mask, tail - ENTRY_BYTES));
  }
  const bucket = bucketOf(bucketsOf(set), array.bucketMask, tag);
  write(ring, mask, head, tag, bucket, load<u32>(bucket));
  setEnds(set, tail, head + ENTRY_BYTES, live);
  return evicted;
}

/** The entry numbered `i` is dead. */
export function buryEntry(array: TagArray, set: usize, i: u32): void {
  const link = findLink(array, set, entryTag(array, set, i));
  store<u32>(link, bury(entryAt(ringOf(array, set), array.ringBytes - 1, load<u32>(link))));
  setEnds(set, tailOf(set), headOf(set), liveOf(set) - 1);
}
