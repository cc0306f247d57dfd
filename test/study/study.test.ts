/** A study counts what models count, and parts it exactly. */
import { describe, expect, test } from "vitest";
import type { NamedPolicy } from "../../src/study/policy.ts";
import type { Run } from "../../src/study/result.ts";
import { type StudyOptions, StudyRunner, takeReferences } from "../../src/study/study.ts";
import { TlbModel } from "../../src/tlb/model.ts";
import type { PagePolicy } from "../../src/tlb/page-policy.ts";
import { findPreset } from "../../src/tlb/presets.ts";
import { smallProcessor } from "../tlb/small-processor.ts";
import { loadsAt, randomWords, wordsOf } from "./words.ts";

const SMALL = smallProcessor();
const ZEN4 = findPreset("zen4").processor;
const RULES: PagePolicy = [{ from: 0, to: 2 ** 40, pageSize: "2M", availability: 0.5, delay: 100 }];
const POLICIES: readonly NamedPolicy[] = [
  { name: "4K", policy: "4K" },
  { name: "1G", policy: "1G" },
  { name: "thp", policy: RULES },
];
const BOTH = [SMALL, ZEN4].map((processor) => ({ processor, policies: POLICIES }));
const PLAIN: StudyOptions = { hasRegions: false, hasInstructions: false };

function study(words: BigUint64Array, options: Partial<StudyOptions> = {}) {
  const runner = new StudyRunner(BOTH, { ...PLAIN, ...options });
  runner.feed(words);
  return { runs: runner.finish(), references: runner.references() };
}

/** The words in pieces of random lengths: a size and its reference may part. */
function* pieces(words: BigUint64Array): Generator<BigUint64Array> {
  for (let at = 0, n = 1; at < words.length; at += n, n = (n * 7) % 1009) {
    yield words.subarray(at, at + n);
  }
}

describe.each([1, 2, 3, 4])("seed %i", (seed) => {
  const words = randomWords(seed, 3000);

  test("runs are what models count, in the order of subjects and policies", () => {
    const { runs, references } = study(words, { hasRegions: true, hasInstructions: true });
    const expected = BOTH.flatMap(({ processor }) => {
      const policies = POLICIES.map(({ policy }) => policy);
      const model = new TlbModel(processor, { policies, hasRegions: true, hasInstructions: true });
      model.replayWords(words);
      expect(references).toEqual(model.references());
      return POLICIES.map(({ name, policy }) => ({
        cpu: processor.name,
        policy: name,
        ...model.counts(policy),
        names: {
          firstLevel: processor.firstLevel.map((array) => array.name),
          secondLevel: processor.secondLevel.map((bank) => bank.name),
          loadsFrom: [...processor.walkCost.caches.map((cache) => cache.name), "memory"],
        },
        walkers: processor.walkers,
        routes: model.routes(policy),
        regions: model.regions(policy)?.map((region) => {
          return [region.address, region.walks, region.walkCycles, region.touchedPages];
        }),
        instructions: model
          .instructions(policy)
          ?.toSorted((a, b) => b.walkCycles - a.walkCycles)
          .slice(0, 100)
          .map(({ address, walks, walkCycles }) => [address, walks, walkCycles]),
      }));
    });
    expect(runs).toEqual(expected);
  });

  test.each([1, 7, 100, 2999, 10 ** 6])("intervals of %i sum to the total", (interval) => {
    const { runs, references } = study(words, { interval });
    const { fetch, load, store } = references;
    const nr = fetch + load + store;
    const whole = study(words).runs;
    for (const [i, { intervals = [], ...run }] of runs.entries()) {
      expect(run).toEqual(whole[i]);
      const lengths = intervals.map((each) => each.references);
      const rest = nr % interval;
      expect(lengths).toEqual([
        ...Array.from({ length: Math.floor(nr / interval) }, () => interval),
        ...(rest > 0 ? [rest] : []),
      ]);
      expect(totalOf(intervals)).toEqual(totalOfRun(run, nr));
    }
  });

  test("an interval is what the same study has of the references up to it", () => {
    const interval = 500;
    const { length } = takeReferences(words, interval);
    const first = study(words.subarray(0, length)).runs;
    for (const [i, { intervals }] of study(words, { interval }).runs.entries()) {
      expect(intervals?.[0]).toEqual(totalOfRun(first[i], interval));
    }
  });

  test("how words are fed changes nothing", () => {
    const options = { interval: 333, hasRegions: true, hasInstructions: true };
    const runner = new StudyRunner(BOTH, options);
    for (const piece of pieces(words)) runner.feed(piece);
    expect({ runs: runner.finish(), references: runner.references() }).toEqual(
      study(words, options),
    );
  });
});

function totalOfRun(run: Run, references: number) {
  const firstLevelMisses = run.firstLevel.reduce((sum, { misses }) => sum + misses, 0);
  return { references, firstLevelMisses, walks: run.walks, walkCycles: run.walkCycles };
}

function totalOf(intervals: NonNullable<Run["intervals"]>) {
  const total = { references: 0, firstLevelMisses: 0, walks: 0, walkCycles: 0 };
  for (const interval of intervals) {
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += interval[key];
  }
  return total;
}

test("a study of nothing", () => {
  const { runs, references } = study(new BigUint64Array(0), { interval: 10, hasRegions: true });
  expect(references).toEqual({ fetch: 0, load: 0, store: 0 });
  expect(runs.map(({ accesses, intervals, regions }) => [accesses, intervals, regions])).toEqual(
    runs.map(() => [0, [], []]),
  );
});

test("of instructions, the hundred with most walk cycles, first", () => {
  const accesses = Array.from({ length: 300 }, (_, i) => ({
    does: "access" as const,
    kind: "load" as const,
    address: BigInt(i % 150) << 12n,
    nrBytes: 1,
    instruction: BigInt(i % 150),
  }));
  const runner = new StudyRunner([{ processor: SMALL, policies: [{ name: "4K", policy: "4K" }] }], {
    ...PLAIN,
    hasInstructions: true,
  });
  runner.feed(wordsOf(accesses));
  const instructions = runner.finish()[0].instructions ?? [];
  expect(instructions.length).toBe(100);
  const cycles = instructions.map(([, , walkCycles]) => walkCycles);
  expect(cycles).toEqual(cycles.toSorted((a, b) => b - a));
});

describe("takeReferences", () => {
  const words = wordsOf([
    { does: "flush" },
    { does: "access", kind: "load", address: 0n, nrBytes: 1 },
    { does: "access", kind: "store", address: 4096n, nrBytes: 100, instruction: 5n },
    { does: "invalidate", address: 0n, nrBytes: 4096 },
    { does: "access", kind: "load", address: 0n, nrBytes: 1 },
    { does: "flush" },
  ]);

  test.each([
    { room: 0, length: 0, nrReferences: 0 },
    { room: 1, length: 2, nrReferences: 1 },
    { room: 2, length: 5, nrReferences: 2 },
    { room: 3, length: 8, nrReferences: 3 },
    { room: 4, length: 9, nrReferences: 3 },
    { room: Infinity, length: 9, nrReferences: 3 },
  ])("$room: what belongs to a reference stays with it", ({ room, length, nrReferences }) => {
    expect(takeReferences(words, room)).toEqual({ length, nrReferences });
  });

  test("words in the middle of memory", () => {
    const words = loadsAt(1, 2, 3).subarray(1);
    expect(takeReferences(words, 2)).toEqual({ length: 2, nrReferences: 2 });
  });
});
