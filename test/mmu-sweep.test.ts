/**
 * The emulator against the oracle over whole spaces of tables, accesses and processors.
 *
 * A short form runs a fixed sample of the large spaces; HUGEWALK_EXHAUSTIVE=1 runs every case and prints counts.
 */
import { afterAll, describe, expect, test } from "vitest";
import {
  describeReport,
  sweep,
  type Report,
  type Space,
  type SweepOptions,
} from "./oracle/compare.ts";
import {
  LibrarySubject,
  plantLeafOnlyWriteRights,
  plantReservedWithoutPresent,
} from "./oracle/library.ts";
import {
  accessAfterAccess,
  addressBits,
  anyEntries,
  bitPairs,
  rightsCube,
  singleBits,
  stateCube,
} from "./oracle/spaces.ts";

const isExhaustive = process.env.HUGEWALK_EXHAUSTIVE === "1";
const HOUR_MS = 3_600_000;
const SOME_WIDTHS = [36, 40, 46, 52];
const ALL_WIDTHS = Array.from({ length: 17 }, (_, i) => 36 + i);

const subject = new LibrarySubject();
const reports: Report[] = [];

/** Primes, so that a stride meets every value of every small digit of a case's number. */
const short = (stride: number): SweepOptions =>
  isExhaustive ? {} : { stride, offset: stride >> 1 };

function expectNoDifference(space: Space, options: SweepOptions): void {
  const report = sweep(subject, space, { ...options, needsTotal: isExhaustive });
  reports.push(report);
  if (isExhaustive) console.log(describeReport(report));
  if (report.failures > 0) expect.fail(`${describeReport(report)}\n\n${report.shown.join("\n\n")}`);
  expect(report.cases).toBeGreaterThan(0);
}

describe(
  "the emulator does what the manual says",
  { timeout: isExhaustive ? HOUR_MS : 120_000 },
  () => {
    test("one bit of one entry", () => {
      expectNoDifference(singleBits(isExhaustive ? ALL_WIDTHS : SOME_WIDTHS), {});
    });

    test("two bits of the entries", () => {
      expectNoDifference(bitPairs(SOME_WIDTHS), short(211));
    });

    test("one or two bits of the address", () => {
      expectNoDifference(addressBits(), short(5));
    });

    test("rights at every level", () => {
      expectNoDifference(rightsCube(1), short(1));
      expectNoDifference(rightsCube(2), short(1));
      expectNoDifference(rightsCube(3), short(1));
    });

    test("P, rights and a reserved bit at every level", () => {
      expectNoDifference(stateCube(1, [46], isExhaustive), short(11));
      expectNoDifference(stateCube(2, SOME_WIDTHS, isExhaustive), short(5));
      expectNoDifference(stateCube(3, SOME_WIDTHS, isExhaustive), short(1));
    });

    test("any entries", () => {
      expectNoDifference(anyEntries(isExhaustive ? 5_000_000 : 150_000), {});
    });

    test("one access after another", () => {
      expectNoDifference(accessAfterAccess(), short(1));
    });

    test("nothing else in memory was written", () => {
      expect(subject.strayWrites()).toEqual([]);
    });

    test("every kind of verdict came up often", () => {
      for (const kind of [
        "translated",
        "not-present",
        "reserved",
        "protection",
        "general-protection",
      ] as const) {
        expect(reports.reduce((total, { verdicts }) => total + verdicts[kind], 0)).toBeGreaterThan(
          10_000,
        );
      }
    });

    afterAll(() => {
      if (!isExhaustive) return;
      const total = (of: (report: Report) => number): number =>
        reports.reduce((sum, report) => sum + of(report), 0);
      const seconds = total((report) => report.milliseconds) / 1000;
      console.log(
        `in all: ${total((r) => r.cases)} cases, ${total((r) => r.failures)} failures, ${seconds.toFixed(1)} s`,
      );
    });
  },
);

describe("the comparison finds planted faults", () => {
  const options = { stride: 29, shownAtMost: 3, needsTotal: true };

  test("reserved-bit faults with P = 0", () => {
    const report = sweep(plantReservedWithoutPresent(subject), singleBits([46]), options);
    // Every reserved-bit fault differs, and nothing else does.
    expect(report.failures).toBe(report.verdicts.reserved);
    expect(report.failures).toBeGreaterThan(0);
    expect(report.shown[0]).toMatch(/expected {2}#PF 0x[0-9a-f]*[9bd],.*\n {2}got {7}#PF 0x/);
  });

  test("write rights that ignore the upper levels", () => {
    const report = sweep(plantLeafOnlyWriteRights(subject), rightsCube(1), options);
    expect(report.failures).toBeGreaterThan(0);
    expect(report.failures).toBeLessThan(report.verdicts.protection);
    expect(report.shown[0]).toMatch(/ write of /);
  });
});
