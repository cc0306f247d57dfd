/** Paging-structure caches: what they save, what they make stale, and what ends that. */
import { beforeEach, describe, expect, test } from "vitest";
import { OptionError, createMachine } from "../../src/index.ts";
import { CR4, READ_ONLY, type Scene, boot, setCr4 } from "./scene.ts";

const AT = 0x40000000;
const ALL = { pml5e: 4, pml4e: 4, pdpte: 4, pde: 4 };
const NONE = { pml5e: 0, pml4e: 0, pdpte: 0, pde: 0 };

let scene: Scene;

function start(structureCaches = ALL): void {
  scene = boot({ structureCaches, exactTlb: true });
  for (let i = 0; i < 4; i++) scene.map(AT + i * 0x1000, 0x200000 + i * 0x1000);
  scene.map(AT + 0x200000, 0x300000);
  scene.map(AT + 0x40000000, 0x301000);
  scene.map(AT + 2 ** 39, 0x302000);
}
beforeEach(() => start());

/** Entry loads and structure hits by level of a load. */
function costOf(address: number): { loads: number; hits: readonly number[] } {
  const { cpu } = scene;
  const before = cpu.counts;
  expect(typeof cpu.load(address, 8)).toBe("bigint");
  const { entryLoads, structureHits } = cpu.counts;
  return {
    loads: entryLoads - before.entryLoads,
    hits: [2, 3, 4, 5].map((level) => structureHits[level] - before.structureHits[level]),
  };
}

describe("a walk begins at the lowest entry that is cached", () => {
  test("PDE, PDPTE, PML4E", () => {
    expect(costOf(AT)).toEqual({ loads: 4, hits: [0, 0, 0, 0] });
    expect(costOf(AT + 0x1000)).toEqual({ loads: 1, hits: [1, 0, 0, 0] });
    expect(costOf(AT + 0x200000)).toEqual({ loads: 2, hits: [0, 1, 0, 0] });
    expect(costOf(AT + 0x40000000)).toEqual({ loads: 3, hits: [0, 0, 1, 0] });
    expect(costOf(AT + 2 ** 39)).toEqual({ loads: 4, hits: [0, 0, 0, 0] });
  });

  test("without caches every walk begins at CR3", () => {
    start(NONE);
    for (const at of [AT, AT + 0x1000, AT + 0x200000, AT + 0x40000000]) {
      expect(costOf(at)).toEqual({ loads: 4, hits: [0, 0, 0, 0] });
    }
  });

  test("each cache alone", () => {
    start({ ...NONE, pdpte: 1 });
    costOf(AT);
    expect(costOf(AT + 0x1000)).toEqual({ loads: 2, hits: [0, 1, 0, 0] });
    start({ ...NONE, pml4e: 1 });
    costOf(AT);
    expect(costOf(AT + 0x1000)).toEqual({ loads: 3, hits: [0, 0, 1, 0] });
  });

  test("PML5E, with LA57", () => {
    scene = boot({ structureCaches: ALL, exactTlb: true });
    const { cpu, machine } = scene;
    setCr4(cpu, CR4.la57);
    for (const pml4 of [0x2000n, 0x3000n, 0x4000n, 0x5000n]) {
      machine.ram.store(Number(pml4), 8, (pml4 + 0x1000n) | 7n);
    }
    machine.ram.store(0x1000, 8, 0x2007n);
    machine.ram.store(0x2008, 8, 0x3007n);
    cpu.cr3 = 0x1000n;
    expect(costOf(0)).toEqual({ loads: 5, hits: [0, 0, 0, 0] });
    expect(costOf(2 ** 39)).toEqual({ loads: 4, hits: [0, 0, 0, 1] });
  });

  test("the entry that was used longest ago is the one that goes", () => {
    start({ ...NONE, pde: 2 });
    scene.map(AT + 0x400000, 0x303000);
    scene.map(AT + 0x201000, 0x303000);
    costOf(AT); // A
    costOf(AT + 0x200000); // B
    expect(costOf(AT + 0x1000).loads).toBe(1); // A again
    costOf(AT + 0x400000); // C, for B
    expect(costOf(AT + 0x2000).loads).toBe(1);
    expect(costOf(AT + 0x201000).loads).toBe(4);
  });
});

describe("what is cached stays as it was", () => {
  /** Takes W from the PDE of AT, behind the caches' back. */
  function takeWrite(): void {
    const at = scene.entryAddress(AT, 2);
    scene.machine.ram.store(at, 8, scene.machine.ram.load(at, 8) & ~2n);
  }
  beforeEach(() => costOf(AT));

  test("rights of upper entries, until INVLPG of any address", () => {
    const { cpu } = scene;
    takeWrite();
    expect(cpu.store(AT + 0x1000, 8, 1n)).toBeUndefined();
    cpu.invalidatePage(0x7000_0000_0000);
    expect(cpu.store(AT + 0x2000, 8, 1n)).toMatchObject({ reason: "denied" });
    // The TLB entry of the page that was written is another page's: it was not dropped.
    expect(cpu.store(AT + 0x1000, 8, 1n)).toBeUndefined();
  });

  test.each([
    ["a write to CR3", (one: Scene) => (one.cpu.cr3 = BigInt(one.root))],
    ["INVPCID 0", (one: Scene) => one.cpu.invpcid(0, 0, 0)],
    ["INVPCID 1", (one: Scene) => one.cpu.invpcid(1, 0, 0)],
    ["INVPCID 2", (one: Scene) => one.cpu.invpcid(2, 0, 0)],
    ["INVPCID 3", (one: Scene) => one.cpu.invpcid(3, 0, 0)],
    ["a change of CR4.PGE", (one: Scene) => setCr4(one.cpu, CR4.pge)],
    ["a range", (one: Scene) => one.cpu.invalidateRange(0, 0, 0x1000)],
    ["a flush", (one: Scene) => one.cpu.flush()],
  ])("until %s", (_, invalidate) => {
    takeWrite();
    invalidate(scene);
    expect(scene.cpu.store(AT + 0x1000, 8, 1n)).toMatchObject({ reason: "denied", level: 1 });
  });

  test("until a fault of an address that uses it", () => {
    const { cpu } = scene;
    takeWrite();
    cpu.load(AT + 0x100000, 8);
    expect(cpu.store(AT + 0x1000, 8, 1n)).toMatchObject({ reason: "denied" });
  });

  test("of each PCID apart", () => {
    const { cpu, root } = scene;
    setCr4(cpu, CR4.pcide);
    cpu.cr3 = BigInt(root) | 1n;
    costOf(AT);
    cpu.cr3 = BigInt(root) | 2n;
    expect(costOf(AT + 0x1000).loads).toBe(4);
    cpu.cr3 = BigInt(root) | 1n | (1n << 63n);
    expect(costOf(AT + 0x1000).loads).toBe(1);
    cpu.invpcid(1, 2, 0);
    expect(costOf(AT + 0x2000).loads).toBe(1);
    cpu.invpcid(1, 1, 0);
    expect(costOf(AT + 0x3000).loads).toBe(4);
  });
});

describe("what is never cached", () => {
  test("a leaf, and what is not present", () => {
    const { cpu } = scene;
    scene.map(AT + 0x600000, 0x800000, READ_ONLY, 2);
    costOf(AT + 0x600000);
    cpu.invalidatePage(0);
    // Not to be found below the 2M leaf, nor below an entry that is 0.
    cpu.load(AT + 0x800000, 8);
    expect(cpu.counts.faults["not present"]).toBe(1);
    scene.map(AT + 0x800000, 0x304000);
    expect(costOf(AT + 0x800000).loads).toBeGreaterThan(1);
  });

  test("anything by a probe", () => {
    scene.cpu.probe(AT, "read");
    expect(costOf(AT).loads).toBe(4);
  });
});

test("0 to 64 entries each", () => {
  expect(() => createMachine({ structureCaches: { ...ALL, pde: 65 } })).toThrow(OptionError);
  expect(() => createMachine({ structureCaches: { ...ALL, pml4e: -1 } })).toThrow(OptionError);
});
