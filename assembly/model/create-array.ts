import {
  REPLACEMENT_FIFO,
  REPLACEMENT_LRU,
  REPLACEMENT_MRU3_PLRU,
  REPLACEMENT_PLRU,
} from "./layout";
import { STATE, TagArray } from "./array";
import { allocate } from "./memory";
import { SHORT_WAYS_MAX, bucketBits, ringBytes } from "./recency";
import { initReplacement } from "./replacement";

function hasOrder(replacement: u32): bool {
  return replacement == REPLACEMENT_LRU || replacement == REPLACEMENT_FIFO;
}

function roundUp(n: u32, unit: u32): u32 {
  return (n + unit - 1) & ~(unit - 1);
}

/** Precondition: `nrSets` is a power of two. */
export function createArray(
  nrSets: u32,
  ways: u32,
  indexGroups: u32,
  replacement: u32,
  seed: u32,
  coalescedShift: u32,
  tricks: u32,
): TagArray {
  const array = changetype<TagArray>(allocate(offsetof<TagArray>()));
  array.coalescedShift = coalescedShift;
  array.setMask = nrSets - 1;
  array.setBits = 31 - clz(nrSets);
  array.indexGroups = indexGroups;
  array.ways = ways;
  array.halfBytes = roundUp(ways, 4) << 2;
  array.replacement = replacement;
  array.random = seed;
  array.tricks = tricks;
  array.isShort = hasOrder(replacement) && ways <= SHORT_WAYS_MAX;
  array.isLong = hasOrder(replacement) && ways > SHORT_WAYS_MAX;
  array.bucketShift = 32 - bucketBits(ways);
  array.bucketsAt = (array.halfBytes << 1) + <u32>STATE + (ways << 2);
  const stateBytes = array.isLong ? roundUp(ringBytes(ways), 16) : 16;
  array.setBytes = (array.halfBytes << 1) + (array.isShort ? 0 : <u32>STATE + stateBytes);
  if (replacement == REPLACEMENT_PLRU || replacement == REPLACEMENT_MRU3_PLRU) {
    // For filter.ts, where a shift finds the set.
    array.setBytes = roundUp(array.setBytes, array.setBytes <= 64 ? 64 : 128);
  }
  array.sets = allocate(<usize>nrSets * array.setBytes);
  initReplacement(array);
  return array;
}
