/** What the slow model counts where mathematics says what must come out. */
import { describe, expect, test } from "vitest";
import type { PageSize, Processor, ReferenceKind } from "../../src/tlb/config.ts";
import type { TlbCounts } from "../../src/tlb/counts.ts";
import { findPreset } from "../../src/tlb/presets.ts";
import { Random } from "../../src/fuzz/random.ts";
import { TlbModel } from "../oracle/tlb-model.ts";

const GIB = 2 ** 30;
const NR_REFERENCES = 30_000;
const NR_WARM_UP = 20_000;

/** What `NR_REFERENCES` to addresses of `nextAddress` add to the counts, once all sets are full. */
function countWarm(processor: Processor, pageSize: PageSize, nextAddress: () => number) {
  const model = new TlbModel(processor);
  const refer = (n: number) => {
    const kind: ReferenceKind = "load";
    for (let i = 0; i < n; i++) model.refer({ address: nextAddress(), kind, pageSize });
  };
  const totals = ({ firstLevel, walks, entryLoads }: TlbCounts) => ({
    firstLevelMisses: firstLevel.reduce((sum, { misses }) => sum + misses, 0),
    walks,
    entryLoads: entryLoads.reduce((sum, n) => sum + n, 0),
  });
  refer(NR_WARM_UP);
  const before = totals(model.counts);
  refer(NR_REFERENCES);
  const after = totals(model.counts);
  return {
    firstLevelMisses: after.firstLevelMisses - before.firstLevelMisses,
    walks: after.walks - before.walks,
    entryLoads: after.entryLoads - before.entryLoads,
  };
}

function uniform(bytes: number): () => number {
  const random = new Random(7);
  const nrPages = bytes / 4096;
  return () => random.below(nrPages) * 4096;
}

/** Within 0.05 points, or four standard deviations of the sample. */
function expectPercent(count: number, percent: number) {
  const p = percent / 100;
  const deviation = 100 * Math.sqrt((p * (1 - p)) / NR_REFERENCES);
  expect(Math.abs((100 * count) / NR_REFERENCES - percent)).toBeLessThan(0.05 + 4 * deviation);
}

describe("uniform random: percent that miss the first level, and both", () => {
  const cases: [cpu: string, gib: number, missing: Record<PageSize, [number, number]>][] = [
    ["skylake-sp", 1, { "4K": [99.98, 99.41], "2M": [93.75, 0], "1G": [0, 0] }],
    ["skylake-sp", 16, { "4K": [100, 99.96], "2M": [99.61, 81.25], "1G": [75, 0] }],
    ["ice-lake-sp", 16, { "4K": [100, 99.95], "2M": [99.61, 87.5], "1G": [50, 0] }],
    ["zen4", 16, { "4K": [100, 99.93], "2M": [99.12, 62.5], "1G": [0, 0] }],
    ["skylake-sp", 128, { "4K": [100, 99.995], "2M": [99.95, 97.66], "1G": [96.88, 87.5] }],
    ["sapphire-rapids", 128, { "4K": [100, 99.99], "2M": [99.95, 98.44], "1G": [93.75, 0] }],
  ];
  test.each(cases)("%s, %i GiB", (cpu, gib, missing) => {
    const { processor } = findPreset(cpu);
    for (const size of ["4K", "2M", "1G"] as const) {
      const { firstLevelMisses, walks } = countWarm(processor, size, uniform(gib * GIB));
      expectPercent(firstLevelMisses, missing[size][0]);
      expectPercent(walks, missing[size][1]);
    }
  });

  test("skylake-sp, 65,536 pages of 4K", () => {
    const { processor } = findPreset("skylake-sp");
    const { firstLevelMisses, walks } = countWarm(processor, "4K", uniform(65536 * 4096));
    expectPercent(firstLevelMisses, 99.9);
    expectPercent(walks, 97.66);
  });
});

describe("entry loads a walk, uniform random, with 32 PDE and 4 PDPTE", () => {
  test.each<[size: PageSize, gib: number, loads: number]>([
    ["4K", 1, 1.938],
    ["4K", 16, 2.743],
    ["4K", 128, 2.968],
    ["2M", 1, 1],
    ["2M", 16, 1.75],
    ["2M", 128, 1.969],
  ])("%s, %i GiB: %f", (size, gib, loads) => {
    const { processor } = findPreset("skylake-sp");
    const structureCaches = { pml4: 4, pdpt: 4, pd: 32, pcids: 0 };
    // No TLB to speak of, so that pages that are in it do not thin the walks out.
    const [array] = processor.firstLevel;
    const tiny = { ...array, entries: 1, ways: 1, pageSizes: ["4K", "2M"] as const };
    const bare = { ...processor, firstLevel: [tiny], secondLevel: [], structureCaches };
    const { walks, entryLoads } = countWarm(bare, size, uniform(gib * GIB));
    expect(Math.abs(entryLoads / walks - loads)).toBeLessThan(0.01);
  });
});

test("sequential, 8 bytes a step: one miss in 512 on 4K pages", () => {
  let address = 0;
  const next = () => (address += 8) - 8;
  const { walks } = countWarm(findPreset("skylake-sp").processor, "4K", next);
  const nrPages = (n: number) => Math.ceil(n / 512);
  expect(walks).toBe(nrPages(NR_WARM_UP + NR_REFERENCES) - nrPages(NR_WARM_UP));
});
