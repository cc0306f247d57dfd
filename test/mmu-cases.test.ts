/**
 * The emulator against cases worked out by hand, most of them traps another emulator fell into: entries,
 * accesses, error codes, entries afterwards.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { createMachine, type Cpu, type Machine } from "../src/index.ts";
import { HAND_CASES } from "./oracle/cases.ts";
import { ADDRESS, changed, sceneOf, startOf } from "./oracle/hand-case.ts";
import { LibrarySubject } from "./oracle/library.ts";
import { placeOf, type Outcome } from "./oracle/scene.ts";

describe("by hand", () => {
  const subject = new LibrarySubject();

  test.each(HAND_CASES)("$name", (handCase) => {
    let entries = startOf(handCase);
    subject.place(sceneOf(handCase.steps[0], entries));
    for (const step of handCase.steps) {
      const scene = sceneOf(step, entries);
      const before = changed(entries, step.store);
      before.forEach((entry, i) => {
        if (entry !== entries[i]) subject.machine.ram.store(scene.place.atNumber[i], 8, entry);
      });
      const outcome: Partial<Outcome> = subject.access(scene);
      if (step.gives === "#GP(0)") expect(outcome).toMatchObject({ vector: 13, errorCode: 0 });
      else if ("pageFault" in step.gives) {
        expect(outcome).toMatchObject({
          vector: 14,
          errorCode: step.gives.pageFault,
          cr2: scene.address,
        });
      } else {
        expect(outcome).toMatchObject({ vector: 0, physicalAddress: Number(step.gives.physical) });
      }
      entries = changed(before, step.after);
      expect(subject.entries(scene)).toEqual(entries);
    }
  });
});

// ---------------------------------------------------------------- cases with loads, stores and invalidation

const CR4_PGE = 1n << 7n;
const CR4_PCIDE = 1n << 17n;
const CR3_KEEP = 1n << 63n;

let machine: Machine;
let cpu: Cpu;

/** Stores the entries that `address` selects, in tables at 0x1000, 0x2000, 0x3000 and 0x4000. */
function map(address: bigint, entries: { pte?: bigint; pde?: bigint }): void {
  const { pte = 0x5007n, pde = 0x4007n } = entries;
  const at = placeOf(address).atNumber;
  [pte, pde, 0x3007n, 0x2007n].forEach((entry, i) => machine.ram.store(at[i], 8, entry));
}

const setPde = (entry: bigint): void => machine.ram.store(placeOf(ADDRESS).atNumber[1], 8, entry);

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

describe("9: an access of eight bytes that leaves the canonical addresses", () => {
  const last = 0x0000_7fff_ffff_f000n;
  const at = placeOf(last).atNumber;

  beforeEach(() => map(last, {}));

  test("a store writes nothing", () => {
    machine.ram.store(0x5ff8, 8, 0x1122_3344_5566_7788n);
    expect(cpu.store(last + 0xffcn, 8, 0n)).toMatchObject({ vector: 13, errorCode: 0 });
    expect(machine.ram.load(0x5ff8, 8)).toBe(0x1122_3344_5566_7788n);
    expect(machine.ram.load(at[0], 8) & 0x40n).toBe(0n);
  });

  test("a load", () => {
    expect(cpu.load(last + 0xffcn, 8)).toMatchObject({ vector: 13, errorCode: 0 });
  });

  test("also when the page is cached and dirty", () => {
    expect(cpu.store(last + 0xff8n, 8, 0x1122_3344_5566_7788n)).toBeUndefined();
    expect(cpu.store(last + 0xffcn, 8, 0n)).toMatchObject({ vector: 13, errorCode: 0 });
    expect(machine.ram.load(0x5ff8, 8)).toBe(0x1122_3344_5566_7788n);
  });

  test("the last eight bytes are fine", () => {
    machine.ram.store(0x5ff8, 8, 0x1122_3344_5566_7788n);
    expect(cpu.load(last + 0xff8n, 8)).toBe(0x1122_3344_5566_7788n);
  });

  test("INVLPG of such an address does nothing", () => {
    expect(cpu.access(last, "read")).toBe(0x5000);
    machine.ram.store(at[0], 8, 0x6007n);
    cpu.invalidatePage(0x0000_8000_0000_0000n);
    expect(cpu.access(last, "read")).toBe(0x5000);
    cpu.invalidatePage(last);
    expect(cpu.access(last, "read")).toBe(0x6000);
  });
});

describe("a write across two pages", () => {
  const first = ADDRESS;
  const second = ADDRESS + 0x1000n;

  test("whose second page is absent: CR2 is its base, and no byte is stored", () => {
    map(second, { pte: 0n });
    map(first, {});
    machine.ram.store(0x5ff8, 8, 0x1122_3344_5566_7788n);
    expect(cpu.store(first + 0xffcn, 8, 0n)).toMatchObject({
      vector: 14,
      errorCode: 0x6,
      address: second,
    });
    expect(machine.ram.load(0x5ff8, 8)).toBe(0x1122_3344_5566_7788n);
  });

  test("whose second page is read-only, with the first cached and dirty", () => {
    map(second, { pte: 0x8005n });
    map(first, {});
    expect(cpu.store(first + 0xff8n, 8, 0x1122_3344_5566_7788n)).toBeUndefined();
    expect(cpu.store(first + 0xfffn, 2, 0n)).toMatchObject({
      vector: 14,
      errorCode: 0x7,
      address: second,
    });
    expect(machine.ram.load(0x5ff8, 8)).toBe(0x1122_3344_5566_7788n);
  });

  test("whose first page is absent: CR2 is the address itself", () => {
    map(second, { pte: 0x8007n });
    map(first, { pte: 0n });
    expect(cpu.store(first + 0xffcn, 8, 0n)).toMatchObject({
      vector: 14,
      errorCode: 0x6,
      address: first + 0xffcn,
    });
  });

  test("whose pages are apart in memory", () => {
    map(second, { pte: 0x8007n });
    map(first, {});
    expect(cpu.store(first + 0xffdn, 8, 0x1122_3344_5566_7788n)).toBeUndefined();
    expect(machine.ram.load(0x5ff8, 8)).toBe(0x6677_8800_0000_0000n);
    expect(machine.ram.load(0x8000, 8)).toBe(0x11_2233_4455n);
    expect(cpu.load(first + 0xffdn, 8)).toBe(0x1122_3344_5566_7788n);
    expect(machine.ram.load(placeOf(first).atNumber[0], 8)).toBe(0x5067n);
    expect(machine.ram.load(placeOf(second).atNumber[0], 8)).toBe(0x8067n);
  });
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

  test("a page whose accessed flag software clears stays cached, and a walk sets the flag again", () => {
    map(base, { pde: 0x80_00e7n });
    expect(touch()).toEqual(old);
    setPde(0x80_0087n);
    cpu.invalidatePage(base);
    expect(touch()).toEqual(old);
    expect(machine.ram.load(placeOf(ADDRESS).atNumber[1], 8)).toBe(0x80_00a7n);
  });
});
