/**
 * The addresses that benches translate: pages side by side from VIRTUAL_BASE, mapped to frames side
 * by side from PHYSICAL_BASE, so that a translated address is checked by one subtraction. The
 * random numbers, and so the addresses, are those of `yardstick/walk.c`.
 */
import { type LeafLevel, pageBytesOf } from "../src/address.ts";

export const VIRTUAL_BASE = 2 ** 40;
export const PHYSICAL_BASE = 2 ** 36;
/** RAM that holds what the benches map; only page tables are ever written. */
export const RAM_BYTES = 2 ** 38;
/** Addresses a batch. */
export const BATCH = 32768;

export interface Pages {
  readonly level: LeafLevel;
  readonly count: number;
}

/** Numbers from 0 to 2^24 − 1, always the same ones. */
export function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

/** A batch of addresses, random over the pages. */
export function randomAddresses({ level, count }: Pages): number[] {
  const random = createRandom();
  const bytes = pageBytesOf(level);
  return Array.from({ length: BATCH }, () => {
    const page = random() % count;
    return VIRTUAL_BASE + page * bytes + (random() % (bytes / 8)) * 8;
  });
}

/**
 * A batch that visits the pages in a random order, always the same one: no TLB of fewer pages hits.
 */
export function cyclicAddresses({ level, count }: Pages): number[] {
  const random = createRandom();
  const bytes = pageBytesOf(level);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random() % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return Array.from({ length: BATCH }, (_, i) => {
    return VIRTUAL_BASE + order[i % count] * bytes + (random() % (bytes / 8)) * 8;
  });
}
