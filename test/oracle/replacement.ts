/**
 * The ways of one set, and in which order they leave: `Replacement` of `src/tlb/config.ts`, slowly.
 */
import type { Replacement } from "../../src/tlb/config.ts";

/** The order in which the ways of one set leave. */
export interface Order {
  touch(way: number, isFilled: boolean): void;
  victim(): number;
}

export function createOrder(replacement: Replacement, nrWays: number, random: () => number): Order {
  switch (replacement) {
    case "lru":
      return createLru(nrWays);
    case "fifo":
      return oldest(nrWays, false);
    case "plru":
      return tree(nrWays);
    case "mru3-plru":
      return threeTrees(nrWays / 3);
    case "nru":
      return unmarked(nrWays);
    case "random":
      return { touch: () => {}, victim: () => Number((BigInt(random()) * BigInt(nrWays)) >> 32n) };
  }
}

export function createLru(nrWays: number): Order {
  return oldest(nrWays, true);
}

function oldest(nrWays: number, countsHits: boolean): Order {
  const order = Array.from({ length: nrWays }, (_, way) => way);
  return {
    touch(way, isFilled) {
      if (!isFilled && !countsHits) return;
      order.splice(order.indexOf(way), 1);
      order.push(way);
    },
    victim: () => order[0],
  };
}

/** A leaf is a way; a node has two halves, and says which of them the victim is in. */
function tree(nrWays: number): Order {
  if (nrWays === 1) return { touch: () => {}, victim: () => 0 };
  const half = nrWays / 2;
  const halves = [tree(half), tree(half)];
  let victimHalf = 0;
  return {
    touch(way, isFilled) {
      const touched = way < half ? 0 : 1;
      victimHalf = 1 - touched;
      halves[touched].touch(way % half, isFilled);
    },
    victim: () => victimHalf * half + halves[victimHalf].victim(),
  };
}

function threeTrees(nrWays: number): Order {
  const trees = [tree(nrWays), tree(nrWays), tree(nrWays)];
  let last = 0;
  return {
    touch(way, isFilled) {
      last = Math.floor(way / nrWays);
      trees[last].touch(way % nrWays, isFilled);
    },
    victim() {
      const next = (last + 1) % 3;
      return next * nrWays + trees[next].victim();
    },
  };
}

function unmarked(nrWays: number): Order {
  const isMarked = Array.from({ length: nrWays }, () => false);
  return {
    touch(way) {
      isMarked[way] = true;
      if (isMarked.every(Boolean)) isMarked.fill(false).fill(true, way, way + 1);
    },
    victim: () => Math.max(0, isMarked.indexOf(false)),
  };
}

export function xorshift32(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/** Ways with entries, and who leaves. */
export class EntrySet<T> {
  readonly ways: (T | undefined)[];
  readonly #order: Order;

  constructor(nrWays: number, order: Order) {
    this.ways = Array.from({ length: nrWays }, () => undefined);
    this.#order = order;
  }

  touch(way: number): void {
    this.#order.touch(way, false);
  }

  /** Returns what had to leave. */
  insert(entry: T): T | undefined {
    const free = this.ways.indexOf(undefined);
    const way = free === -1 ? this.#order.victim() : free;
    const evicted = this.ways[way];
    this.ways[way] = entry;
    this.#order.touch(way, true);
    return evicted;
  }

  drop(isDropped: (entry: T) => boolean): void {
    for (const [way, entry] of this.ways.entries()) {
      if (entry !== undefined && isDropped(entry)) this.ways[way] = undefined;
    }
  }
}
