/**
 * The emulator's cached translations against cases worked out by hand: what each instruction drops,
 * what it keeps, and what paging-structure caches make of an entry changed behind their back.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { createMachine, type Cpu, type Machine } from "../src/index.ts";
import { ADDRESS } from "./oracle/hand-case.ts";
import { placeOf } from "./oracle/scene.ts";

const CR4_PGE = 1n << 7n;
const CR4_PCIDE = 1n << 17n;
const CR4_SMEP = 1n << 20n;
const CR3_KEEP = 1n << 63n;

let machine: Machine;
let cpu: Cpu;

/** Stores the entries that `address` selects, in tables at 0x1000, 0x2000, 0x3000 and 0x4000. */
function map(address: bigint, entries: { pte?: bigint; pde?: bigint }): void {
  const { pte = 0x5007n, pde = 0x4007n } = entries;
  const at = placeOf(address).at;
  [pte, pde, 0x3007n, 0x2007n].forEach((entry, i) => machine.ram.store(at[i], 8, entry));
}

const setPde = (entry: bigint): void => machine.ram.store(placeOf(ADDRESS).at[1], 8, entry);

beforeEach(() => {
  machine = createMachine({
    ramBytes: 64 * 2 ** 20,
    cpus: 1,
    maxPhysicalAddressBits: 46,
    pages1G: true,
  });
  cpu = machine.cpus[0];
  cpu.cr3 = 0x1000n;
  cpu.cpl = 3;
});

describe("10: invalidation of a 2M page", () => {
  const base = ADDRESS & ~0x1f_ffffn;
  const old = [0x80_1000, 0x9f_f000];
  const fresh = [0xa0_1000, 0xbf_f000];
  const touch = (): number[] =>
    [0x1000n, 0x1f_f000n].map((offset) => cpu.access(base + offset, "read"));

  /** Maps and touches the page, then has its entry changed by software without invalidation. */
  function remap(global: bigint = 0n): void {
    map(base, { pde: 0x80_00e7n | global });
    expect(touch()).toEqual(old);
    setPde(0xa0_00e7n | global);
    expect(touch()).toEqual(old);
  }
  const GLOBAL = 1n << 8n;

  test("INVLPG of any address in the page drops all of it", () => {
    remap();
    cpu.invalidatePage(base + 0x3000n);
    expect(touch()).toEqual(fresh);
  });

  test("INVLPG of the next page drops nothing", () => {
    remap();
    cpu.invalidatePage(base + 0x20_0000n);
    expect(touch()).toEqual(old);
  });

  test("INVLPG drops a global page", () => {
    cpu.cr4 |= CR4_PGE;
    remap(GLOBAL);
    cpu.invalidatePage(base + 0x3000n);
    expect(touch()).toEqual(fresh);
  });

  test("a write to CR3 drops it", () => {
    remap();
    cpu.cr3 = 0x1000n;
    expect(touch()).toEqual(fresh);
  });

  test("a write to CR3 keeps a global page, while CR4.PGE = 1", () => {
    cpu.cr4 |= CR4_PGE;
    remap(GLOBAL);
    cpu.cr3 = 0x1000n;
    expect(touch()).toEqual(old);
  });

  test("a write to CR3 drops a page with G set, while CR4.PGE = 0", () => {
    remap(GLOBAL);
    cpu.cr3 = 0x1000n;
    expect(touch()).toEqual(fresh);
  });

  test("a write to CR3 with bit 63, while CR4.PCIDE = 1, keeps everything, and the bit is not kept", () => {
    cpu.cr4 |= CR4_PCIDE;
    remap();
    cpu.cr3 = 0x1000n | CR3_KEEP;
    expect(cpu.cr3).toBe(0x1000n);
    expect(touch()).toEqual(old);
    cpu.cr3 = 0x1000n;
    expect(touch()).toEqual(fresh);
  });

  test("a write to CR3 without bit 63 drops the entries of its own PCID only", () => {
    cpu.cr4 |= CR4_PCIDE;
    cpu.cr3 = 0x1001n;
    remap();
    cpu.cr3 = 0x1002n;
    expect(touch()).toEqual(fresh);
    cpu.cr3 = 0x1001n | CR3_KEEP;
    expect(touch()).toEqual(old);
    cpu.cr3 = 0x1001n;
    expect(touch()).toEqual(fresh);
  });

  test("INVPCID 0 drops it, by any of its addresses", () => {
    remap();
    expect(cpu.invpcid(0, 0, base + 0x3000n)).toBeUndefined();
    expect(touch()).toEqual(fresh);
  });

  test("INVPCID 0 of the next page, or under another PCID, drops nothing", () => {
    cpu.cr4 |= CR4_PCIDE;
    remap();
    expect(cpu.invpcid(0, 0, base + 0x20_0000n)).toBeUndefined();
    expect(cpu.invpcid(0, 7, base)).toBeUndefined();
    expect(touch()).toEqual(old);
  });

  test("INVPCID 0, 1 and 3 keep a global page, 2 drops it", () => {
    cpu.cr4 |= CR4_PGE;
    remap(GLOBAL);
    for (const type of [0, 1, 3] as const) {
      expect(cpu.invpcid(type, 0, base)).toBeUndefined();
      expect(touch()).toEqual(old);
    }
    expect(cpu.invpcid(2, 0, 0)).toBeUndefined();
    expect(touch()).toEqual(fresh);
  });

  test("INVPCID 1 drops one PCID, 3 all of them", () => {
    cpu.cr4 |= CR4_PCIDE;
    remap();
    cpu.cr3 = 0x1001n;
    expect(cpu.invpcid(1, 1, 0)).toBeUndefined();
    cpu.cr3 = 0x1000n | CR3_KEEP;
    expect(touch()).toEqual(old);
    cpu.cr3 = 0x1001n;
    expect(cpu.invpcid(3, 0, 0)).toBeUndefined();
    cpu.cr3 = 0x1000n | CR3_KEEP;
    expect(touch()).toEqual(fresh);
  });

  test("a change of CR4.PGE drops everything, global pages too", () => {
    cpu.cr4 |= CR4_PGE;
    remap(GLOBAL);
    cpu.cr4 &= ~CR4_PGE;
    expect(touch()).toEqual(fresh);
    setPde(0x80_00e7n);
    expect(touch()).toEqual(fresh);
    cpu.cr4 |= CR4_PGE;
    expect(touch()).toEqual(old);
  });

  test("a change of CR4.PCIDE from 1 to 0 drops everything", () => {
    cpu.cr4 |= CR4_PCIDE;
    remap();
    cpu.cr4 &= ~CR4_PCIDE;
    expect(touch()).toEqual(fresh);
  });

  test("a change of CR4.SMEP from 0 to 1 drops what the PCID has, from 1 to 0 it need not", () => {
    remap();
    cpu.cr4 |= CR4_SMEP;
    expect(touch()).toEqual(fresh);
  });

  test("a page whose accessed flag software clears stays cached, and a walk sets the flag again", () => {
    map(base, { pde: 0x80_00e7n });
    expect(touch()).toEqual(old);
    setPde(0x80_0087n);
    cpu.invalidatePage(base);
    expect(touch()).toEqual(old);
    expect(machine.ram.load(placeOf(ADDRESS).at[1], 8)).toBe(0x80_00a7n);
  });
});

test("INVLPG takes its address as it is: linear-address masking is for data accesses", () => {
  const pointer = ADDRESS | (0x7abcn << 48n);
  map(ADDRESS, {});
  cpu.cr3 = 0x1000n | (1n << 62n);
  expect(cpu.access(pointer, "read")).toBe(0x5000);
  machine.ram.store(placeOf(ADDRESS).at[0], 8, 0x6007n);
  cpu.invalidatePage(pointer);
  expect(cpu.access(pointer, "read")).toBe(0x5000);
  cpu.invalidatePage(ADDRESS);
  expect(cpu.access(pointer, "read")).toBe(0x6000);
});

describe("paging-structure caches", () => {
  const other = ADDRESS + 0x1000n;
  const OTHER_TABLE = 0x8000;

  /** Both pages mapped and the first touched; then the PDE leads to another table. */
  function moveTable(caches: boolean): void {
    machine = createMachine({
      ramBytes: 64 * 2 ** 20,
      cpus: 1,
      ...(caches ? { structureCaches: { pml5e: 2, pml4e: 4, pdpte: 8, pde: 32 } } : {}),
    });
    cpu = machine.cpus[0];
    cpu.cr3 = 0x1000n;
    cpu.cpl = 3;
    map(other, { pte: 0x6007n });
    map(ADDRESS, {});
    machine.ram.store(OTHER_TABLE + (placeOf(other).at[0] - 0x4000), 8, 0x9007n);
    expect(cpu.access(ADDRESS, "read")).toBe(0x5000);
    setPde(BigInt(OTHER_TABLE) | 7n);
  }

  test("off: another page of the table is walked for from CR3", () => {
    moveTable(false);
    expect(cpu.access(other, "read")).toBe(0x9000);
  });

  test("on: another page of the table is found through the PDE that was", () => {
    moveTable(true);
    expect(cpu.access(other, "read")).toBe(0x6000);
  });

  test("INVLPG of any address at all drops every entry of the PCID", () => {
    moveTable(true);
    cpu.invalidatePage(0x7000_0000_0000n);
    expect(cpu.access(other, "read")).toBe(0x9000);
  });

  test("a page fault drops what its address would use", () => {
    moveTable(true);
    machine.ram.store(placeOf(other).at[0], 8, 0n);
    expect(cpu.access(other, "read")).toBe(-1);
    expect(cpu.access(other, "read")).toBe(0x9000);
  });
});
