/** How a case's number is taken apart, and small helpers the spaces share. */

export const BOOLEANS = [false, true] as const;

/**
 * Takes a number apart by mixed radices, the first digit fastest; `found` is filled and returned.
 */
export function digits(index: number, radices: readonly number[], found: number[]): number[] {
  let rest = index;
  for (let i = 0; i < radices.length; i++) {
    const radix = radices[i];
    const quotient = Math.floor(rest / radix);
    found[i] = rest - quotient * radix;
    rest = quotient;
  }
  return found;
}

export function product(radices: readonly number[]): number {
  return radices.reduce((all, radix) => all * radix, 1);
}

/** Every way to choose one value for each name. */
export function combinations<T extends Record<string, unknown>>(choices: {
  readonly [name in keyof T]: readonly T[name][];
}): T[] {
  let found: Record<string, unknown>[] = [{}];
  for (const [name, values] of Object.entries(choices) as [string, readonly unknown[]][]) {
    found = found.flatMap((made) => values.map((value) => ({ ...made, [name]: value })));
  }
  return found as T[];
}

/** A small deterministic generator (xorshift), seeded by the case's number. */
export class Random {
  #state = 1;

  seed(seed: number): void {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 1;
    this.below(2);
  }

  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }
}
