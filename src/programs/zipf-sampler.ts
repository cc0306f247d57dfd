/**
 * Ranks 1 to n of a Zipf distribution: rank k as often as k^−0.99 says. Rejection-inversion
 * (Hörmann and Derflinger, 1996, "Rejection-inversion to generate variates from monotone discrete
 * distributions"): no table, some logarithms, and few rejections whatever n is.
 */
import type { Xoshiro128 } from "./xoshiro.ts";

/** That of YCSB, the benchmark of key-value stores. */
export const ZIPF_EXPONENT = 0.99;
const REST = 1 - ZIPF_EXPONENT;

export class ZipfSampler {
  readonly #n: number;
  readonly #random: Xoshiro128;
  /**
   * The area under the density from its start (which makes rank 1 as likely as it is) and up to n.
   */
  readonly #areaStart: number;
  readonly #areaEnd: number;
  /** A rank is taken at once where it lies at most so far above the point drawn. */
  readonly #sureDistance: number;

  constructor(n: number, random: Xoshiro128) {
    this.#n = n;
    this.#random = random;
    this.#areaStart = areaTo(1.5) - 1;
    this.#areaEnd = areaTo(n + 0.5);
    this.#sureDistance = 2 - pointOf(areaTo(2.5) - density(2));
  }

  next(): number {
    for (;;) {
      const area = this.#areaEnd + this.#random.fraction() * (this.#areaStart - this.#areaEnd);
      const point = pointOf(area);
      const rank = Math.min(Math.max(Math.round(point), 1), this.#n);
      if (rank - point <= this.#sureDistance || area >= areaTo(rank + 0.5) - density(rank)) {
        return rank;
      }
    }
  }
}

/** x^−0.99 */
function density(x: number): number {
  return Math.exp(-ZIPF_EXPONENT * Math.log(x));
}

/** The area under the density from 1 to x. */
function areaTo(x: number): number {
  return Math.expm1(REST * Math.log(x)) / REST;
}

/** The x up to which the area is this one. */
function pointOf(area: number): number {
  return Math.exp(Math.log1p(REST * area) / REST);
}
