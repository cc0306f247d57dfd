/** What to back first, on runs made by hand. */
import { describe, expect, test } from "vitest";
import { milestones, rank, rankSamples } from "../../src/study/ranking.ts";
import type { Region, Run } from "../../src/study/result.ts";
import { runWith } from "./runs.ts";

const M = 2 ** 20;
const G = 2 ** 30;

function run(...regions: readonly Region[]): Run {
  return runWith({ regions });
}

describe("rank", () => {
  const base = run([0, 10, 1000, 5], [2 * M, 20, 3000, 6], [4 * M, 1, 50, 1], [G, 7, 3000, 7]);
  const regionOf = (address: number, ...rest: readonly [number, number, number, number]) => {
    const [walks, walkCycles, savedCycles, touchedPages] = rest;
    return { address, walks, walkCycles, savedCycles, touchedPages };
  };

  test("2M: what saves most first; more walks than before save less than nothing", () => {
    const huge = run([0, 1, 100, 0], [4 * M, 2, 80, 0], [6 * M, 1, 500, 0], [G, 1, 0, 0]);
    expect(rank(base, huge, "2M")).toEqual({
      pageSize: "2M",
      regions: [
        regionOf(2 * M, 20, 3000, 3000, 6),
        regionOf(G, 7, 3000, 3000, 7),
        regionOf(0, 10, 1000, 900, 5),
        regionOf(4 * M, 1, 50, -30, 1),
      ],
      savedCycles: 6900,
    });
  });

  test("1G: regions of 2M are added up", () => {
    const huge = run([2 * M, 3, 60, 0], [G + 2 * M, 1, 10, 0]);
    expect(rank(base, huge, "1G")).toEqual({
      pageSize: "1G",
      regions: [regionOf(0, 31, 4050, 3990, 12), regionOf(G, 7, 3000, 2990, 7)],
      savedCycles: 6980,
    });
  });

  test("nothing where nothing was tallied", () => {
    expect(rank(runWith({}), base, "2M")).toBeUndefined();
    expect(rank(base, runWith({}), "2M")).toBeUndefined();
    expect(rank(run(), run(), "2M")).toEqual({ pageSize: "2M", regions: [], savedCycles: 0 });
  });
});

describe("milestones", () => {
  const SHARES = [0.5, 0.9, 0.99, 1];
  test.each([
    { weights: [1], numbers: [1, 1, 1, 1] },
    { weights: [5, 5], numbers: [1, 2, 2, 2] },
    { weights: [50, 40, 9, 1], numbers: [1, 2, 3, 4] },
    { weights: [50, 50, 0, 0], numbers: [1, 2, 2, 2] },
    { weights: [90, 10, -5, -90], numbers: [1, 1, 2, 2] },
    { weights: [3, 3, 3], numbers: [2, 3, 3, 3] },
  ])("$weights: $numbers", ({ weights, numbers }) => {
    expect(milestones(weights, SHARES)).toEqual(numbers);
  });
});

test("samples by regions of 2M and 1G; of as many, the lowest address first", () => {
  const samples = [
    [0, 1],
    [2 * M, 5],
    [4 * M, 1],
    [G, 7],
    [3 * G, 7],
  ] as const;
  expect(rankSamples(samples, "2M")).toEqual([
    [G, 7],
    [3 * G, 7],
    [2 * M, 5],
    [0, 1],
    [4 * M, 1],
  ]);
  expect(rankSamples(samples, "1G")).toEqual([
    [0, 7],
    [G, 7],
    [3 * G, 7],
  ]);
});
