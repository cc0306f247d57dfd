/** Seeded random numbers (Marsaglia's xorshift128): the same seed gives the same cases. */
export class Xorshift {
  readonly #state: Uint32Array;

  constructor(seed: number) {
    this.#state = Uint32Array.of(seed, 0x9e3779b9, 0x243f6a88, 0xb7e15162);
    for (let i = 0; i < 32; i++) this.bits32();
  }

  bits32(): number {
    const s = this.#state;
    let t = s[3];
    t ^= t << 11;
    t ^= t >>> 8;
    s[3] = s[2];
    s[2] = s[1];
    s[1] = s[0];
    s[0] = t ^ s[0] ^ (s[0] >>> 19);
    return s[0];
  }

  bits64(): bigint {
    return (BigInt(this.bits32()) << 32n) | BigInt(this.bits32());
  }

  /** 0 to limit - 1. */
  below(limit: number): number {
    return Math.floor((this.bits32() / 2 ** 32) * limit);
  }

  chance(probability: number): boolean {
    return this.bits32() < probability * 2 ** 32;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }
}
