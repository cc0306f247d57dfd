/**
 * What random references over a table must miss, by arithmetic: all sets are full, and every page
 * is as likely.
 */
import { describe, expect, it } from "vitest";
import { PAGE_SIZES, type PageSize } from "../../src/tlb/config.ts";
import { TlbModel } from "../../src/tlb/model.ts";
import { findPreset } from "../../src/tlb/presets.ts";

const GiB = 2 ** 30;
const BASE = 2 ** 40;
const WARM_UP = 40;
const BATCHES = 60;
/** Of a percentage: 0.05 points, or four standard deviations of the sample. */
function toleranceOf(percent: number): number {
  const p = percent / 100;
  return Math.max(0.05, 400 * Math.sqrt((p * (1 - p)) / (BATCHES * 16384)));
}

/** Misses in percent of all references: of the first level, and of both. */
type Misses = readonly [first: number, both: number];

/** Uniform over the table, a batch after another, always the same. */
function replayRandom(model: TlbModel, tableBytes: number, nrBatches: number, seed: number): void {
  let state = seed;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const nrPages = tableBytes / 4096;
  for (let batch = 0; batch < nrBatches; batch++) {
    for (let i = 0; i < model.batch.length; i++) {
      model.batch[i] = BigInt(BASE + Math.floor((next() / 2 ** 32) * nrPages) * 4096);
    }
    model.replay(model.batch.length);
  }
}

function missesOf(model: TlbModel, size: PageSize) {
  const { accesses, firstLevel, walks, entryLoads } = model.counts(size);
  const first = firstLevel.reduce((sum, { misses }) => sum + misses, 0);
  return { accesses, first, walks, loads: entryLoads.reduce((sum, n) => sum + n, 0) };
}

/** By page size, in the order of PAGE_SIZES: misses in percent, and entry loads a walk. */
function measure(name: string, tableBytes: number) {
  const { processor } = findPreset(name);
  const structureCaches = { pml4: 2, pdpt: 4, pd: 32, pcids: 0 };
  const model = new TlbModel({ ...processor, structureCaches }, { hasWalkCost: false });
  replayRandom(model, tableBytes, WARM_UP, 1);
  const before = PAGE_SIZES.map((size) => missesOf(model, size));
  replayRandom(model, tableBytes, BATCHES, 2);
  return PAGE_SIZES.map((size, i) => {
    const after = missesOf(model, size);
    const accesses = after.accesses - before[i].accesses;
    const walks = after.walks - before[i].walks;
    return {
      first: (100 * (after.first - before[i].first)) / accesses,
      both: (100 * walks) / accesses,
      loads: (after.loads - before[i].loads) / walks,
    };
  });
}

describe("random references over a table", () => {
  const rows: readonly [string, number, Misses, Misses, Misses][] = [
    ["skylake-sp", 0.25, [99.9, 97.66], [75, 0], [0, 0]],
    ["skylake-sp", 1, [99.98, 99.41], [93.75, 0], [0, 0]],
    ["skylake-sp", 16, [100, 99.96], [99.61, 81.25], [75, 0]],
    ["skylake-sp", 128, [100, 99.995], [99.95, 97.66], [96.88, 87.5]],
    ["ice-lake-sp", 16, [100, 99.95], [99.61, 87.5], [50, 0]],
    ["zen4", 16, [100, 99.93], [99.12, 62.5], [0, 0]],
    ["sapphire-rapids", 128, [100, 99.99], [99.95, 98.44], [93.75, 0]],
  ];
  it.each(rows)("on %s, of %d GiB", (name, gib, ...expected) => {
    const measured = measure(name, gib * GiB);
    for (const [i, [first, both]] of expected.entries()) {
      const off = [first - measured[i].first, both - measured[i].both].map(Math.abs);
      expect(off[0], `${PAGE_SIZES[i]}, first`).toBeLessThanOrEqual(toleranceOf(first));
      expect(off[1], `${PAGE_SIZES[i]}, both`).toBeLessThanOrEqual(toleranceOf(both));
    }
  });

  it.each([
    [1, 1.938, undefined],
    [16, 2.743, 1.75],
    [128, 2.968, 1.969],
  ])("loads entries a walk, of %d GiB", (gib, of4K, of2M) => {
    const [small, large] = measure("skylake-sp", gib * GiB);
    expect(Math.abs(small.loads - of4K)).toBeLessThan(0.005);
    if (of2M !== undefined) expect(Math.abs(large.loads - of2M)).toBeLessThan(0.005);
  });
});
