import { describe, expect, it } from "vitest";
import { Permutation } from "../../src/programs/permutation.ts";
import { Xoshiro128 } from "../../src/programs/xoshiro.ts";
import { KiB, offsetsOf } from "./recorded.ts";

describe("chase", () => {
  it.each([64, 65, 100, 127, 128, 1000, 20_000])(
    "visits each of %d lines once a cycle, always in the same order",
    (nrLines) => {
      const offsets = offsetsOf("chase", { bytes: nrLines * 64, nrReferences: 2 * nrLines });
      const all = Array.from({ length: nrLines }, (_, i) => i * 64);
      expect(offsets.slice(0, nrLines).toSorted((a, b) => a - b)).toEqual(all);
      expect(offsets.slice(nrLines)).toEqual(offsets.slice(0, nrLines));
    },
  );

  it("leaves no regular step that a prefetcher could follow", () => {
    const offsets = offsetsOf("chase", { bytes: 4096 * KiB, nrReferences: 65_536 });
    const steps = new Map<number, number>();
    for (let i = 1; i < offsets.length; i++) {
      const step = offsets[i] - offsets[i - 1];
      steps.set(step, (steps.get(step) ?? 0) + 1);
    }
    // Of 131,071 possible steps each comes up at most once a line, on average.
    expect(Math.max(...steps.values())).toBeLessThan(10);
  });
});

describe("Permutation", () => {
  it("is one, of any number", () => {
    for (let n = 1; n < 300; n++) {
      const order = new Permutation(n, Xoshiro128.fromSeed(n));
      const values = Array.from({ length: n }, (_, i) => order.at(i));
      expect(values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
    }
  });

  it("is no different above 2^32: no value twice, each sixteenth as often", () => {
    const n = 2 ** 40 - 2 ** 38 + 1;
    const order = new Permutation(n, Xoshiro128.fromSeed(1));
    const values = Array.from({ length: 160_000 }, (_, i) => order.at(i * 2 ** 22));
    expect(new Set(values).size).toBe(values.length);
    const counts = Array.from({ length: 16 }, () => 0);
    for (const value of values) counts[Math.floor((value / n) * 16)]++;
    // 10,000 expected, standard deviation 97.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});
