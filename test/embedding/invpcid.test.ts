/**
 * INVPCID 0 to 3: what each drops of two PCIDs and of global pages, seen through the lookaside too.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { CR4, type Scene, boot, setCr4 } from "./scene.ts";

const A = 0x40000000;
const B = 0x40001000;
const GLOBAL = 0x40002000;
const PAGES = { A, B, GLOBAL } as const;
const KEEP = 1n << 63n;

let scene: Scene;

function enter(pcid: bigint): void {
  scene.cpu.cr3 = BigInt(scene.root) | pcid | KEEP;
}

/** Three pages, cached under two PCIDs (the global one under both), then remapped in the tables. */
beforeEach(() => {
  scene = boot();
  const { cpu } = scene;
  setCr4(cpu, CR4.pge);
  setCr4(cpu, CR4.pcide);
  for (const at of Object.values(PAGES)) scene.map(at, 0x200000 + (at - A));
  scene.changeLeaf(GLOBAL, (entry) => entry | 0x100n);
  for (const pcid of [2n, 1n]) {
    enter(pcid);
    for (const at of Object.values(PAGES)) {
      cpu.load(at, 8);
      cpu.load(at, 8);
    }
  }
  for (const at of Object.values(PAGES)) scene.changeLeaf(at, (entry) => entry ^ 0x100000n);
});

/** The pages of PCID 1, then 2, of which the translation is the old one. */
function kept(): string[] {
  return [1n, 2n].flatMap((pcid) => {
    enter(pcid);
    return Object.entries(PAGES)
      .filter(([, at]) => scene.cpu.access(at, "read") < 0x300000)
      .map(([name]) => `${name} of ${pcid}`);
  });
}

const ALL = ["A of 1", "B of 1", "GLOBAL of 1", "A of 2", "B of 2", "GLOBAL of 2"];
const without = (...dropped: string[]): string[] => ALL.filter((one) => !dropped.includes(one));

test("nothing is dropped by nothing", () => {
  expect(kept()).toEqual(ALL);
});

describe("0: one address of a PCID", () => {
  test("of the current one", () => {
    scene.cpu.invpcid(0, 1, A + 0xfff);
    expect(kept()).toEqual(without("A of 1"));
  });
  test("of the other one", () => {
    scene.cpu.invpcid(0, 2, A);
    expect(kept()).toEqual(without("A of 2"));
  });
  test("of a third one", () => {
    scene.cpu.invpcid(0, 3, A);
    expect(kept()).toEqual(ALL);
  });
  test("a global page stays; INVLPG drops it", () => {
    scene.cpu.invpcid(0, 1, GLOBAL);
    expect(kept()).toEqual(ALL);
    enter(1n);
    scene.cpu.invalidatePage(GLOBAL);
    expect(kept()).toEqual(without("GLOBAL of 1", "GLOBAL of 2"));
  });
});

test("1: all of a PCID but the global ones", () => {
  scene.cpu.invpcid(1, 2, 0);
  expect(kept()).toEqual(without("A of 2", "B of 2"));
});

test("2: everything", () => {
  scene.cpu.invpcid(2, 0, 0);
  expect(kept()).toEqual([]);
});

test("3: everything but the global ones", () => {
  scene.cpu.invpcid(3, 0, 0);
  expect(kept()).toEqual(["GLOBAL of 1", "GLOBAL of 2"]);
});

test("INVLPG drops the current PCID's page and no other", () => {
  scene.cpu.invalidatePage(A);
  expect(kept()).toEqual(without("A of 1"));
});

describe("what the lookaside holds goes with it", () => {
  test.each([0, 1, 2, 3] as const)("%i", (type) => {
    const { cpu } = scene;
    expect(cpu.access(A, "read")).toBe(0x200000);
    cpu.invpcid(type, type < 2 ? 1 : 0, A);
    expect(cpu.access(A, "read")).toBe(0x300000);
  });
});

describe("#GP(0)", () => {
  test.each([
    ["a type beyond 3", 4, 0, A],
    ["a PCID beyond 4095", 1, 4096, 0],
    ["an address that is not canonical", 0, 1, 2 ** 47],
  ])("%s", (_, type, pcid, address) => {
    expect(scene.cpu.invpcid(type as 0, pcid, address)).toMatchObject({ vector: 13, errorCode: 0 });
    expect(kept()).toEqual(ALL);
  });

  test("types 0 and 1 of a PCID other than 0, while CR4.PCIDE = 0", () => {
    enter(0n);
    setCr4(scene.cpu, CR4.pcide, false);
    expect(scene.cpu.invpcid(0, 1, A)).toMatchObject({ vector: 13 });
    expect(scene.cpu.invpcid(1, 1, 0)).toMatchObject({ vector: 13 });
    expect(scene.cpu.invpcid(1, 0, 0)).toBeUndefined();
    expect(scene.cpu.invpcid(0, 1, A)).toMatchObject({ vector: 13 });
  });
});
