import { REPLACEMENT_FIFO, REPLACEMENT_LRU } from "./layout";
import { EMPTY, LOWS, TagArray } from "./array";
import { logBytes } from "./log";
import { allocate } from "./memory";
import { initReplacement } from "./replacement";
import { VECTOR_WAYS_MAX } from "./times";

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
  hasShortTags: bool,
  tricks: u32,
): TagArray {
  const array = changetype<TagArray>(allocate(offsetof<TagArray>()));
  array.setMask = nrSets - 1;
  array.setBits = 31 - clz(nrSets);
  array.indexGroups = indexGroups;
  array.ways = ways;
  array.halfBytes = roundUp(ways, 4) << 2;
  array.hasShortTags = hasShortTags;
  array.replacement = replacement;
  array.random = seed;
  array.tricks = tricks;
  // A log takes much room, which is nothing for one set.
  array.hasTimes = hasOrder(replacement) && (ways <= VECTOR_WAYS_MAX || nrSets > 1);
  array.isLog = hasOrder(replacement) && !array.hasTimes;
  array.lowsAt = array.hasTimes ? 0 : <u32>LOWS;
  array.setBytes = setBytesOf(array);
  array.highsAt = nrSets * array.setBytes;
  array.sets = allocate(array.isLog ? array.highsAt : array.highsAt << 1);
  if (!array.isLog) emptyWays(array);
  initReplacement(array);
  return array;
}

/** Without highs, which have as much room behind all sets. */
function setBytesOf(array: TagArray): u32 {
  if (array.isLog) return roundUp(logBytes(array.ways), 16);
  // Behind the lows are times.
  if (array.hasTimes) return array.halfBytes << 1;
  // For tree-loops.ts, where a shift finds the set.
  return roundUp(<u32>LOWS + array.halfBytes, array.halfBytes == 16 ? 32 : 64);
}

function emptyWays(array: TagArray): void {
  for (let i: u32 = 0; i <= array.setMask; i++) {
    memory.fill(array.sets + i * array.setBytes + array.lowsAt, <u8>EMPTY, array.halfBytes);
  }
}
