/** The random numbers of programs. */
import { describe, expect, it } from "vitest";
import { Xoshiro128 } from "../../src/programs/xoshiro.ts";
import { ZIPF_EXPONENT, ZipfSampler } from "../../src/programs/zipf-sampler.ts";
import { GiB, offsetsOf } from "./recorded.ts";

describe("Xoshiro128", () => {
  it("is xoshiro128** 1.1", () => {
    const random = new Xoshiro128(1, 2, 3, 4);
    const numbers = Array.from({ length: 10 }, () => random.next() >>> 0);
    // Of the authors' C program, from the same state.
    expect(numbers).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
      4258142804,
    ]);
  });

  it("reaches numbers above 2^32, odd ones too", () => {
    const random = Xoshiro128.fromSeed(1);
    const numbers = Array.from({ length: 1000 }, () => random.below(2 ** 43));
    expect(Math.max(...numbers)).toBeGreaterThan(2 ** 42.9);
    expect(numbers.every((n) => Number.isInteger(n) && n < 2 ** 43)).toBe(true);
    const nrOdd = numbers.filter((n) => n % 2 === 1).length;
    expect(Math.abs(nrOdd - 500)).toBeLessThan(80);
  });
});

/** How likely the first ranks of n are. */
function shares(nrFirst: number, n: number): number[] {
  let total = 0;
  for (let k = 1; k <= n; k++) total += k ** -ZIPF_EXPONENT;
  return Array.from({ length: nrFirst }, (_, i) => (i + 1) ** -ZIPF_EXPONENT / total);
}

/** Within five standard deviations of a sample. */
function expectShare(count: number, nrSamples: number, share: number): void {
  const deviation = Math.sqrt(nrSamples * share * (1 - share));
  expect(Math.abs(count - nrSamples * share)).toBeLessThan(5 * deviation);
}

describe("zipf", () => {
  it.each([1, 2, 3, 10, 1000, 1_000_000])("draws each of %d ranks as often as it says", (n) => {
    const nrSamples = 300_000;
    const ranks = new ZipfSampler(n, Xoshiro128.fromSeed(n));
    const nrFirst = Math.min(n, 20);
    const counts = Array.from({ length: nrFirst }, () => 0);
    let nrOutside = 0;
    for (let i = 0; i < nrSamples; i++) {
      const rank = ranks.next();
      if (!(rank >= 1 && rank <= n)) nrOutside++;
      if (rank <= nrFirst) counts[rank - 1]++;
    }
    expect(nrOutside).toBe(0);
    const expected = shares(nrFirst, n);
    if (n === 1) expect(counts).toEqual([nrSamples]);
    else for (const [i, share] of expected.entries()) expectShare(counts[i], nrSamples, share);
    // And the others, together.
    const rest = nrSamples - counts.reduce((sum, count) => sum + count);
    const restShare = 1 - expected.reduce((sum, share) => sum + share);
    if (n > nrFirst) expectShare(rest, nrSamples, restShare);
  });

  it("asks for the most popular values as often as it says, wherever they lie", () => {
    const nrLookUps = 20_000;
    const offsets = offsetsOf("zipf", { bytes: GiB, nrReferences: 65 * nrLookUps });
    const counts = new Map<number, number>();
    for (let i = 1; i < offsets.length; i += 65) {
      counts.set(offsets[i], (counts.get(offsets[i]) ?? 0) + 1);
    }
    const popular = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, 3);
    const expected = shares(3, Math.floor(GiB / 1032));
    for (const [i, [, count]] of popular.entries()) expectShare(count, nrLookUps, expected[i]);
    // Not side by side.
    const [first, second, third] = popular.map(([offset]) => offset);
    expect(Math.abs(first - second)).toBeGreaterThan(4096);
    expect(Math.abs(second - third)).toBeGreaterThan(4096);
  });
});
