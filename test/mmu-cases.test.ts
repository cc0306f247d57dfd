/**
 * The emulator against cases worked out by hand, most of them traps another emulator fell into:
 * entries, accesses, error codes, entries afterwards.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { createMachine, type Cpu, type Machine } from "../src/index.ts";
import { HAND_CASES } from "./oracle/all-cases.ts";
import {
  accessOfStep,
  ADDRESS,
  changed,
  expectedOf,
  PLACE,
  processorOf,
  startOf,
  type Step,
} from "./oracle/hand-case.ts";
import { LibrarySubject } from "./oracle/library.ts";
import { entriesOf, loadEntries, placeOf, storeEntries } from "./oracle/scene.ts";
import { newOutcome, type Outcome } from "./oracle/subject.ts";

function expectOutcome(outcome: Outcome, step: Step): void {
  const { vector, errorCode, cr2 } = expectedOf(step);
  expect(outcome.vector).toBe(vector);
  if (vector !== 0) expect(outcome.fault).toMatchObject({ vector, errorCode });
  if (cr2 !== undefined) expect(outcome.fault?.address).toBe(cr2);
  if (typeof step.gives === "object" && "physical" in step.gives) {
    expect(outcome.physicalAddress).toBe(Number(step.gives.physical));
  }
}

describe("by hand", () => {
  const subject = new LibrarySubject();

  test.each(HAND_CASES)("$name", (handCase) => {
    let entries = startOf(handCase);
    storeEntries(subject.words, PLACE, entriesOf(entries));
    subject.configure(processorOf(handCase.steps[0]));
    subject.flush();
    for (const step of handCase.steps) {
      const before = changed(entries, step.store);
      storeEntries(subject.words, PLACE, entriesOf(before));
      subject.configure(processorOf(step));
      const outcome = newOutcome();
      const isFirst = step === handCase.steps[0];
      if (isFirst) {
        subject.probe(accessOfStep(step), outcome);
        expectOutcome(outcome, step);
        if (typeof step.gives === "object" && "physical" in step.gives) {
          const { physical: _, ...told } = step.gives;
          expect(outcome.translation).toMatchObject(told);
        }
        expect(loadEntries(subject.words, PLACE)).toEqual(before);
      }
      subject.access(accessOfStep(step), outcome);
      expectOutcome(outcome, step);
      entries = changed(before, step.after);
      expect(loadEntries(subject.words, PLACE)).toEqual(entries);
    }
  });
});

// ---------------------------------------------------------------- cases with loads, stores and
// invalidation

const CR4_PCIDE = 1n << 17n;

let machine: Machine;
let cpu: Cpu;

/** Stores the entries that `address` selects, in tables at 0x1000, 0x2000, 0x3000 and 0x4000. */
function map(address: bigint, entries: { pte?: bigint; pde?: bigint }): void {
  const { pte = 0x5007n, pde = 0x4007n } = entries;
  const at = placeOf(address).at;
  [pte, pde, 0x3007n, 0x2007n].forEach((entry, i) => machine.ram.store(at[i], 8, entry));
}

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
  const at = placeOf(last).at;

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

  test("through SS it is #SS(0)", () => {
    expect(cpu.access(last + 0xffcn, "write", 8, "stack")).toBe(-1);
    expect(cpu.fault).toMatchObject({ vector: 12, errorCode: 0 });
    expect(machine.ram.load(at[0], 8) & 0x60n).toBe(0n);
  });

  test("INVPCID of such an address is #GP(0), of the last good one is not", () => {
    expect(cpu.invpcid(0, 0, 0x0000_8000_0000_0000n)).toMatchObject({ vector: 13, errorCode: 0 });
    expect(cpu.invpcid(0, 0, last + 0xfffn)).toBeUndefined();
    // The address does not count for the other types.
    for (const type of [1, 2, 3] as const) {
      expect(cpu.invpcid(type, 0, 0x0000_8000_0000_0000n)).toBeUndefined();
    }
  });

  test("INVPCID of a PCID, while CR4.PCIDE = 0, is #GP(0) for the types that take one", () => {
    expect(cpu.invpcid(0, 1, last)).toMatchObject({ vector: 13, errorCode: 0 });
    expect(cpu.invpcid(1, 1, 0)).toMatchObject({ vector: 13, errorCode: 0 });
    cpu.cr4 |= CR4_PCIDE;
    expect(cpu.invpcid(0, 1, last)).toBeUndefined();
    expect(cpu.invpcid(1, 1, 0)).toBeUndefined();
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
    expect(machine.ram.load(placeOf(first).at[0], 8)).toBe(0x5067n);
    expect(machine.ram.load(placeOf(second).at[0], 8)).toBe(0x8067n);
  });
});
