/** Random numbers by seed: the same seed gives the same sequence, on every machine. */
export class Random {
  #state: number;

  /** `seed`: an integer; neighbours give unlike sequences. */
  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.floor(seed / 2 ** 32);
    for (let i = 0; i < 4; i++) this.#next();
  }

  /** An integer of 0 to n - 1. */
  below(n: number): number {
    return Math.floor((this.#next() / 2 ** 32) * n);
  }

  /** An integer of `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  tryPick<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : this.pick(list);
  }

  /** One of the keys, each as often as its weight says; undefined: all weights are 0. */
  weighted<T>(weights: Iterable<readonly [key: T, weight: number]>): T | undefined {
    const list = [...weights];
    const total = list.reduce((sum, [, weight]) => sum + weight, 0);
    let left = (this.#next() / 2 ** 32) * total;
    return list.find(([, weight]) => (left -= weight) < 0)?.[0];
  }

  /** mulberry32: 32 bits of state, 32 bits out. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }
}
