// A batch level by level: what misses the first level is the batch of the second, and what misses
// that is walked. It counts what `refer` counts, because without inclusion no level takes from one
// before it. Of a walk, too: each structure cache is asked for what those below it have not, and
// each cache that loads go through for what those before it have not.

import { KINDS, SIZE_SHIFT } from "./layout";
import { NUMBER_MASK, TagArray, keyOf } from "./array";
import { Placement, filter } from "./filter";
import { CHUNK, PLACE_SHIFT, countOfKind, kindOfItem, ofKind } from "./item";
import { Lane, routeOf } from "./lane";
import { allocate } from "./memory";
import { throughArrays } from "./streams";
import { TOP_LEVEL, addLoads, lineOf, structuresOf, tallyRegion, walkCacheAt } from "./walk";

/** What is missed, level by level: in the end what is walked to. */
const misses = allocate(CHUNK << 3);
/** Walks that are not found in structure caches so far, where all are needed later. */
const left = allocate(CHUNK << 3);
/** Of each walk, the level of its first load, and what its loads cost. */
const levels = allocate(CHUNK);
const costs = allocate(CHUNK << 2);
const loads = allocate((CHUNK * TOP_LEVEL) << 3);

/** The items from `from` on, so many of each kind, through all levels. */
export function stages(lane: Lane, from: usize, end: usize, kinds: u64): void {
  const endOfMisses = throughArrays(lane, bitsOf(kinds), true, from, end, misses);
  const missed = countKinds(misses, endOfMisses, kinds);
  const endOfWalks = throughArrays(lane, bitsOf(missed), false, misses, endOfMisses, misses);
  const walked = countKinds(misses, endOfWalks, missed);
  for (let kind: u32 = 0; kind < <u32>KINDS; kind++) {
    const route = routeOf(lane, kind, lane.size);
    route.firstMisses += ofKind(missed, kind);
    route.walks += ofKind(walked, kind);
  }
  walkAll(lane, endOfWalks);
}

const placement = changetype<Placement>(memory.data(offsetof<Placement>()));

/** In the arrays of walks, which no banks share. */
function place(space: u64, mask: u64, shift: u64): void {
  placement.space = space;
  placement.mask = mask;
  placement.shift = shift;
}

/** Those of which there are any, a bit each. */
function bitsOf(kinds: u64): u32 {
  let bits: u32 = 0;
  for (let kind: u32 = 0; kind < <u32>KINDS; kind++) bits |= u32(ofKind(kinds, kind) != 0) << kind;
  return bits;
}

/** How many items there are of each kind in `among`. */
function countKinds(from: usize, end: usize, among: u64): u64 {
  for (let kind: u32 = 0; kind < <u32>KINDS; kind++) {
    const ofThis = countOfKind(kind, ofKind(among, kind));
    if (among == ofThis) return countOfKind(kind, <u64>((end - from) >> 3));
  }
  let counts: u64 = 0;
  for (let at = from; at < end; at += 8) counts += countOfKind(kindOfItem(load<u64>(at)), 1);
  return counts;
}

function walkAll(lane: Lane, end: usize): void {
  const count = <u32>((end - misses) >> 3);
  if (!count) return;
  const leaf = lane.size + 1;
  const hasCosts = lane.nrCaches != 0 || lane.regions != 0;
  if (hasCosts) placeWalks(leaf, end);
  addLoads(lane, leaf, count);
  let nrLoads = count;
  const to = hasCosts ? left : misses;
  let from = misses;
  let endOfLeft = end;
  for (let level = leaf + 1; level <= TOP_LEVEL; level++) {
    const structures = structuresOf(lane, level);
    if (changetype<usize>(structures)) {
      place(keyOf(level, 0), NUMBER_MASK, SIZE_SHIFT * (level - 1));
      endOfLeft = filter(structures, placement, from, endOfLeft, to);
      from = to;
    }
    const nrLeft = <u32>((endOfLeft - from) >> 3);
    addLoads(lane, level, nrLeft);
    nrLoads += nrLeft;
    if (!hasCosts) continue;
    for (let at = from; at < endOfLeft; at += 8) {
      store<u8>(levels + <usize>(load<u64>(at) >> PLACE_SHIFT), <u8>level);
    }
  }
  if (lane.nrCaches) loadAll(lane, leaf, count);
  else lane.cycles += <u64>nrLoads * lane.memoryCycles;
  if (lane.regions) tallyAll(lane, leaf, count);
}

/** Walks know their place, and load what is on the leaf's level at least. */
function placeWalks(leaf: u32, end: usize): void {
  let place: u64 = 0;
  for (let at = misses; at < end; at += 8) {
    store<u64>(at, (load<u64>(at) & ((1 << PLACE_SHIFT) - 1)) | (place << PLACE_SHIFT));
    place++;
  }
  memory.fill(levels, <u8>leaf, <usize>place);
}

//  a load:  63…48   47…36   35……0
//          +------+-------+------+
//          | walk |   0   | line |  in turn
//          +------+-------+------+

/** All entry loads, in turn, through the caches. */
function loadAll(lane: Lane, leaf: u32, count: u32): void {
  let end = loads;
  for (let i: u32 = 0; i < count; i++) {
    const page = load<u64>(misses + ((<usize>i) << 3)) & NUMBER_MASK;
    for (let level = <u32>load<u8>(levels + i); level >= leaf; level--) {
      store<u64>(end, lineOf(page, level) | ((<u64>i) << PLACE_SHIFT));
      end += 8;
    }
  }
  if (lane.regions) memory.fill(costs, 0, (<usize>count) << 2);
  let before: u32 = 0;
  for (let i: u32 = 0; i <= lane.nrCaches; i++) {
    const cycles = i < lane.nrCaches ? walkCacheAt(lane, i).cycles : lane.memoryCycles;
    addCosts(lane, cycles - before, end);
    before = cycles;
    if (i == lane.nrCaches) break;
    place(keyOf(0, 0), NUMBER_MASK, 0);
    end = filter(changetype<TagArray>(walkCacheAt(lane, i).array), placement, loads, end, loads);
  }
}

/** What each load that is left costs more than was thought. */
function addCosts(lane: Lane, more: i32, end: usize): void {
  lane.cycles += <u64>(<i64>((end - loads) >> 3) * more);
  if (!lane.regions) return;
  for (let at = loads; at < end; at += 8) {
    const cost = costs + ((<usize>(load<u64>(at) >> PLACE_SHIFT)) << 2);
    store<i32>(cost, load<i32>(cost) + more);
  }
}

function tallyAll(lane: Lane, leaf: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const page = load<u64>(misses + ((<usize>i) << 3)) & NUMBER_MASK;
    const cost = lane.nrCaches
      ? load<u32>(costs + (i << 2))
      : (<u32>load<u8>(levels + i) - leaf + 1) * lane.memoryCycles;
    tallyRegion(lane, page, lane.size, cost);
  }
}
