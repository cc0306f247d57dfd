/** Processors from JSON: what may be left out, and the one line that says what is wrong. */
import { describe, expect, test } from "vitest";
import { parseProcessor } from "../../src/tlb/parse.ts";

const ARRAY = { name: "dTLB", entries: 64, ways: 4 };
const BANK = { name: "STLB", entries: 1536, ways: 12, hitCycles: 9 };
const MINE = { name: "mine", firstLevel: [ARRAY], secondLevel: [BANK] };

function parse(processor: unknown) {
  return parseProcessor(JSON.stringify(processor), "my.json");
}

test("what is left out has a default", () => {
  const { firstLevel, inclusion, walkers, structureCaches } = parse(MINE);
  expect(firstLevel[0]).toMatchObject({ replacement: "lru", pageSizes: ["4K", "2M", "1G"] });
  expect({ inclusion, walkers }).toEqual({ inclusion: "non-inclusive", walkers: 1 });
  expect(structureCaches.pd).toBe(32);
});

const bank = (fields: object) => ({ ...MINE, secondLevel: [{ ...BANK, ...fields }] });
const array = (fields: object) => ({ ...MINE, firstLevel: [{ ...ARRAY, ...fields }] });

describe("what is wrong", () => {
  test.each<[complaint: string, processor: unknown]>([
    ["processor: is no object", []],
    ["name: is missing", { firstLevel: [ARRAY] }],
    ["name: 1 is no text", { ...MINE, name: 1 }],
    ["firstLevel: is no list", { ...MINE, firstLevel: ARRAY }],
    ["firstLevel: is empty", { ...MINE, firstLevel: [] }],
    ["walkers: 0 is no whole number of 1 to 64", { ...MINE, walkers: 0 }],
    ["nextPagePrefetch: 1 is neither true nor false", { ...MINE, nextPagePrefetch: 1 }],
    [
      "structureCaches.pd: -1 is no whole number of 0 to 1048576",
      { ...MINE, structureCaches: { pd: -1 } },
    ],
    [
      "walkCost.caches[0].ways: 3 does not divide 64 lines",
      { ...MINE, walkCost: { caches: [{ name: "L1", lines: 64, ways: 3, cycles: 5 }] } },
    ],
    ["secondLevel[0].hitCycles: is missing", bank({ hitCycles: undefined })],
    ["secondLevel[0].ways: 7 does not divide 1536 entries", bank({ ways: 7 })],
    ["secondLevel[0].ways: 8 of 1536 entries are 192 sets, no power of two", bank({ ways: 8 })],
    [
      "secondLevel[0].replacement: plru needs a power of two of ways, not 12",
      bank({ replacement: "plru" }),
    ],
    ['secondLevel[0].name: "dTLB" is the name of firstLevel[0]', bank({ name: "dTLB" })],
    [
      "secondLevel[0].kinds: serves some kinds of firstLevel[0], but not all",
      bank({ kinds: ["load"] }),
    ],
    [
      "secondLevel[1]: serves load of 4K with secondLevel[0], but not fetch",
      {
        ...MINE,
        firstLevel: [{ ...ARRAY, kinds: ["load", "store"] }],
        secondLevel: [BANK, { ...BANK, name: "b", kinds: ["load", "store"] }],
      },
    ],
    [
      "secondLevel: 3 banks serve fetch of 4K; it can be 0, 1, 2 or 4",
      { ...MINE, secondLevel: ["a", "b", "c"].map((name) => ({ ...BANK, name })) },
    ],
    [
      "firstLevel[0].wyas: is none of name entries ways pageSizes kinds indexGroups replacement pcids coalescedPages keptAs",
      array({ wyas: 4 }),
    ],
    ['firstLevel[0].pageSizes[0]: "8K" is none of 4K 2M 1G', array({ pageSizes: ["8K"] })],
    ["firstLevel[0].kinds[1]: load is twice", array({ kinds: ["load", "load"] })],
    [
      "firstLevel[0].replacement: mru3-plru needs three times a power of two of ways, not 4",
      array({ replacement: "mru3-plru" }),
    ],
    ["firstLevel[0].coalescedPages: 3 is no power of two", array({ coalescedPages: 3 })],
    ["firstLevel[0].keptAs.2M: 1G is not smaller than 2M", array({ keptAs: { "2M": "1G" } })],
    [
      "firstLevel[1]: serves fetch of 4K, which firstLevel[0] serves",
      { ...MINE, firstLevel: [ARRAY, { ...ARRAY, name: "iTLB" }] },
    ],
    [
      "firstLevel[0].coalescedPages: must be 1 where inclusion is exclusive",
      { ...array({ coalescedPages: 4 }), inclusion: "exclusive" },
    ],
    [
      "firstLevel[0].pcids: 2 is more than the second level keeps, and inclusion is inclusive",
      { ...array({ pcids: 2 }), inclusion: "inclusive" },
    ],
  ])("%s", (complaint, processor) => {
    expect(() => parse(processor)).toThrow(`my.json: ${complaint}`);
  });

  test("text that is no JSON, in one line", () => {
    expect(() => parseProcessor('{\n "name" "x"}', "my.json")).toThrow(/^my\.json: no JSON: .+$/);
  });
});
