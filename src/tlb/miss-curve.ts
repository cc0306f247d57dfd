/** What fully associative LRU TLBs of every size miss, of one trace on pages of one size. */
import { OptionError } from "../errors.ts";
import type { PageSize } from "./config.ts";

/** Loads and stores share a TLB; fetches have their own. */
export type CurveKind = "data" | "fetch";
export const CURVE_KINDS: readonly CurveKind[] = ["data", "fetch"];

export type CurvePoint = readonly [entries: number, misses: number];

export class MissCurve {
  readonly pageSize: PageSize;
  readonly kind: CurveKind;
  /** References, one for each page that an access touches. */
  readonly accesses: number;
  /** By number of entries; [0] is what a TLB without entries misses: all. */
  readonly #misses: Float64Array;

  /**
   * `histogram`: references by their distance, from 1 on; the last of them, those that miss any
   * TLB. Repeats, of distance 0, are all other accesses.
   */
  constructor(pageSize: PageSize, kind: CurveKind, accesses: number, histogram: Float64Array) {
    this.pageSize = pageSize;
    this.kind = kind;
    this.accesses = accesses;
    this.#misses = new Float64Array(histogram.length + 1);
    this.#misses[0] = accesses;
    let sum = 0;
    for (let distance = histogram.length; distance > 0; distance--) {
      sum += histogram[distance - 1];
      this.#misses[distance] = sum;
    }
  }

  /** Of the largest TLB that the curve tells of. */
  get maxEntries(): number {
    return this.#misses.length - 1;
  }

  /**
   * What a TLB of `entries`, 1 to `maxEntries`, misses: first references to pages, too. Throws
   * `OptionError`.
   */
  misses(entries: number): number {
    if (!(Number.isInteger(entries) && entries >= 1 && entries <= this.maxEntries)) {
      throw new OptionError("entries", `${entries} is not 1 to ${this.maxEntries}`);
    }
    return this.#misses[entries];
  }

  /**
   * The curve in few points: powers of two, the largest TLB, and both ends of each fall. Between two
   * neighbours the curve falls by no more than `tolerance` of all accesses, unless one more entry
   * makes the whole difference.
   */
  points(tolerance = 0.01): CurvePoint[] {
    let last = 1;
    const points: CurvePoint[] = [];
    const add = (entries: number) => {
      points.push([entries, this.#misses[entries]]);
      last = entries;
    };
    const hasFallen = (entries: number) => {
      return this.#misses[last] - this.#misses[entries] > tolerance * this.accesses;
    };
    add(1);
    for (let entries = 2; entries <= this.maxEntries; entries++) {
      if (hasFallen(entries) && last < entries - 1) add(entries - 1);
      const isPowerOf2 = (entries & (entries - 1)) === 0;
      if (hasFallen(entries) || isPowerOf2 || entries === this.maxEntries) add(entries);
    }
    return points;
  }
}
