/**
 * What may be cached and what must be forgotten, by hand: so that the judge of sequences is itself
 * judged.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { Caches, type Instruction } from "./caches.ts";
import { newVerdict, translate, type Start } from "./manual.ts";
import { accessOf, PLAIN_PROCESSOR } from "./processor.ts";
import { entriesOf, newMemory, placeOf, storeEntries } from "./scene.ts";

const PAGE = 0x1234_5678_9000n;
const SAME_TABLE = PAGE + 0x1000n;
const SAME_DIRECTORY = PAGE + 0x20_0000n;
const SAME_POINTERS = PAGE + 0x4000_0000n;
const ELSEWHERE = 0x7000_0000_0000n;

let caches: Caches;

/** Reads a 4K page with its leaf's bits, under the current PCID. */
function read(linear: bigint, pte = 0x5007n): void {
  const memory = newMemory();
  storeEntries(memory.words, placeOf(linear), entriesOf([pte, 0x4007n, 0x3007n, 0x2007n, 0x1007n]));
  const access = accessOf("read", 3, linear);
  const verdict = newVerdict();
  const used: Start[] = [];
  translate(PLAIN_PROCESSOR, memory, access, verdict, undefined, used);
  caches.fill(linear, access, verdict, used);
}

/** Levels of tables a walk may begin at, and whether there is a TLB entry. */
function held(linear: bigint): { tables: number[]; tlb: boolean } {
  return {
    tables: caches.structuresFor(linear).map(({ start }) => start.level),
    tlb: caches.translationsFor(linear).length > 0,
  };
}

const NOTHING = { tables: [], tlb: false };
const EVERYTHING = { tables: [3, 2, 1], tlb: true };
const GLOBAL_ONLY = { tables: [], tlb: true };

beforeEach(() => {
  caches = new Caches();
  caches.hasGlobalPages = true;
  caches.pcid = 1;
});

test("a walk may leave its page and every entry above it", () => {
  read(PAGE);
  expect(held(PAGE + 0xfffn)).toEqual(EVERYTHING);
  expect(held(SAME_TABLE)).toEqual({ tables: [3, 2, 1], tlb: false });
  expect(held(SAME_DIRECTORY)).toEqual({ tables: [3, 2], tlb: false });
  expect(held(SAME_POINTERS)).toEqual({ tables: [3], tlb: false });
  expect(held(ELSEWHERE)).toEqual(NOTHING);
});

test("a PCID sees its own entries and global pages", () => {
  read(PAGE);
  read(SAME_TABLE, 0x5107n);
  caches.execute({ name: "CR3", pcid: 2, keeps: true });
  expect(held(PAGE)).toEqual(NOTHING);
  expect(held(SAME_TABLE)).toEqual(GLOBAL_ONLY);
  caches.execute({ name: "CR3", pcid: 1, keeps: true });
  expect(held(PAGE).tlb).toBe(true);
});

test("G means nothing while CR4.PGE = 0", () => {
  caches.hasGlobalPages = false;
  read(PAGE, 0x5107n);
  caches.execute({ name: "CR3", pcid: 1, keeps: false });
  expect(held(PAGE)).toEqual(NOTHING);
});

test("a page fault drops what its address would use, and no more", () => {
  read(PAGE);
  read(SAME_DIRECTORY);
  caches.pageFault(PAGE);
  expect(held(PAGE)).toEqual(NOTHING);
  expect(held(SAME_DIRECTORY)).toEqual({ tables: [1], tlb: true });
});

describe("instructions", () => {
  const linear = PAGE;
  const cases: { instruction: Instruction; ordinary: object; global: object }[] = [
    { instruction: { name: "INVLPG", linear }, ordinary: NOTHING, global: NOTHING },
    {
      instruction: { name: "INVLPG", linear: ELSEWHERE },
      ordinary: GLOBAL_ONLY,
      global: GLOBAL_ONLY,
    },
    { instruction: { name: "CR3", pcid: 1, keeps: false }, ordinary: NOTHING, global: GLOBAL_ONLY },
    {
      instruction: { name: "CR3", pcid: 1, keeps: true },
      ordinary: EVERYTHING,
      global: EVERYTHING,
    },
    { instruction: { name: "PGE" }, ordinary: NOTHING, global: NOTHING },
    {
      instruction: { name: "INVPCID", type: 0, pcid: 1, linear },
      ordinary: NOTHING,
      global: GLOBAL_ONLY,
    },
    {
      instruction: { name: "INVPCID", type: 0, pcid: 2, linear },
      ordinary: EVERYTHING,
      global: EVERYTHING,
    },
    {
      instruction: { name: "INVPCID", type: 1, pcid: 1, linear: 0n },
      ordinary: NOTHING,
      global: GLOBAL_ONLY,
    },
    {
      instruction: { name: "INVPCID", type: 1, pcid: 2, linear: 0n },
      ordinary: EVERYTHING,
      global: EVERYTHING,
    },
    {
      instruction: { name: "INVPCID", type: 2, pcid: 0, linear: 0n },
      ordinary: NOTHING,
      global: NOTHING,
    },
    {
      instruction: { name: "INVPCID", type: 3, pcid: 0, linear: 0n },
      ordinary: NOTHING,
      global: GLOBAL_ONLY,
    },
  ];

  test.each(cases)("$instruction", ({ instruction, ordinary, global }) => {
    read(PAGE);
    caches.execute(instruction);
    expect(held(PAGE)).toEqual(ordinary);
    caches.clear();
    read(PAGE, 0x5107n);
    caches.execute(instruction);
    expect(held(PAGE)).toEqual(global);
  });
});
