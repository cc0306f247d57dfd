/**
 * Miss curves against a list that is searched, against arithmetic, and against the slow TLB model.
 */
import { describe, expect, it, test } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { Random } from "../../src/fuzz/random.ts";
import { ADDRESS_BITS, PAGE_SHIFT, PAGE_SIZES, type PageSize } from "../../src/tlb/config.ts";
import type { CurveKind, MissCurve } from "../../src/tlb/miss-curve.ts";
import { parseProcessor } from "../../src/tlb/parse.ts";
import { StackDistances, type StackDistancesOptions } from "../../src/tlb/stack-distances.ts";
import { WordBuffer } from "../../src/trace/word-buffer.ts";
import type { Access } from "../oracle/trace-model.ts";
import { appendStep, replaySlow } from "./both-models.ts";
import { type Step, randomTrace } from "./random-trace.ts";

const CURVE_KINDS: readonly CurveKind[] = ["data", "fetch"];

function feed(distances: StackDistances, trace: readonly Step[]): void {
  const buffer = new WordBuffer();
  const replay = () => {
    distances.replayWords(buffer.words);
    buffer.clear();
  };
  for (const step of trace) {
    if (step.does !== "switch") appendStep(buffer, step);
    if (step.does === "switch" || !buffer.hasRoom) replay();
    if (step.does === "switch") distances.switchTo(step.pcid);
  }
  replay();
}

function replay(trace: readonly Step[], options: StackDistancesOptions = {}): StackDistances {
  const distances = new StackDistances(options);
  feed(distances, trace);
  return distances;
}

/** One load a page of 4K. */
function loadsOf(pages: readonly number[]): Step[] {
  return pages.map((page) => {
    return { does: "access", address: BigInt(page) << 12n, kind: "load", nrBytes: 8 };
  });
}

function cyclic(nrPages: number, nrRounds: number): Step[] {
  return loadsOf(Array.from({ length: nrPages * nrRounds }, (_, i) => i % nrPages));
}

function missesOf(curve: MissCurve): number[] {
  return Array.from({ length: curve.maxEntries }, (_, i) => curve.misses(i + 1));
}

/** All pages that it touches. */
function pagesOf({ address, nrBytes }: Access, pageSize: PageSize): number[] {
  const bytes = 2 ** PAGE_SHIFT[pageSize];
  const from = Number(BigInt.asUintN(ADDRESS_BITS, address));
  const first = Math.floor(from / bytes);
  const length = Math.floor((from + nrBytes - 1) / bytes) - first + 1;
  return Array.from({ length }, (_, i) => (first + i) % (2 ** ADDRESS_BITS / bytes));
}

/** The curve by a list of all pages, the latest first. */
function slowCurve(
  trace: readonly Step[],
  pageSize: PageSize,
  kind: CurveKind,
  maxEntries: number,
) {
  const stack: string[] = [];
  /** By distance, or `maxEntries` if it is no less. */
  const nrReferences = Array.from({ length: maxEntries + 1 }, () => 0);
  let pcid = 0;
  for (const step of trace) {
    if (step.does === "switch") ({ pcid } = step);
    if (step.does !== "access" || (step.kind === "fetch") !== (kind === "fetch")) continue;
    for (const number of pagesOf(step, pageSize)) {
      const page = `${pcid} ${number}`;
      const found = stack.indexOf(page);
      if (found !== -1) stack.splice(found, 1);
      stack.unshift(page);
      nrReferences[found === -1 ? maxEntries : Math.min(found, maxEntries)]++;
    }
  }
  const misses = nrReferences.map((_, n) => nrReferences.slice(n).reduce((sum, m) => sum + m, 0));
  return { accesses: misses[0], misses: misses.slice(1) };
}

/** All curves. */
function expectSlow(trace: readonly Step[], maxEntries: number, message: string) {
  const distances = replay(trace, { maxEntries });
  for (const pageSize of PAGE_SIZES) {
    for (const kind of CURVE_KINDS) {
      const curve = distances.curve(pageSize, kind);
      expect(
        { accesses: curve.accesses, misses: missesOf(curve) },
        `${message}, ${pageSize} ${kind}`,
      ).toEqual(slowCurve(trace, pageSize, kind, maxEntries));
    }
  }
}

describe("curves are those of a list that is searched", () => {
  it("on random traces, with wide accesses and switches", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Random(seed);
      const trace = randomTrace(random);
      expectSlow(trace, random.pick([1, 2, 5, 30, 300]), `seed ${seed}`);
    }
  });

  // Slots run out after 4,096 references, and more of them are live than are kept.
  it.each([1, 50, 700, 3000])("when slots run out, %i pages deep", (maxEntries) => {
    const random = new Random(maxEntries);
    const pages = Array.from({ length: 20_000 }, () => {
      return random.below(random.chance(50) ? 20 : random.chance(50) ? 1000 : 2 ** 36);
    });
    expectSlow(loadsOf(pages), maxEntries, "");
  });

  // Their hashes have the same tag.
  it("of pages that differ in their highest bits and PCIDs alone", () => {
    const random = new Random(2);
    const trace = Array.from({ length: 9000 }, (): Step[] => {
      const address = BigInt(random.below(16)) << 44n;
      return [
        { does: "switch", pcid: random.below(400) },
        { does: "access", address, kind: "load", nrBytes: 1 },
      ];
    });
    expectSlow(trace.flat(), 100, "");
  });

  it("when more slots are taken, as more pages are in use", () => {
    const random = new Random(3);
    const pages = [10, 3000, 6000, 10].flatMap((nrPages) => {
      return Array.from({ length: 12_000 }, () => random.below(nrPages));
    });
    expectSlow(loadsOf(pages), 4000, "");
  });
});

describe("by arithmetic", () => {
  it.each([2, 63, 64, 65, 1000, 5000, 65536])("cyclic over %i pages", (nrPages) => {
    const curve = replay(cyclic(nrPages, 5)).curve("4K", "data");
    expect(curve.misses(nrPages - 1)).toBe(nrPages * 5);
    expect(curve.misses(nrPages)).toBe(nrPages);
    expect(curve.misses(65536)).toBe(nrPages);
  });

  test("cyclic over one page more than the largest TLB", () => {
    const curve = replay(cyclic(65537, 5)).curve("4K", "data");
    expect(curve.misses(65536)).toBe(65537 * 5);
  });

  it.each([1000, 65536])("random over %i pages: 1 − entries / pages", (nrPages) => {
    const random = new Random(nrPages);
    const trace = (length: number) => {
      return loadsOf(Array.from({ length }, () => random.below(nrPages)));
    };
    const distances = replay(trace(16 * nrPages));
    const before = distances.curve("4K", "data");
    feed(distances, trace(200_000));
    const after = distances.curve("4K", "data");
    const accesses = after.accesses - before.accesses;
    for (const share of [0.01, 0.1, 0.5, 0.9, 1]) {
      const entries = Math.floor(nrPages * share);
      const ratio = (after.misses(entries) - before.misses(entries)) / accesses;
      const expected = 1 - entries / nrPages;
      const deviation = Math.sqrt((expected * (1 - expected)) / accesses);
      expect(Math.abs(ratio - expected), `${entries} entries`).toBeLessThanOrEqual(4 * deviation);
    }
  });

  test("one after another, 8 bytes each: first references alone miss", () => {
    const trace = Array.from({ length: 100_000 }, (_, i): Step => {
      return { does: "access", address: BigInt(i * 8), kind: "fetch", nrBytes: 8 };
    });
    const curve = replay(trace).curve("4K", "fetch");
    expect([curve.accesses, curve.misses(1), curve.misses(65536)]).toEqual([100_000, 196, 196]);
  });
});

test("a curve counts what processors with one such TLB miss", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const steps = randomTrace(new Random(seed), 500);
    const trace = steps.filter(({ does }) => does !== "invalidate" && does !== "flush");
    const distances = replay(trace);
    for (const entries of [1, 2, 7, 64]) {
      const firstLevel = CURVE_KINDS.map((kind) => ({
        name: kind,
        entries,
        ways: "full",
        replacement: "lru",
        kinds: kind === "fetch" ? ["fetch"] : ["load", "store"],
        pcids: 5,
      }));
      const processor = parseProcessor(JSON.stringify({ name: "full", firstLevel }), "full");
      for (const pageSize of PAGE_SIZES) {
        const { counts } = replaySlow(processor, trace, pageSize).tlbs;
        expect(
          CURVE_KINDS.map((kind) => distances.curve(pageSize, kind).misses(entries)),
          `seed ${seed}, ${entries} entries, ${pageSize}`,
        ).toEqual(counts.firstLevel.map(({ misses }) => misses));
      }
    }
  }
});

describe("points", () => {
  test("are powers of two, and both ends of a fall", () => {
    const curve = replay(cyclic(100, 50), { maxEntries: 300 }).curve("4K", "data");
    expect(curve.points()).toEqual([
      ...[1, 2, 4, 8, 16, 32, 64, 99].map((entries) => [entries, 5000]),
      ...[100, 128, 256, 300].map((entries) => [entries, 100]),
    ]);
  });

  test("leave out no more than they say", () => {
    const random = new Random(1);
    const pages = Array.from({ length: 50_000 }, () => random.below(random.pick([5, 300, 3000])));
    const curve = replay(loadsOf(pages), { maxEntries: 5000 }).curve("4K", "data");
    for (const tolerance of [0.001, 0.01, 0.2]) {
      const points = curve.points(tolerance);
      expect(points.length).toBeLessThan(15 + 2 / tolerance);
      for (const [i, [entries, misses]] of points.entries()) {
        expect(misses).toBe(curve.misses(entries));
        const [lastEntries, lastMisses] = points[i - 1] ?? [0, Infinity];
        if (entries === lastEntries + 1) continue;
        expect(lastMisses - misses).toBeLessThanOrEqual(tolerance * curve.accesses);
      }
    }
  });

  test("of nothing are there", () => {
    const curve = new StackDistances({ maxEntries: 1 }).curve("1G", "fetch");
    expect(curve.points()).toEqual([[1, 0]]);
  });
});

test("what is out of range is told", () => {
  const distances = new StackDistances({ pageSizes: ["4K"], maxEntries: 8 });
  const curve = distances.curve("4K", "data");
  const wrong = [
    ...[0, 9, 1.5, NaN].map((entries) => () => curve.misses(entries)),
    ...[0, 65537, 1.5].map((maxEntries) => () => new StackDistances({ maxEntries })),
    () => distances.curve("2M", "data"),
  ];
  for (const call of wrong) expect(call).toThrow(OptionError);
});
