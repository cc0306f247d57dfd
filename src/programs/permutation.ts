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

  /** What stands at this place, 0 to n − 1, of the order. */
  at(place: number): number {
    const [key0, key1, key2, key3] = this.#keys;
    let value = place;
    do {
      let low = value & this.#lowMask;
      let high = Math.floor(value / this.#lowSpan) | 0;
      high ^= mix32(low ^ key0) & this.#highMask;
      low ^= mix32(high ^ key1) & this.#lowMask;
      high ^= mix32(low ^ key2) & this.#highMask;
      low ^= mix32(high ^ key3) & this.#lowMask;
      value = high * this.#lowSpan + low;
    } while (value >= this.#n);
    return value;
  }
}
