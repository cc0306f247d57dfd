/**
 * A random order of 0 to n − 1 that is computed, not stored: a Feistel network of four rounds on as
 * many bits as n − 1 has. What it makes of these bits that is n or more goes through it again
 * (cycle walking), fewer than two times on average.
 */
import { mix32 } from "./mix.ts";
import type { Xoshiro128 } from "./xoshiro.ts";

export class Permutation {
  readonly #n: number;
  readonly #lowSpan: number;
  readonly #lowMask: number;
  readonly #highMask: number;
  readonly #keys: readonly [number, number, number, number];

  /** n: 1 to 2^52. */
  constructor(n: number, random: Xoshiro128) {
    let bits = 0;
    while (2 ** bits < n) bits++;
    const lowBits = Math.ceil(bits / 2);
    this.#n = n;
    this.#lowSpan = 2 ** lowBits;
    this.#lowMask = 2 ** lowBits - 1;
    this.#highMask = 2 ** (bits - lowBits) - 1;
    this.#keys = [random.next(), random.next(), random.next(), random.next()];
  }

  /** What stands at this place of the order. Precondition: `place` is 0 to n − 1. */
  at(place: number): number {
    const keys = this.#keys;
    let low = place & this.#lowMask;
    let high = (place / this.#lowSpan) | 0;
    for (;;) {
      high ^= mix32(low ^ keys[0]) & this.#highMask;
      low ^= mix32(high ^ keys[1]) & this.#lowMask;
      high ^= mix32(low ^ keys[2]) & this.#highMask;
      low ^= mix32(high ^ keys[3]) & this.#lowMask;
      const value = high * this.#lowSpan + low;
      if (value < this.#n) return value;
    }
  }
}
