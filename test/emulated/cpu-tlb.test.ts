/** One CPU's TLBs: which walks are refills, by hand, and against a search through all pages. */
import { describe, expect, test } from "vitest";
import { CpuTlb } from "../../src/emulated/cpu-tlb.ts";
import { Random } from "../../src/fuzz/random.ts";
import {
  PAGE_SHIFT,
  PAGE_SIZES,
  type PageSize,
  type Processor,
  REFERENCE_KINDS,
  type ReferenceKind,
} from "../../src/tlb/config.ts";
import { TlbModel } from "../../src/tlb/model.ts";
import type { PagePolicy } from "../../src/tlb/page-policy.ts";
import { randomProcessor } from "../tlb/random-processor.ts";
import { smallProcessor } from "../tlb/small-processor.ts";

const [A, B, C] = [0, 4096, 8192];

/** What each of these 4K pages is walked for: nothing, a refill after an operation, or a miss. */
function load(tlb: CpuTlb, ...addresses: number[]) {
  return addresses.map((address) => {
    const { walk } = tlb.refer(address, "load", "4K");
    return walk && (walk.refillAfter ?? "miss");
  });
}

describe("a refill", () => {
  test("is a walk for what an invalidation took, once", () => {
    const tlb = new CpuTlb(smallProcessor());
    load(tlb, A, B, C);
    expect(tlb.invalidate(A, C, "fork")).toBe(2);
    expect(load(tlb, A, B, C, A)).toEqual(["fork", "fork", undefined, undefined]);
  });

  test("is none for what nobody had referred to, or what is there no more", () => {
    const tlb = new CpuTlb(smallProcessor());
    // Four fit into the second level, two more into the first at most: A is gone.
    load(tlb, A, ...[1, 2, 3, 4, 5, 6].map((page) => page * 4096 + 2 ** 21));
    expect(tlb.invalidate(A, C, "fork")).toBe(0);
    expect(load(tlb, A, B)).toEqual(["miss", "miss"]);
  });

  test("is that of the first to take it, until it is filled again", () => {
    const tlb = new CpuTlb(smallProcessor());
    load(tlb, A);
    tlb.invalidate(A, B, "fork");
    expect(tlb.flush("munmap")).toBe(0);
    expect(load(tlb, A)).toEqual(["fork"]);
    expect(tlb.flush("munmap")).toBe(1);
    expect(load(tlb, A)).toEqual(["munmap"]);
  });

  test("is each kind's own where kinds have arrays of their own", () => {
    const split = [
      { name: "code", kinds: ["fetch"], entries: 2, ways: 2 },
      { name: "data", kinds: ["load", "store"], entries: 2, ways: 2 },
    ];
    const tlb = new CpuTlb(smallProcessor({ processor: { firstLevel: split, secondLevel: [] } }));
    const refer = (kind: ReferenceKind) => tlb.refer(A, kind, "4K").walk?.refillAfter;
    refer("load");
    tlb.invalidate(A, B, "fork");
    // It never was in the array of code.
    expect([refer("fetch"), refer("store"), refer("load")]).toEqual([undefined, "fork", undefined]);
  });

  test("takes neighbours along that share an entry, and no pieces that do not", () => {
    const coalescing = { coalescedPages: 4 };
    const tlb = new CpuTlb(smallProcessor({ first: coalescing, second: coalescing }));
    load(tlb, A, B, 4 * 4096);
    expect(tlb.invalidate(C, C + 1, "write")).toBe(2);
    expect(load(tlb, A, B, 4 * 4096)).toEqual(["write", undefined, undefined]);

    const keptAs = { "1G": "2M" };
    const pieces = new CpuTlb(smallProcessor({ first: { keptAs }, second: { keptAs } }));
    const refer = (address: number) => pieces.refer(address, "load", "1G").walk?.refillAfter;
    for (const address of [0, 2 ** 21]) refer(address);
    expect(pieces.invalidate(2 ** 21, 2 ** 22, "write")).toBe(1);
    expect([refer(0), refer(2 ** 21)]).toEqual([undefined, "write"]);
  });
});

test("what is cached of a PCID is kept over a switch; a new owner of the PCID has nothing", () => {
  const pcids = { pcids: 2 };
  const tlb = new CpuTlb(smallProcessor({ first: pcids, second: pcids }));
  tlb.switchToNew(1);
  load(tlb, A);
  tlb.switchToNew(2);
  expect(load(tlb, A)).toEqual(["miss"]);
  tlb.switchTo(1);
  expect(load(tlb, A)).toEqual([undefined]);
  tlb.switchToNew(1);
  expect(load(tlb, A)).toEqual(["miss"]);
  tlb.switchTo(2);
  expect(load(tlb, A)).toEqual([undefined]);
});

test("a PCID that arrays have no room for is missed, not refilled", () => {
  const tlb = new CpuTlb(smallProcessor());
  tlb.switchToNew(1);
  load(tlb, A);
  tlb.switchToNew(2);
  load(tlb, A);
  tlb.switchTo(1);
  expect(tlb.invalidate(A, B, "fork")).toBe(0);
  expect(load(tlb, A)).toEqual(["miss"]);
});

const POLICY: PagePolicy = [];

/** The same with a model of its own that is asked for all pages there are. */
class Searching {
  readonly model: TlbModel;
  #pcid = 0;
  /** By PCID, page and kind: what took it. */
  readonly #lost = new Map<string, string>();
  /** The same, without kinds: what was referred to. */
  readonly #referred = new Set<string>();
  readonly #processor: Processor;
  readonly #pages: readonly { address: number; size: PageSize }[];

  constructor(processor: Processor, pages: readonly { address: number; size: PageSize }[]) {
    this.model = new TlbModel(processor, { policies: [POLICY] });
    this.#processor = processor;
    this.#pages = pages;
  }

  switchTo(pcid: number): void {
    this.model.switchTo(pcid);
    this.#pcid = pcid;
  }

  refer(address: number, kind: ReferenceKind, size: PageSize): string | undefined {
    const { walks } = this.model.counts(POLICY);
    this.model.refer(address, kind, size);
    this.#referred.add(this.#key(address, size, ""));
    const isWalked = this.model.counts(POLICY).walks > walks;
    const by = this.#lost.get(this.#key(address, size, kind));
    for (const each of REFERENCE_KINDS) {
      const key = this.#key(address, size, each);
      if (this.model.has(POLICY, address, each, size)) this.#lost.delete(key);
    }
    return isWalked ? (by ?? "miss") : undefined;
  }

  drop(by: string, act: () => void): void {
    const held = this.#pages.flatMap(({ address, size }) => {
      if (!this.#referred.has(this.#key(address, size, ""))) return [];
      return REFERENCE_KINDS.filter((kind) => this.model.has(POLICY, address, kind, size)).map(
        (kind) => ({ address, size, kind }),
      );
    });
    act();
    for (const { address, size, kind } of held) {
      if (this.model.has(POLICY, address, kind, size)) continue;
      this.#lost.set(this.#key(address, size, kind), by);
    }
  }

  #key(address: number, size: PageSize, kind: ReferenceKind | ""): string {
    const { firstLevel, secondLevel } = this.#processor;
    const shifts = [...firstLevel, ...secondLevel].map(({ pageSizes, keptAs }) => {
      return PAGE_SHIFT[(pageSizes.includes(size) && keptAs[size]) || size];
    });
    const piece = Math.floor(address / 2 ** Math.min(...shifts));
    return `${this.#pcid} ${piece} ${size} ${kind}`;
  }
}

test("refills are those that a search through all pages finds", () => {
  const nrSeen: Record<string, number> = {};
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed);
    // A page that was prefetched has left without being referred to: that is not seen.
    const processor = { ...randomProcessor(random), nextPagePrefetch: false };
    const pages = Array.from({ length: 30 }, () => {
      const size = random.pick(PAGE_SIZES);
      // Pieces of 4K at different offsets of a large page, each a page of its own here.
      const address = random.below(4) * 2 ** PAGE_SHIFT[size] + random.below(8) * 4096;
      return { address: address + PAGE_SIZES.indexOf(size) * 2 ** 40, size };
    });
    const tlb = new CpuTlb(processor);
    const searching = new Searching(processor, pages);
    const names = ["fork", "write", "munmap"];
    for (let step = 0; step < 300; step++) {
      const { address, size } = random.pick(pages);
      if (random.chance(4)) {
        const pcid = random.below(3);
        tlb.switchTo(pcid);
        searching.switchTo(pcid);
      } else if (random.chance(6)) {
        const by = random.pick(names);
        const end = address + random.pick([1, 4096, 2 ** 14, 2 ** 21, 2 ** 30, 2 ** 32]);
        tlb.invalidate(address, end, by);
        searching.drop(by, () => searching.model.invalidate(address, end - address));
      } else if (random.chance(1)) {
        tlb.flush("exit");
        searching.drop("exit", () => searching.model.flush());
      } else {
        const kind = random.pick(REFERENCE_KINDS);
        const { walk } = tlb.refer(address, kind, size);
        const found = walk && (walk.refillAfter ?? "miss");
        const expected = searching.refer(address, kind, size);
        expect(found, `seed ${seed}, step ${step}: ${JSON.stringify(processor)}`).toBe(expected);
        nrSeen[`${found}`] = (nrSeen[`${found}`] ?? 0) + 1;
      }
    }
  }
  expect(Object.keys(nrSeen).toSorted()).toEqual(
    ["exit", "fork", "miss", "munmap", "undefined", "write"].toSorted(),
  );
});
