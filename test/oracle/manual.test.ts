/**
 * The oracle against cases worked out by hand, so that what judges the emulator is itself judged.
 */
import { describe, expect, test } from "vitest";
import { HAND_CASES } from "./all-cases.ts";
import {
  accessOfStep,
  changed,
  expectedOf,
  PLACE,
  processorOf,
  startOf,
  type Step,
} from "./hand-case.ts";
import { isCanonical } from "./linear-address.ts";
import { newVerdict, translate, type Memory, type Verdict } from "./manual.ts";
import { accessOf, PLAIN_PROCESSOR } from "./processor.ts";
import { memoryTypeOf } from "./rights.ts";
import { entriesOf, loadEntries, loadEntry, newMemory, storeEntries, storeEntry } from "./scene.ts";

/** What the oracle says of a step, and the entries afterwards. */
function judge(step: Step, entries: readonly bigint[]): { verdict: Verdict; after: bigint[] } {
  const memory = newMemory();
  storeEntries(memory.words, PLACE, entriesOf(entries));
  const verdict = newVerdict();
  translate(processorOf(step), memory, accessOfStep(step), verdict);
  return { verdict, after: loadEntries(memory.words, PLACE) };
}

const cr2Of = (verdict: Verdict): bigint =>
  (BigInt(verdict.cr2High) << 32n) | BigInt(verdict.cr2Low);

describe("the oracle, by hand", () => {
  test.each(HAND_CASES)("$name", (handCase) => {
    let entries = startOf(handCase);
    for (const step of handCase.steps) {
      entries = changed(entries, step.store);
      const { verdict, after } = judge(step, entries);
      const { vector, errorCode, cr2 } = expectedOf(step);
      expect({ vector: verdict.vector, errorCode: verdict.errorCode }).toEqual({
        vector,
        errorCode,
      });
      if (cr2 !== undefined) expect(cr2Of(verdict)).toBe(cr2);
      if (typeof step.gives === "object" && "physical" in step.gives) {
        const { physical, patIndex, memoryType, shadowStack } = step.gives;
        expect(verdict.physicalAddress).toBe(Number(physical));
        if (patIndex !== undefined) expect(verdict.patIndex).toBe(patIndex);
        if (shadowStack !== undefined) expect(verdict.isShadowStack).toBe(shadowStack);
        if (memoryType !== undefined) {
          expect(memoryTypeOf(processorOf(step).pat, verdict.patIndex)).toBe(memoryType);
        }
      }
      entries = changed(entries, step.after);
      expect(after).toEqual(entries);
    }
  });
});

describe("reserved bits", () => {
  /** The bits of one entry that make a supervisor's read fault with RSVD. */
  function reservedBits(
    level: number,
    base: bigint,
    nxe: boolean,
    maxPhysicalAddressBits: number,
  ): number[] {
    const found: number[] = [];
    for (let bit = 1; bit < 64; bit++) {
      const step: Step = {
        by: "supervisor",
        access: "read",
        nxe,
        la57: true,
        maxPhysicalAddressBits,
        gives: "#GP(0)",
      };
      const entries = [0x5007n, 0x4007n, 0x3007n, 0x2007n, 0x1007n];
      entries[level - 1] = base | (1n << BigInt(bit));
      const { verdict } = judge(step, entries);
      if (verdict.level === level && (verdict.errorCode & 8) !== 0) found.push(bit);
    }
    return found;
  }
  const range = (low: number, high: number): number[] =>
    Array.from({ length: high - low + 1 }, (_, i) => low + i);

  // Bit 7 of a PDPTE or PDE makes it a page, whose frame 0x3000 or 0x4000 is then too low.
  test.each([
    { entry: "PML5E", level: 5, base: 0x1007n, bits: [7, ...range(40, 51)] },
    { entry: "PML4E", level: 4, base: 0x2007n, bits: [7, ...range(40, 51)] },
    { entry: "PDPTE", level: 3, base: 0x3007n, bits: [7, ...range(40, 51)] },
    { entry: "PDE", level: 2, base: 0x4007n, bits: [7, ...range(40, 51)] },
    { entry: "PTE", level: 1, base: 0x5007n, bits: range(40, 51) },
    {
      entry: "PDPTE of a 1G page",
      level: 3,
      base: 0x87n,
      bits: [...range(13, 29), ...range(40, 51)],
    },
    {
      entry: "PDE of a 2M page",
      level: 2,
      base: 0x87n,
      bits: [...range(13, 20), ...range(40, 51)],
    },
  ])("$entry", ({ level, base, bits }) => {
    expect(reservedBits(level, base, true, 40)).toEqual(bits);
    expect(reservedBits(level, base, false, 40)).toEqual([...bits, 63]);
    expect(reservedBits(level, base, true, 52)).toEqual(bits.filter((bit) => bit < 40));
  });
});

describe("details", () => {
  test.each([
    { la57: false, canonical: [0n, 0x7fff_ffff_ffffn, 0xffff_8000_0000_0000n, ~0n] },
    { la57: true, canonical: [0n, 0xff_ffff_ffff_ffffn, 0xff00_0000_0000_0000n, ~0n] },
  ])("canonical addresses, LA57 = $la57", ({ la57, canonical }) => {
    const high = (address: bigint): number => Number(BigInt.asUintN(64, address) >> 32n);
    expect(canonical.every((address) => isCanonical(high(address), la57))).toBe(true);
    const [, lower, upper] = canonical;
    const others = [lower + 1n, upper - 1n, 1n << 63n, 1n << 62n];
    expect(others.some((address) => isCanonical(high(address), la57))).toBe(false);
  });

  test("one entry used at two levels keeps the flags of both", () => {
    // A PML4 table that is its own PDPT, PD and PT, by its last entry.
    const memory = newMemory();
    storeEntry(memory.words, 0x1ff8, 0x1003n);
    const verdict = newVerdict();
    translate(PLAIN_PROCESSOR, memory, accessOf("write", 0, 0xffff_ffff_ffff_f123n), verdict);
    expect(verdict).toMatchObject({ vector: 0, physicalAddress: 0x1123, pageLevel: 1 });
    expect(loadEntry(memory.words, 0x1ff8)).toBe(0x1063n);
  });

  test("nothing changes when the flags are set already", () => {
    const entries = [0x5067n, 0x4027n, 0x3027n, 0x2027n, 0x1007n];
    const step: Step = { by: "user", access: "write", gives: { physical: 0x5000n } };
    expect(judge(step, entries).after).toEqual(entries);
  });

  test("beyond RAM every bit is set, and in RAM beyond the tables none is", () => {
    const memory: Memory = newMemory();
    const walk = (pml4e: bigint) => {
      storeEntry(memory.words, 0x1000, pml4e);
      const verdict = newVerdict();
      translate(PLAIN_PROCESSOR, memory, accessOf("read", 0, 0n), verdict);
      return verdict;
    };
    expect(walk(0x30_0000_0003n)).toMatchObject({
      errorCode: 9,
      level: 3,
      entryAddress: 0x30_0000_0000,
    });
    expect(walk(0x30_0003n)).toMatchObject({ errorCode: 0, level: 3, entryAddress: 0x30_0000 });
  });
});
