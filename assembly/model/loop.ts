// What the loops of filter.ts share. A loop takes items from `from` on through an array, and writes
// those that it misses to `to`, up to the first that it has no way with.

import { TagArray } from "./array";

/** Returns where what it missed ends. */
export type LoopFunction = (array: TagArray, from: usize, end: usize, to: usize) => usize;

/**
 * What a loop needs of an array and a placement. It reads it from memory, and so has it in
 * registers: what the engine can see the making of, it makes each time.
 */
@unmanaged
export class Loop {
  /** The first item that it did not do. */
  stop: usize;
  /** The key of no number. */
  space: u64;
  /** Bits of an item that are its number in the array. */
  mask: u64;
  /** From an item to its index, and to its tag. */
  indexShift: u64;
  tagShift: u64;
  /** Each twice, for two items. */
  tagMask: u64;
  tagMask1: u64;
  setMask: u64;
  setMask1: u64;
  /** What the lower group of an index is XORed with, of the tag. */
  foldMask: u64;
  foldMask1: u64;
  /** All bits, if no way that is empty has the low half of a tag, so that equal ways are sure. */
  sure: u32;
  /** Of a log. */
  buckets: usize;
  bucketMask: u32;
  ring: usize;
  ringMask: u32;
}
export const loop = changetype<Loop>(memory.data(offsetof<Loop>()));
