// Which page is where, in a lane whose pages are of several sizes: src/tlb/page-policy.ts says what
// rules mean. What they decided of a 2M region is kept in the lane's tally of regions.

import {
  REGION_HUGE_AT,
  REGION_SIZE,
  RULES_MAX,
  SIZE_BY_RULES,
  SIZE_SHIFT,
  SLOT_KEY,
} from "./layout";
import { ANY_PCID } from "./array";
import { Lane, dropPages, refer } from "./lane";
import { allocate } from "./memory";
import { Tally, slotOf } from "./tally";

const SIZE_1G: u32 = 2;
const NEVER: u64 = u64.MAX_VALUE;

@unmanaged
class PageRule {
  /** Numbers of 2M regions, the last one included. */
  first: u64;
  last: u64;
  delay: u64;
  /** Of 2^32. */
  availability: u64;
  size: u32;
}

/** Behind those that are there already. */
export function addRule(
  lane: Lane,
  first: u64,
  last: u64,
  size: u32,
  availability: u64,
  delay: u64,
): void {
  if (!lane.rules) lane.rules = allocate(RULES_MAX * offsetof<PageRule>());
  if (lane.nrRules == RULES_MAX) unreachable();
  const rule = ruleAt(lane, lane.nrRules++);
  rule.first = first;
  rule.last = last;
  rule.size = size;
  rule.availability = availability;
  rule.delay = delay;
}

function ruleAt(lane: Lane, i: u32): PageRule {
  return changetype<PageRule>(lane.rules + i * offsetof<PageRule>());
}

/** What a lane takes the 4K page `page` for. A region is decided when it is first asked for. */
export function sizeOf(lane: Lane, page: u64, time: u64): u32 {
  return lane.size != SIZE_BY_RULES ? lane.size : sizeOfRegion(regionOf(lane, page, time));
}

/** The slot of the region that `page` is in, as of `time`; good until another one is looked up. */
function regionOf(lane: Lane, page: u64, time: u64): usize {
  const slot = slotOf(changetype<Tally>(lane.regions), page >> SIZE_SHIFT);
  if (!load<u32>(slot, REGION_SIZE)) decide(lane, slot, time);
  if (time >= load<u64>(slot, REGION_HUGE_AT)) collapse(lane, slot);
  return slot;
}

function sizeOfRegion(slot: usize): u32 {
  return load<u32>(slot, REGION_SIZE) - 1;
}

/** The first rule that has the whole page of its size counts; without any it is a page of 4K. */
function decide(lane: Lane, slot: usize, time: u64): void {
  const region = load<u64>(slot, SLOT_KEY) - 1;
  const first1G = (region >> SIZE_SHIFT) << SIZE_SHIFT;
  const last1G = first1G + ((1 << SIZE_SHIFT) - 1);
  let is1GDivided = false;
  let size: u32 = 0;
  let hugeAt = NEVER;
  for (let i: u32 = 0; i < lane.nrRules; i++) {
    const rule = ruleAt(lane, i);
    const is1G = rule.size == SIZE_1G;
    const first = is1G ? first1G : region;
    const last = is1G ? last1G : region;
    if (first < rule.first || last > rule.last || (is1G && is1GDivided)) {
      if (!is1G && rule.first <= last1G && rule.last >= first1G) is1GDivided = true;
      continue;
    }
    if (draw(first) < rule.availability) size = rule.size;
    else if (rule.delay != NEVER) hugeAt = time + rule.delay;
    break;
  }
  store<u32>(slot, size + 1, REGION_SIZE);
  store<u64>(slot, hugeAt, REGION_HUGE_AT);
}

/** 32 bits, by the number of a region alone. */
function draw(region: u64): u64 {
  let x = <u32>region + 0x9e3779b9;
  x = (x ^ (x >> 16)) * 0x85ebca6b;
  x = (x ^ (x >> 13)) * 0xc2b2ae35;
  return x ^ (x >> 16);
}

/** A region of 4K pages becomes a page of 2M. */
function collapse(lane: Lane, slot: usize): void {
  store<u32>(slot, 2, REGION_SIZE);
  store<u64>(slot, NEVER, REGION_HUGE_AT);
  const first = (load<u64>(slot, SLOT_KEY) - 1) << SIZE_SHIFT;
  dropPages(lane, ANY_PCID, first, first + ((1 << SIZE_SHIFT) - 1));
}

/** `nrTimes` references, one after another from `time` on, to `page`. */
export function referByRules(lane: Lane, page: u64, kind: u32, nrTimes: u64, time: u64): void {
  const end = time + nrTimes;
  while (time < end) {
    const region = regionOf(lane, page, time);
    const until = min(end, load<u64>(region, REGION_HUGE_AT));
    refer(lane, page, kind, sizeOfRegion(region), until - time);
    time = until;
  }
}
