/** The rules of `src/tlb/config.ts` one by one, on the slow model, by hand. */
import { describe, expect, test } from "vitest";
import type { PageSize, ReferenceKind } from "../../src/tlb/config.ts";
import { PAGE_BYTES } from "../oracle/tlb-array.ts";
import { TlbModel } from "../oracle/tlb-model.ts";
import { type Parts, smallProcessor } from "./small-processor.ts";

function createModel(parts?: Parts): TlbModel {
  return new TlbModel(smallProcessor(parts));
}

type Page = number | { page: number; size?: PageSize; pcid?: number; kind?: ReferenceKind };

/** Where each reference found its page: level 1, level 2, or W for a walk. */
function found(model: TlbModel, pages: readonly Page[]): string {
  const { counts } = model;
  return pages
    .map((of) => {
      const { page, size = "4K", pcid, kind = "load" } = typeof of === "number" ? { page: of } : of;
      const walks = counts.walks;
      const hits = counts.secondLevel.map((bank) => bank.hits).join();
      model.refer({ address: page * PAGE_BYTES[size], kind, pageSize: size, pcid });
      if (counts.walks > walks) return "W";
      return counts.secondLevel.map((bank) => bank.hits).join() === hits ? "1" : "2";
    })
    .join("");
}

describe("inclusion", () => {
  test("non-inclusive: the first level keeps what the second evicts", () => {
    // Page 0 is touched in the first level only, so it is the second level's oldest.
    expect(found(createModel(), [0, 1, 0, 2, 0, 3, 0, 4, 0])).toBe("WW1W1W1W1");
  });

  test("inclusive: it does not", () => {
    const model = createModel({ processor: { inclusion: "inclusive" } });
    expect(found(model, [0, 1, 0, 2, 0, 3, 0, 4, 0])).toBe("WW1W1W1WW");
  });

  test("exclusive: both levels together hold six pages, five would not fit otherwise", () => {
    const model = createModel({ processor: { inclusion: "exclusive" } });
    expect(found(model, [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5])).toBe("WWWWWW222222");
    expect(found(createModel(), [0, 1, 2, 3, 4, 0])).toBe("WWWWWW");
  });
});

describe("PCIDs", () => {
  const a = { page: 0, pcid: 1 };
  const b = { page: 0, pcid: 2 };
  const c = { page: 0, pcid: 3 };

  test("an array without drops all at a switch", () => {
    expect(found(createModel(), [a, a, b, a])).toBe("W1WW");
  });

  test("one that keeps two drops the one least recently used", () => {
    const model = createModel({ second: { pcids: 2 } });
    expect(found(model, [a, b, a, c, a, b])).toBe("WW2W2W");
  });

  test("entries of another are not hit", () => {
    const model = createModel({ first: { pcids: 2 }, second: { pcids: 2 } });
    expect(found(model, [a, b, a, b])).toBe("WW11");
  });
});

test("coalescing: four 4K pages share an entry, pages of 2M do not", () => {
  const first = { coalescedPages: 4 };
  expect(found(createModel({ first }), [0, 1, 3, 4])).toBe("W11W");
  const [x, y] = [0, 1].map((page) => ({ page, size: "2M" as const }));
  expect(found(createModel({ first }), [x, y])).toBe("WW");
});

test("1G kept as 2M in the second level only: Zen 2", () => {
  const model = createModel({ second: { keptAs: { "1G": "2M" } } });
  const at = (piece: number) =>
    ({ address: piece * 2 ** 21, kind: "load", pageSize: "1G" }) as const;
  model.refer(at(0));
  model.refer(at(1));
  expect(model.counts.firstLevel[0]).toEqual({ hits: 1, misses: 1 });
  found(model, [
    { page: 1, size: "1G" },
    { page: 2, size: "1G" },
  ]);
  model.refer(at(0));
  expect(model.counts.secondLevel[0]).toEqual({ hits: 1, misses: 3 });
  found(model, [
    { page: 1, size: "1G" },
    { page: 2, size: "1G" },
  ]);
  model.refer(at(1));
  expect(model.counts.walks).toBe(4);
});

test("next-page prefetch: a sequence finds every other page in the second level", () => {
  const model = createModel({ processor: { nextPagePrefetch: true } });
  expect(found(model, [0, 1, 2, 3])).toBe("W2W2");
  expect(model.counts).toMatchObject({ walks: 2, prefetches: 2 });
});

test("two banks deal 4K pages out between them, and each uses all of its sets", () => {
  const bank = { entries: 2, ways: 1, hitCycles: 7 };
  const secondLevel = ["even", "odd"].map((name) => ({ ...bank, name }));
  const model = createModel({ first: { entries: 1, ways: 1 }, processor: { secondLevel } });
  expect(found(model, [0, 2, 1, 0, 2, 4, 2, 0])).toBe("WWW22W2W");
  expect(model.counts.secondLevel.map(({ misses }) => misses)).toEqual([4, 1]);
});

test("mru3-plru: after a set is filled in order, its lowest group loses its lowest way", () => {
  const model = createModel({ first: { entries: 6, ways: 6, replacement: "mru3-plru" } });
  expect(found(model, [0, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6])).toBe("WWWWWWW111111");
});

test("an index of two groups is their XOR: pages 1 and 2 + 3 × 4 are in one set of four", () => {
  const first = { entries: 4, ways: 1, indexGroups: 2 };
  expect(found(createModel({ first }), [1, 2 + 3 * 4, 1])).toBe("WW2");
  expect(found(createModel({ first: { ...first, indexGroups: 1 } }), [1, 2 + 3 * 4, 1])).toBe(
    "WW1",
  );
});

describe("a walk", () => {
  const processor = { structureCaches: { pml4: 1, pdpt: 1, pd: 1 } };

  test("loads what the structure caches do not know", () => {
    const model = createModel({ processor });
    const loads = (page: Page) => {
      const before = [...model.counts.entryLoads];
      found(model, [page]);
      return model.counts.entryLoads.map((n, i) => n - before[i]).join("");
    };
    expect(loads(0)).toBe("1111");
    expect(loads(1)).toBe("1000");
    expect(loads(512)).toBe("1100");
    expect(loads({ page: 1, size: "1G" })).toBe("0010");
    expect(loads({ page: 1, size: "2M" })).toBe("0100");
    // The 1G page's PDPTE points to no table: page 0's is still there.
    expect(loads({ page: 600, size: "1G" })).toBe("0011");
  });

  test("costs what the caches say: eight entries a line", () => {
    const walkCost = { caches: [{ name: "L1", lines: 8, ways: 8, cycles: 5 }], memoryCycles: 100 };
    const model = createModel({ processor: { ...processor, walkCost } });
    found(model, [0]);
    expect(model.counts.walkCycles).toBe(400);
    found(model, [1, 7]);
    expect(model.counts.walkCycles).toBe(410);
    found(model, [8]);
    expect(model.counts).toMatchObject({ walkCycles: 510, loadsFrom: [2, 5] });
  });
});
