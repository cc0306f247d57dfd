/** Who leaves a set: what was measured on Skylake's, and what a cycle of ways + 1 pages does. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Replacement } from "../../src/tlb/config.ts";
import { TlbModel } from "../oracle/tlb-model.ts";
import { oneSet, permutation, type NrMisses } from "./one-set.ts";

const MEASURED: Readonly<Record<"stlb" | "dtlb" | "itlb", number[][]>> = JSON.parse(
  readFileSync("test/recorded-tlb/skylake-replacement.json", "utf8"),
);

function missesOf(ways: number, replacement: Replacement): NrMisses {
  const processor = oneSet(ways, replacement);
  return (pages) => {
    const model = new TlbModel(processor);
    for (const page of pages) model.refer({ address: page * 4096, kind: "load", pageSize: "4K" });
    return model.counts.firstLevel[0].misses;
  };
}

/** Full sets in unlike states: filled in order, and then some entries hit. */
function histories(ways: number): number[][] {
  const filled = Array.from({ length: ways }, (_, page) => page);
  return [
    filled,
    [...filled, 1, 3, 0],
    [...filled, ...filled.map((page) => (page * 5 + 2) % ways)],
  ];
}

/** How many of the vectors a policy has, in all states. */
function nrRight(vectors: readonly number[][], replacement: Replacement): number {
  const ways = vectors[0].length;
  const nrMisses = missesOf(ways, replacement);
  const isRight = (vector: readonly number[], position: number) =>
    histories(ways).every((history) => {
      return permutation(nrMisses, ways, history, position).join() === vector.join();
    });
  return vectors.filter(isRight).length;
}

test("24 of 24 permutation vectors measured on Skylake", () => {
  expect(nrRight(MEASURED.stlb, "mru3-plru")).toBe(12);
  expect(nrRight(MEASURED.dtlb, "plru")).toBe(4);
  expect(nrRight(MEASURED.itlb, "plru")).toBe(8);
});

test("true LRU has 2 of the STLB's 12", () => {
  expect(nrRight(MEASURED.stlb, "lru")).toBe(2);
});

describe("a cycle of ways + 1 pages in one set", () => {
  test.each<{ replacement: Replacement; ways: number; missing: number }>([
    { replacement: "lru", ways: 4, missing: 100 },
    { replacement: "fifo", ways: 4, missing: 100 },
    { replacement: "plru", ways: 4, missing: 100 },
    { replacement: "plru", ways: 8, missing: 100 },
    { replacement: "nru", ways: 4, missing: 66.7 },
    { replacement: "random", ways: 4, missing: 39.95 },
  ])("$replacement, $ways ways: $missing % miss", ({ replacement, ways, missing }) => {
    const nrReferences = 300_000;
    const pages = Array.from({ length: nrReferences }, (_, i) => i % (ways + 1));
    const percent = (100 * missesOf(ways, replacement)(pages)) / nrReferences;
    // Four standard deviations of the random one, whose hits and misses come in runs.
    expect(Math.abs(percent - missing)).toBeLessThan(replacement === "random" ? 0.4 : 0.05);
  });
});
