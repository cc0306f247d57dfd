/**
 * Each loop that the fast model has for a kind of sets (assembly/model/filter.ts) against the slow
 * model, over traces long enough to fill the sets, and as they run out of what they count with.
 */
import { describe, expect, it } from "vitest";
import { Random } from "../../src/fuzz/random.ts";
import { encodeReference } from "../../src/hardware/access-kind.ts";
import { PAGE_SIZES, type Processor, type TlbArray } from "../../src/tlb/config.ts";
import { TlbModel } from "../../src/tlb/model.ts";
import { parseProcessor } from "../../src/tlb/parse.ts";
import { replayFast, replaySlow } from "./both-models.ts";
import type { Step } from "./random-trace.ts";

type Sets = Pick<TlbArray, "entries" | "ways"> & Partial<TlbArray>;

/** Two levels alike, so that each loop sees plain traces, and what another has left of them. */
function processorOf(sets: Sets, processor: object = {}): Processor {
  const text = JSON.stringify({
    name: "loops",
    firstLevel: [{ name: "first", ...sets }],
    secondLevel: [{ name: "second", hitCycles: 1, ...sets }],
    walkCost: { caches: [] },
    ...processor,
  });
  return parseProcessor(text, "loops");
}

const TOP = 2 ** 48;
const PAGE = 4096;

/** Some pages often, and from time to time others: near either end of addresses, and in between. */
function traceOver(random: Random, entries: number, strides: readonly number[]): Step[] {
  const bases = [0, 0x5555_5555_4000, 0x7fff_ffff_0000, 2 ** 47, TOP];
  const trace: Step[] = [];
  for (let turn = 0; turn < 40; turn++) {
    const base = random.pick(bases);
    const stride = random.pick(strides);
    const nrPages = random.between(1, random.pick([4, entries, 3 * entries]));
    for (let i = 0; i < 100; i++) {
      const distance = random.below(nrPages) * stride;
      const at = base + (base === TOP ? -distance - PAGE : distance);
      // Of eight bytes, which stay in the page.
      const address = BigInt(at) + BigInt(random.below(512) * 8);
      trace.push({
        does: "access",
        address,
        kind: random.chance(90) ? "load" : "store",
        nrBytes: 8,
      });
    }
    if (random.chance(20)) {
      const address = BigInt(base === TOP ? TOP - PAGE : base);
      trace.push({ does: "invalidate", address, nrBytes: PAGE, isWord: true });
    }
  }
  return trace;
}

const LOOPS: readonly (readonly [string, Sets])[] = [
  ["a tree of 4 ways, 16 sets", { entries: 64, ways: 4, replacement: "plru" }],
  ["a tree of 4 ways, 4 sets", { entries: 16, ways: 4, replacement: "plru" }],
  [
    "a tree of 4 ways, 8 sets, folded",
    { entries: 32, ways: 4, replacement: "plru", indexGroups: 2 },
  ],
  ["a tree of 4 ways, one set", { entries: 4, ways: 4, replacement: "plru" }],
  ["a tree of 8 ways, 16 sets", { entries: 128, ways: 8, replacement: "plru" }],
  ["a tree of 8 ways, one set", { entries: 8, ways: 8, replacement: "plru" }],
  [
    "three trees, 32 sets, folded",
    { entries: 384, ways: 12, replacement: "mru3-plru", indexGroups: 2 },
  ],
  ["three trees, 4 sets", { entries: 48, ways: 12, replacement: "mru3-plru" }],
  ["three trees of 2 ways, 16 sets", { entries: 96, ways: 6, replacement: "mru3-plru" }],
  ["a tree of 2 ways, 8 sets", { entries: 16, ways: 2, replacement: "plru" }],
  ["4 ways in order, 32 sets", { entries: 128, ways: 4 }],
  ["3 ways in order, one set", { entries: 3, ways: 3 }],
  ["6 ways in order, 64 sets", { entries: 384, ways: 6 }],
  ["8 ways in order, 16 sets", { entries: 128, ways: 8 }],
  ["8 ways in order, one set", { entries: 8, ways: 8 }],
  ["12 ways in order, 32 sets, folded", { entries: 384, ways: 12, indexGroups: 2 }],
  ["16 ways in order, one set", { entries: 16, ways: 16 }],
  ["16 ways in order, 64 sets", { entries: 1024, ways: 16 }],
  [
    "4 ways in order, folded further than numbers are long",
    { entries: 64, ways: 4, indexGroups: 17 },
  ],
  ["a tree of 4 ways, folded so", { entries: 64, ways: 4, indexGroups: 33, replacement: "plru" }],
  ["a log of 24 ways", { entries: 24, ways: 24 }],
  ["a log of 96 ways", { entries: 96, ways: 96 }],
  ["20 ways in order, 16 sets", { entries: 320, ways: 20 }],
  ["32 ways in order, 4 sets", { entries: 128, ways: 32 }],
];

describe.each(LOOPS)("%s", (_, sets) => {
  it.each([
    ["pages next to each other", [PAGE]],
    ["pages of any distance", [PAGE, 16 * PAGE, 2 ** 21, 2 ** 30, 2 ** 44]],
  ])("counts what the slow model counts, of %s", (_, strides) => {
    for (let seed = 1; seed <= 4; seed++) {
      const trace = traceOver(new Random(seed), sets.entries, strides);
      const processor = processorOf(sets);
      const model = replayFast(processor, trace, { policies: PAGE_SIZES });
      const fast = PAGE_SIZES.map((size) => model.counts(size));
      const slow = PAGE_SIZES.map((size) => replaySlow(processor, trace, size).tlbs.counts);
      expect(fast, `seed ${seed}`).toEqual(slow);
    }
  });
});

describe.each([
  ["times", { entries: 6, ways: 6 }],
  ["times of several sets", { entries: 24, ways: 6 }],
  ["a log's places", { entries: 24, ways: 24 }],
] as const)("%s that come to their end", (_, sets) => {
  /** They are as many; a run of them begins so far before their end. */
  const NR_OF_THEM = 2 ** 26;
  const NR_LEFT = 30_000;

  /** What a trace misses that comes after `nrBefore` other touches. */
  function missesAfter(nrBefore: number): number {
    const model = new TlbModel(processorOf(sets), { policies: ["2M"] });
    const { batch } = model;
    const replay = (nr: number, pageOf: (i: number) => number) => {
      for (let i = 0; i < nr; i++) batch[i] = encodeReference(pageOf(i) * 2 ** 21, "read", 8);
      for (; nr > 0; nr -= batch.length) model.replay(Math.min(nr, batch.length));
    };
    const nrMisses = () => model.counts("2M").firstLevel[0].misses;
    for (let left = nrBefore; left > 0; left -= batch.length) {
      // The same references each time: none is the one before.
      if (left === nrBefore) replay(batch.length, (i) => i % (sets.entries + 1));
      else model.replay(batch.length);
    }
    // Then all ways have what they have in every case.
    replay(batch.length, (i) => i % (4 * sets.entries));
    const before = nrMisses();
    const random = new Random(7);
    for (let i = 0; i < 4; i++) replay(batch.length, () => random.below(2 * sets.entries));
    return nrMisses() - before;
  }

  it("are made anew, and nobody sees it", () => {
    expect(missesAfter(NR_OF_THEM - NR_LEFT)).toBe(missesAfter(0));
  });
});
