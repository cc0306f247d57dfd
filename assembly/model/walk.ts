// A walk that misses all TLBs: entry loads by level, through structure caches, and what they cost.
// Page numbers are those of 4K pages. Levels count from the leaf: 1 a PTE, 4 a PML4E.

import {
  PAGE_NUMBER_BITS,
  REGION_TOUCHED,
  SIZE_SHIFT,
  TRICK_REPEATS,
  WALK_CACHES_MAX,
} from "./layout";
import { TagArray, keyOf, setOf, tagOf } from "./array";
import { find } from "./find";
import { dropPcid, insert, touch } from "./replacement";
import { allocate } from "./memory";
import { Tally, addWalk, slotOf } from "./tally";

export const TOP_LEVEL: u32 = 4;
/** 8 entries are a line of 64 bytes. */
const LINE_SHIFT: u32 = 3;
/** Of a line's number: the level is above the lines of PTEs. */
const LINE_LEVEL_SHIFT: u32 = PAGE_NUMBER_BITS - LINE_SHIFT;

/** The number of the line that a page's entry of `level` is in. */
export function lineOf(page: u64, level: u32): u64 {
  const line = page >> (SIZE_SHIFT * (level - 1) + LINE_SHIFT);
  return line | ((<u64>level) << LINE_LEVEL_SHIFT);
}

@unmanaged
export class Walker {
  /** By level, from 1 on; 0 is not used. */
  loads0: u64;
  loads1: u64;
  loads2: u64;
  loads3: u64;
  loads4: u64;
  prefetches: u64;
  cycles: u64;
  memoryCycles: u32;
  /** The caches that loads go through: `WalkCache`s, from the nearest on. */
  nrCaches: u32;
  caches: usize;
  /** Structure caches by level: entries that point to tables; 0: there is none. */
  structures0: usize;
  structures1: usize;
  structures2: usize;
  structures3: usize;
  structures4: usize;
  /** `Tally`s of what walks were for, by 2M region and by instruction; 0: nobody asks. */
  regions: usize;
  instructions: usize;
}

@unmanaged
export class WalkCache {
  array: usize;
  cycles: u32;
}

export function initWalker(walker: Walker, memoryCycles: u32): void {
  walker.memoryCycles = memoryCycles;
  walker.caches = allocate(WALK_CACHES_MAX * offsetof<WalkCache>());
}

/** Behind those that are there already. */
export function addWalkCache(walker: Walker, array: usize, cycles: u32): void {
  const cache = walkCacheAt(walker, walker.nrCaches++);
  cache.array = array;
  cache.cycles = cycles;
}

export function walkCacheAt(walker: Walker, i: u32): WalkCache {
  return changetype<WalkCache>(walker.caches + i * offsetof<WalkCache>());
}

function structuresAddress(walker: Walker, level: u32): usize {
  return changetype<usize>(walker) + offsetof<Walker>("structures0") + level * sizeof<usize>();
}

export function setStructures(walker: Walker, level: u32, array: usize): void {
  store<usize>(structuresAddress(walker, level), array);
}

/** Empties the structure caches of what they have of `pcid`. */
export function dropStructures(walker: Walker, pcid: u32): void {
  for (let level: u32 = 2; level <= TOP_LEVEL; level++) {
    const structures = structuresOf(walker, level);
    if (changetype<usize>(structures)) dropPcid(structures, pcid);
  }
}

export function structuresOf(walker: Walker, level: u32): TagArray {
  return changetype<TagArray>(load<usize>(structuresAddress(walker, level)));
}

/** The instruction that refers now, for those who ask. */
let instruction: u64 = 0;

export function setInstruction(address: u64): void {
  instruction = address;
}

/** Walks to the page of `size` (0: 4K) that 4K page `page` lies in, for a reference. */
export function walk(walker: Walker, page: u64, size: u32): void {
  const before = walker.cycles;
  loadEntries(walker, page, size);
  if (walker.regions) tallyRegion(walker, page, size, walker.cycles - before);
  if (!walker.instructions) return;
  addWalk(slotOf(changetype<Tally>(walker.instructions), instruction), walker.cycles - before);
}

export function tallyRegion(walker: Walker, page: u64, size: u32, cycles: u64): void {
  const slot = slotOf(changetype<Tally>(walker.regions), page >> SIZE_SHIFT);
  addWalk(slot, cycles);
  if (size) return;
  const word = slot + ((<usize>((page >> 6) & 7)) << 3);
  store<u64>(word, load<u64>(word, REGION_TOUCHED) | ((<u64>1) << (page & 63)), REGION_TOUCHED);
}

/** The loads of a walk. */
export function loadEntries(walker: Walker, page: u64, size: u32): void {
  const leaf = size + 1;
  for (let level = firstLoad(walker, page, leaf); level >= leaf; level--) {
    loadEntry(walker, page, level);
    const structures = structuresOf(walker, level);
    if (level == leaf || !changetype<usize>(structures)) continue;
    const key = keyOf(level, page >> (SIZE_SHIFT * (level - 1)));
    insert(structures, setOf(structures, key, 0), tagOf(structures, key, 0));
    remember(structures, key);
  }
}

function remember(structures: TagArray, key: u64): void {
  if (structures.tricks & TRICK_REPEATS) structures.recent = key;
}

/** The level below the lowest entry that a structure cache has, which is touched. */
function firstLoad(walker: Walker, page: u64, leaf: u32): u32 {
  for (let level = leaf + 1; level <= TOP_LEVEL; level++) {
    const structures = structuresOf(walker, level);
    if (!changetype<usize>(structures)) continue;
    const key = keyOf(level, page >> (SIZE_SHIFT * (level - 1)));
    if (structures.recent == key) return level - 1;
    const set = setOf(structures, key, 0);
    const way = find(structures, set, tagOf(structures, key, 0));
    if (way < 0) continue;
    touch(structures, set, way);
    remember(structures, key);
    return level - 1;
  }
  return TOP_LEVEL;
}

export function addLoads(walker: Walker, level: u32, count: u32): void {
  const at = changetype<usize>(walker) + (level << 3);
  store<u64>(at, load<u64>(at) + count);
}

function loadEntry(walker: Walker, page: u64, level: u32): void {
  addLoads(walker, level, 1);
  const key = keyOf(0, lineOf(page, level));
  let cost = walker.memoryCycles;
  for (let i: u32 = 0; i < walker.nrCaches; i++) {
    const cache = walkCacheAt(walker, i);
    const array = changetype<TagArray>(cache.array);
    const set = setOf(array, key, 0);
    const tag = tagOf(array, key, 0);
    const way = find(array, set, tag);
    if (way >= 0) {
      touch(array, set, way);
      array.hits++;
      cost = cache.cycles;
      break;
    }
    insert(array, set, tag);
  }
  walker.cycles += cost;
}
