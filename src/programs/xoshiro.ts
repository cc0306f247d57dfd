/**
 * Random numbers for programs: xoshiro128** 1.1 (Blackman and Vigna). Its period, 2^128 − 1,
 * outlasts any run, and its numbers reach any word of 2^46 bytes; `Random` of src/fuzz has 32 bits
 * of both.
 */
import { mix32 } from "./mix.ts";

export class Xoshiro128 {
  // Signed: V8 keeps such numbers in the object itself.
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** From these 32 bits each, not all 0. */
  constructor(a: number, b: number, c: number, d: number) {
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    this.#d = d | 0;
  }

  /** `seed`: an integer of 0 to 2^53 − 1; neighbours give unlike sequences. */
  static fromSeed(seed: number): Xoshiro128 {
    const start = mix32(seed / 2 ** 32) + seed;
    const word = (i: number) => mix32(start + i * 0x9e3779b9);
    return new Xoshiro128(word(1), word(2), word(3), word(4));
  }

  /** 32 bits, as a signed integer. */
  next(): number {
    const b = this.#b;
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const c = this.#c ^ this.#a;
    const d = this.#d ^ b;
    this.#b = b ^ c;
    this.#a ^= d;
    this.#c = c ^ (b << 9);
    this.#d = (d << 11) | (d >>> 21);
    return result;
  }

  /** Of 53 bits, from 0 on, below 1. */
  fraction(): number {
    return ((this.next() >>> 5) * 2 ** 26 + (this.next() >>> 6)) / 2 ** 53;
  }

  /** An integer of 0 to n − 1. */
  below(n: number): number {
    return Math.floor(this.fraction() * n);
  }
}
