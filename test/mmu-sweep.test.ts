/**
 * The emulator against the oracle: a fixed sample of every space that `mmu-exhaustive.ts` runs
 * whole, and faults planted to show that the comparison finds them.
 */
import { describe, expect, test } from "vitest";
import {
  newReport,
  sweep,
  VERDICT_KINDS,
  type Report,
  type SweepOptions,
} from "./oracle/compare.ts";
import { ITEMS, sizeOf } from "./oracle/items.ts";
import { LibrarySubject } from "./oracle/library.ts";
import { ModelSubject } from "./oracle/model.ts";
import {
  plantForgottenInstruction,
  plantKeysBeforeLeaf,
  plantLeafOnlyWriteRights,
  plantReservedWithoutPresent,
} from "./oracle/planted.ts";
import { addReport, describeReport, JobRunner } from "./oracle/run-job.ts";
import type { Instruction } from "./oracle/caches.ts";
import { sweepSequences, type SequenceReport } from "./oracle/sequence.ts";
import { changesOfTables } from "./oracle/space-sequence.ts";
import { entryBits } from "./oracle/space-bits.ts";
import { permissionCube, statesOfEveryLevel } from "./oracle/space-cube.ts";
import { kvmSpace } from "./oracle/space-kvm.ts";
import { STYLES } from "./oracle/starts.ts";

const ACCESSES_AN_ITEM = 200_000;
const SEQUENCES_AN_ITEM = 60_000;
const runner = new JobRunner();
const total: SequenceReport = { ...newReport("all"), stale: 0 };

/**
 * A prime near `wanted`, so that a stride meets every value of every small digit of a case's
 * number.
 */
function primeFrom(wanted: number): number {
  let candidate = Math.max(2, wanted);
  while (!isPrime(candidate)) candidate++;
  return candidate;
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor++) {
    if (number % divisor === 0) return false;
  }
  return true;
}

/** Every so many cases, for about as many accesses of each job as its share of the item allows. */
function sample(size: number, whole: number, isSequences: boolean): SweepOptions {
  const wanted = isSequences ? SEQUENCES_AN_ITEM : ACCESSES_AN_ITEM;
  return whole <= wanted || size < 1000 ? {} : { stride: primeFrom(Math.round(whole / wanted)) };
}

describe("the emulator does what the manual says", { timeout: 120_000 }, () => {
  test.each(ITEMS.map(({ title }, item) => ({ title, item })))("$title", ({ item }) => {
    const jobs = runner.jobsOf(item);
    const whole = jobs.reduce((sum, job) => sum + sizeOf(job), 0);
    const different: string[] = [];
    for (const job of jobs) {
      const report = runner.run(job, sample(sizeOf(job), whole, "sequences" in job));
      addReport(total, report);
      expect(report.cases).toBeGreaterThan(0);
      if (report.failures === 0) continue;
      different.push(describeReport({ stale: 0, ...report }), ...report.shown);
    }
    if (different.length > 0) expect.fail(different.join("\n\n"));
  });

  test("nothing else in memory was written", () => {
    expect(runner.strayWrites()).toEqual([]);
  });

  test("every kind of verdict came up often, stale ones too", () => {
    const rare = VERDICT_KINDS.filter((kind) => total.verdicts[kind] < 1000);
    expect(rare).toEqual([]);
    expect(total.stale).toBeGreaterThan(1000);
  });
});

describe("the comparison finds planted faults", () => {
  // Planted in the oracle itself, so that nothing else can differ.
  const subject = new ModelSubject();
  const space = kvmSpace(false);
  const options = { stride: 1009, shownAtMost: 3 };

  test("none planted, none found", () => {
    expect(sweep(subject, space, options).failures).toBe(0);
  });

  test("reserved-bit faults with P = 0, as QEMU has them", () => {
    const planted = plantReservedWithoutPresent(subject);
    const report = sweep(planted, entryBits(STYLES[0], 1, false, [46]), { stride: 29 });
    // Every reserved-bit fault differs, and nothing else does.
    expect(report.failures).toBe(report.verdicts.reserved);
    expect(report.failures).toBeGreaterThan(0);
    expect(report.shown[0]).toMatch(/expected {2}#PF 0x[0-9a-f]*[9bd],.*\n {2}got {7}#PF 0x/);
    expect(sweep(planted, space, options).failures).toBeGreaterThan(0);
  });

  test("keys checked before the leaf's U/S, as Bochs has them", () => {
    const report = sweep(plantKeysBeforeLeaf(subject), space, options);
    expect(report.failures).toBeGreaterThan(0);
    expect(report.shown[0]).toMatch(/pke/);
    // Both ways: a key violation reported for a supervisor page, and one of IA32_PKRS missed.
    const cube: Report = sweep(plantKeysBeforeLeaf(subject), permissionCube(), {
      stride: 1009,
      shownAtMost: 1000,
    });
    const expectedKey = cube.shown.filter((text) => /expected {2}#PF 0x[2367]./.test(text));
    expect(expectedKey.length).toBeGreaterThan(0);
    expect(expectedKey.length).toBeLessThan(cube.shown.length);
  });

  test("write rights that ignore the upper levels", () => {
    const states = statesOfEveryLevel()[0];
    const report = sweep(plantLeafOnlyWriteRights(subject), states, {
      stride: 29,
      shownAtMost: 1000,
    });
    expect(report.failures).toBeGreaterThan(0);
    expect(report.failures).toBeLessThan(report.cases / 2);
    expect(report.shown.some((text) => text.includes("write at CPL"))).toBe(true);
  });

  test.each<{ name: string; isForgotten: (instruction: Instruction) => boolean }>([
    { name: "INVLPG", isForgotten: ({ name }) => name === "INVLPG" },
    { name: "MOV to CR3 of the same PCID", isForgotten: (i) => i.name === "CR3" && i.pcid < 2 },
    { name: "MOV to CR4", isForgotten: ({ name }) => name === "PGE" },
    ...([0, 1, 2, 3] as const).map((type) => ({
      name: `INVPCID ${type}`,
      isForgotten: (i: Instruction) => i.name === "INVPCID" && i.type === type,
    })),
  ])("$name that invalidates nothing", ({ isForgotten }) => {
    const library = new LibrarySubject();
    const sequences = changesOfTables(1, false);
    const planted = plantForgottenInstruction(library, isForgotten);
    expect(sweepSequences(planted, sequences, { stride: 2111 }).failures).toBeGreaterThan(0);
    expect(sweepSequences(library, sequences, { stride: 10_007 }).failures).toBe(0);
  });
});
