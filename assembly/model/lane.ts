// A lane: one TLB of its own, in which all pages have one size, or rules say which (rules.ts). All
// lanes see the same references.
// What a look-up fills, and in which order, is said in src/tlb/config.ts.
// `page` is the number of a 4K page; numbers in keys (array.ts) are those of the array.

import {
  COUNT_FIRST_MISSES,
  COUNT_LOADS,
  COUNT_LOOKUPS,
  COUNT_PREFETCHES,
  COUNT_WALKS,
  COUNT_WALK_CYCLES,
  INCLUSION_EXCLUSIVE,
  INCLUSION_INCLUSIVE,
  INCLUSION_NONE,
  KINDS,
  SIZES,
  SIZE_BY_RULES,
  SIZE_SHIFT,
  TRICK_REPEATS,
  TRICK_SIMD,
  TRICK_STAGES,
} from "./layout";
import {
  ANY_PCID,
  NUMBER_MASK,
  TagArray,
  currentPcid,
  keyFor,
  keyOf,
  setOf,
  spaceOf,
  tagOf,
  untag,
} from "./array";
import { find } from "./find";
import { dropNumbers, dropPcid, empty, insert, touch } from "./replacement";
import { Walker, dropStructures, loadEntries, walk } from "./walk";
import { allocate } from "./memory";

/** For a kind and a size: counts, then where its pages are kept. */
@unmanaged
export class Route {
  lookups: u64;
  firstMisses: u64;
  walks: u64;
  size: u32;
  /** 0: no first-level array serves it. */
  first: usize;
  /** From the number of a 4K page to the array's; and the size its pages are kept as. */
  firstShift: u32;
  firstSpace: u32;
  /** The same of all banks. */
  bankShift: u32;
  bankSpace: u32;
  nrBanks: u32;
  /** Its log2. */
  dealShift: u32;
  bank0: usize;
  bank1: usize;
  bank2: usize;
  bank3: usize;
}
const ROUTE_SHIFT: u32 = 7;
if (offsetof<Route>() > 1 << ROUTE_SHIFT) ERROR("ROUTE_SHIFT");
if (offsetof<Route>("lookups") != COUNT_LOOKUPS) ERROR("COUNT_LOOKUPS");
if (offsetof<Route>("firstMisses") != COUNT_FIRST_MISSES) ERROR("COUNT_FIRST_MISSES");
if (offsetof<Route>("walks") != COUNT_WALKS) ERROR("COUNT_WALKS");

/** Routes lie behind it, by size, then kind. */
@unmanaged
export class Lane extends Walker {
  /** Of all pages, or SIZE_BY_RULES. */
  size: u32;
  /** What rules there are, in turn. */
  rules: usize;
  nrRules: u32;
  inclusion: u32;
  /** Whether a walk is followed by one for the next page. */
  hasPrefetch: bool;
  skipsRepeats: bool;
  /** Whether levels can be done one after another (stages.ts). */
  hasStages: bool;
}
const ROUTES: usize = 128;
if (offsetof<Lane>() > ROUTES) ERROR("ROUTES");
if (offsetof<Lane>("loads0") != COUNT_LOADS) ERROR("COUNT_LOADS");
if (offsetof<Lane>("prefetches") != COUNT_PREFETCHES) ERROR("COUNT_PREFETCHES");
if (offsetof<Lane>("cycles") != COUNT_WALK_CYCLES) ERROR("COUNT_WALK_CYCLES");

export function createLane(size: u32, inclusion: u32, hasPrefetch: bool, tricks: u32): Lane {
  const lane = changetype<Lane>(allocate(ROUTES + ((KINDS * SIZES) << ROUTE_SHIFT)));
  lane.size = size;
  lane.inclusion = inclusion;
  lane.hasPrefetch = hasPrefetch;
  lane.skipsRepeats = (tricks & TRICK_REPEATS) != 0;
  const all = TRICK_REPEATS | TRICK_SIMD | TRICK_STAGES;
  lane.hasStages =
    inclusion == INCLUSION_NONE &&
    !hasPrefetch &&
    (tricks & all) == all &&
    size != SIZE_BY_RULES;
  return lane;
}

// @ts-ignore: decorator
@inline
export function routeOf(lane: Lane, kind: u32, size: u32): Route {
  const index = size * KINDS + kind;
  return changetype<Route>(changetype<usize>(lane) + ROUTES + (index << ROUTE_SHIFT));
}

/** `index` is below 4. */
// @ts-ignore: decorator
@inline
function bankAddress(route: Route, index: u32): usize {
  return changetype<usize>(route) + offsetof<Route>("bank0") + index * sizeof<usize>();
}

// @ts-ignore: decorator
@inline
export function bankOf(route: Route, number: u64): TagArray {
  return bankAt(route, <u32>number & (route.nrBanks - 1));
}

/** `index` is below `route.nrBanks`. */
// @ts-ignore: decorator
@inline
export function bankAt(route: Route, index: u32): TagArray {
  return changetype<TagArray>(load<usize>(bankAddress(route, index)));
}

/** Behind those that are there already. */
export function addBank(route: Route, bank: usize): void {
  store<usize>(bankAddress(route, route.nrBanks++), bank);
  route.dealShift = 31 - clz(route.nrBanks);
}

/** `nrTimes` references, one after another, to `page`, which has `size`. */
export function refer(lane: Lane, page: u64, kind: u32, size: u32, nrTimes: u64): void {
  const route = routeOf(lane, kind, size);
  route.lookups += nrTimes;
  if (!route.first) {
    for (; nrTimes; nrTimes--) {
      if (!referSecond(lane, route, page)) prefetch(lane, route, page);
    }
    return;
  }
  const first = changetype<TagArray>(route.first);
  const key = keyOf(route.firstSpace, page >> route.firstShift);
  for (; nrTimes; nrTimes--) {
    if (first.recent == key) return;
    if (lane.skipsRepeats) first.recent = key;
    const set = setOf(first, key, 0);
    const tag = tagOf(first, key, 0);
    const way = find(first, set, tag);
    if (way >= 0) touch(first, set, way);
    else fillFirst(lane, route, first, set, tag, page, kind);
  }
}

function fillFirst(
  lane: Lane,
  route: Route,
  first: TagArray,
  set: usize,
  tag: u64,
  page: u64,
  kind: u32,
): void {
  route.firstMisses++;
  const isHit = referSecond(lane, route, page);
  const evicted = insert(first, set, tag);
  if (evicted && lane.inclusion == INCLUSION_EXCLUSIVE) {
    giveToBank(lane, untag(first, set, evicted, 0, 0), kind);
  }
  if (!isHit) prefetch(lane, route, page);
}

/** Whether the second level has it; else it is walked. */
function referSecond(lane: Lane, route: Route, page: u64): bool {
  if (!route.nrBanks) {
    route.walks++;
    walk(lane, page, route.size);
    return false;
  }
  const number = page >> route.bankShift;
  const bank = bankOf(route, number);
  const key = keyOf(route.bankSpace, number);
  const set = setOf(bank, key, route.dealShift);
  const tag = tagOf(bank, key, route.dealShift);
  const way = find(bank, set, tag);
  const isExclusive = lane.inclusion == INCLUSION_EXCLUSIVE && route.first != 0;
  if (way >= 0) {
    bank.hits++;
    if (isExclusive) empty(bank, set, way);
    else touch(bank, set, way);
    return true;
  }
  bank.misses++;
  route.walks++;
  walk(lane, page, route.size);
  if (!isExclusive) fillBank(lane, bank, set, tag);
  return false;
}

// @ts-ignore: decorator
@inline
function fillBank(lane: Lane, bank: TagArray, set: usize, tag: u64): void {
  const evicted = insert(bank, set, tag);
  if (evicted && lane.inclusion == INCLUSION_INCLUSIVE) {
    dropFromFirst(lane, bank, set, evicted);
  }
}

/** Walks to the page after `page`, for its bank. */
function prefetch(lane: Lane, route: Route, page: u64): void {
  if (lane.hasPrefetch && route.nrBanks) prefetchPage(lane, route, page);
}

function prefetchPage(lane: Lane, route: Route, page: u64): void {
  const next = (page + ((<u64>1) << (SIZE_SHIFT * route.size))) & NUMBER_MASK;
  const number = next >> route.bankShift;
  const bank = bankOf(route, number);
  const key = keyOf(route.bankSpace, number);
  const set = setOf(bank, key, route.dealShift);
  const tag = tagOf(bank, key, route.dealShift);
  if (find(bank, set, tag) >= 0) return;
  lane.prefetches++;
  loadEntries(lane, next, route.size);
  fillBank(lane, bank, set, tag);
}

// Where keys go from level to level, both have the same (src/tlb/check.ts).

/** Exclusive: what the first level evicts. */
function giveToBank(lane: Lane, key: u64, kind: u32): void {
  const route = routeOf(lane, kind, spaceOf(key));
  if (!route.nrBanks) return;
  const bank = bankOf(route, key);
  const set = setOf(bank, key, route.dealShift);
  const tag = tagOf(bank, key, route.dealShift);
  const way = find(bank, set, tag);
  if (way >= 0) touch(bank, set, way);
  else insert(bank, set, tag);
}

/** Inclusive: what a bank evicts from a set. */
function dropFromFirst(lane: Lane, bank: TagArray, set: usize, tag: u64): void {
  for (let kind: u32 = 0; kind < <u32>KINDS; kind++) {
    const route = routeOf(lane, kind, spaceOf(tag));
    if (!route.first) continue;
    const index = indexOfBank(route, bank);
    if (index < 0) continue;
    drop(changetype<TagArray>(route.first), untag(bank, set, tag, route.dealShift, index), 0);
  }
}

/** Which of a route's banks it is, or −1. */
function indexOfBank(route: Route, bank: TagArray): i32 {
  for (let i: u32 = 0; i < route.nrBanks; i++) {
    if (load<usize>(bankAddress(route, i)) == changetype<usize>(bank)) return i;
  }
  return -1;
}

function drop(array: TagArray, key: u64, dealShift: u32): void {
  const set = setOf(array, key, dealShift);
  const way = find(array, set, tagOf(array, key, dealShift));
  if (way >= 0) empty(array, set, way);
}

/** Whether a reference would need no walk. Nothing is touched. */
export function has(lane: Lane, page: u64, kind: u32, size: u32): bool {
  const route = routeOf(lane, kind, size);
  if (route.first) {
    const first = changetype<TagArray>(route.first);
    if (isIn(first, keyOf(route.firstSpace, page >> route.firstShift), 0)) return true;
  }
  if (!route.nrBanks) return false;
  const number = page >> route.bankShift;
  return isIn(bankOf(route, number), keyOf(route.bankSpace, number), route.dealShift);
}

function isIn(array: TagArray, key: u64, dealShift: u32): bool {
  return find(array, setOf(array, key, dealShift), tagOf(array, key, dealShift)) >= 0;
}

/** INVLPG: of `pcid`, translations of the 4K pages from `first` to `last` leave, and all structures. */
export function dropPages(lane: Lane, pcid: u32, first: u64, last: u64): void {
  for (let size: u32 = 0; size < <u32>SIZES; size++) {
    for (let kind: u32 = 0; kind < <u32>KINDS; kind++) {
      const route = routeOf(lane, kind, size);
      if (route.first) {
        const numbers = route.firstShift;
        const array = changetype<TagArray>(route.first);
        dropRange(array, pcid, route.firstSpace, first >> numbers, last >> numbers, 0, 0);
      }
      for (let i: u32 = 0; i < route.nrBanks; i++) {
        const numbers = route.bankShift;
        const from = first >> numbers;
        const to = last >> numbers;
        dropRange(bankAt(route, i), pcid, route.bankSpace, from, to, route.dealShift, i);
      }
    }
  }
  dropStructures(lane, pcid);
}

/** One entry is looked for; for more the whole array is. */
function dropRange(
  array: TagArray,
  pcid: u32,
  space: u32,
  first: u64,
  last: u64,
  dealShift: u32,
  bank: u32,
): void {
  if (pcid == ANY_PCID || first != last) {
    dropNumbers(array, pcid, space, first, last, dealShift, bank);
  } else if (<u32>(first & ((1 << dealShift) - 1)) == bank) {
    drop(array, keyFor(pcid, space, first), dealShift);
  }
}

/** Everything of the current PCID leaves, but for lines of walk caches. */
export function dropAll(lane: Lane): void {
  for (let size: u32 = 0; size < <u32>SIZES; size++) {
    for (let kind: u32 = 0; kind < <u32>KINDS; kind++) {
      const route = routeOf(lane, kind, size);
      if (route.first) dropPcid(changetype<TagArray>(route.first), currentPcid());
      for (let i: u32 = 0; i < route.nrBanks; i++) {
        dropPcid(bankAt(route, i), currentPcid());
      }
    }
  }
  dropStructures(lane, currentPcid());
}
