/** The oracle against cases worked out by hand, so that what judges the emulator is itself judged. */
import { describe, expect, test } from "vitest";
import { HAND_CASES } from "./cases.ts";
import { changed, sceneOf, startOf, type Step } from "./hand-case.ts";
import { isCanonical, translate, type Verdict } from "./manual.ts";
import { judge } from "./scene.ts";

function expectVerdict(verdict: Verdict, step: Step, address: bigint): void {
  if (step.gives === "#GP(0)") expect(verdict.fault).toEqual({ vector: 13, errorCode: 0 });
  else if ("pageFault" in step.gives) {
    expect(verdict.fault).toMatchObject({
      vector: 14,
      errorCode: step.gives.pageFault,
      cr2: address,
    });
  } else {
    expect(verdict.fault).toBeUndefined();
    expect(verdict.physicalAddress).toBe(step.gives.physical);
  }
}

describe("the oracle, by hand", () => {
  test.each(HAND_CASES)("$name", (handCase) => {
    let entries = startOf(handCase);
    for (const step of handCase.steps) {
      entries = changed(entries, step.store);
      const scene = sceneOf(step, entries);
      const judgement = judge(scene);
      expectVerdict(judgement.verdict, step, scene.address);
      entries = changed(entries, step.after);
      expect(judgement.entries).toEqual(entries);
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
        maxPhysicalAddressBits,
        gives: "#GP(0)",
      };
      const entries = [0x5007n, 0x4007n, 0x3007n, 0x2007n];
      entries[level - 1] = base | (1n << BigInt(bit));
      const { fault } = judge(sceneOf(step, entries)).verdict;
      if (fault?.level === level && (fault.errorCode & 8) !== 0) found.push(bit);
    }
    return found;
  }
  const range = (low: number, high: number): number[] =>
    Array.from({ length: high - low + 1 }, (_, i) => low + i);

  // Bit 7 of a PDPTE or PDE makes it a page, whose frame 0x3000 or 0x4000 is then too low.
  test.each([
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
  test("canonical addresses", () => {
    expect(
      [0n, 0x7fff_ffff_ffffn, 0xffff_8000_0000_0000n, 0xffff_ffff_ffff_ffffn].every(isCanonical),
    ).toBe(true);
    expect(
      [0x8000_0000_0000n, 0xffff_7fff_ffff_ffffn, 1n << 63n, 1n << 48n].some(isCanonical),
    ).toBe(false);
  });

  test("one entry used at two levels keeps the flags of both", () => {
    // A PML4 table that is its own PDPT, PD and PT, by its last entry.
    const { writes, physicalAddress, pageLevel } = translate({
      cr3: 0x1000n,
      wp: true,
      nxe: true,
      maxPhysicalAddressBits: 46,
      pages1G: true,
      user: false,
      access: "write",
      address: 0xffff_ffff_ffff_f123n,
      readEntry: (at) => (at === 0x1ff8n ? 0x1003n : 0n),
    });
    expect({ physicalAddress, pageLevel, writes }).toEqual({
      physicalAddress: 0x1123n,
      pageLevel: 1,
      writes: [[0x1ff8n, 0x1063n]],
    });
  });

  test("nothing is written when the flags are set already", () => {
    const entries = [0x5067n, 0x4027n, 0x3027n, 0x2027n];
    const step: Step = { by: "user", access: "write", gives: { physical: 0x5000n } };
    expect(judge(sceneOf(step, entries)).verdict.writes).toEqual([]);
  });

  test("bit 8 and the low bits of CR3 take no part", () => {
    const readEntry = (at: bigint): bigint => (at === 0x1000n ? 0x2107n : 0n);
    const request = {
      cr3: 0x1018n,
      wp: true,
      nxe: true,
      maxPhysicalAddressBits: 46,
      pages1G: true,
      user: true,
      access: "read",
      address: 0n,
      readEntry,
    } as const;
    expect(translate(request)).toEqual({
      fault: { vector: 14, errorCode: 4, cr2: 0n, level: 3, entryAddress: 0x2000n },
      writes: [[0x1000n, 0x2127n]],
    });
  });
});
