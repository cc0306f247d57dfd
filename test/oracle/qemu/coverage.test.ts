/**
 * The recording has cases of every rule: each level, reason, right and key. A rule's cases are
 * found by what the entries and the outcome show, without walking a table.
 */
import { describe, expect, test } from "vitest";
import { type RecordedCase, secondPageOf } from "./case.ts";
import { correctedOutcome, DEVIATIONS, deviationsOf } from "./deviations.ts";
import { readRecording } from "./recording.ts";

const P = 1;
const RSVD = 8;
const PK = 32;
const PS = 0x80n;
const NX = 1n << 63n;

const all = [...readRecording().cases()];

/** The entries that a page's walk meets, from the root. */
function chainOf({ entries }: RecordedCase, page: 0 | 1): { value: bigint; level: number }[] {
  const own = entries.filter((entry) => entry.page === page);
  if (page === 0) return own;
  return [...entries.filter((entry) => entry.page === 0 && entry.level > own[0].level), ...own];
}

/** A fault on an operand's only page, or first one: all walks that a rule's count needs. */
const faultsOfPage0 = all.filter(
  ({ access, outcome }) => outcome.vector === 14 && outcome.cr2 === access.address,
);
const rights = (one: RecordedCase, mask: bigint) =>
  chainOf(one, 0).every(({ value }) => (value & mask) === mask);

/** Names of those that occur less often than that. */
const rarerThan = (least: number, counts: Record<string, number>) =>
  Object.entries(counts).filter(([, found]) => found < least);

const done = all.filter(({ outcome }) => outcome.vector === undefined);
const protection = faultsOfPage0.filter(({ outcome }) => (outcome.errorCode & (P | PK)) === P);
const count = (cases: readonly RecordedCase[], has: (one: RecordedCase) => boolean) =>
  cases.filter(has).length;
const isUser = ({ access }: RecordedCase) => access.cpl === 3 && !access.implicit;

test("between a third and two thirds of the cases are done without a fault", () => {
  expect(done.length / all.length).toBeGreaterThan(1 / 3);
  expect(done.length / all.length).toBeLessThan(2 / 3);
});

describe("reasons, each at least 100 times", () => {
  const reserved = faultsOfPage0.filter(({ outcome }) => (outcome.errorCode & RSVD) !== 0);
  const absent = faultsOfPage0.filter(({ outcome }) => (outcome.errorCode & (P | RSVD)) === 0);
  const blamed = (one: RecordedCase, is: (value: bigint) => boolean) =>
    chainOf(one, 0).find(({ value }) => is(value))?.level;
  const hasHighBit = (one: RecordedCase) => (value: bigint) =>
    (value & 0x000f_ffff_ffff_ffffn) >> BigInt(one.processor.maxPhysicalAddressBits) !== 0n;

  /** PS where no page can be mapped, or bits below a large page's frame and above its PAT bit. */
  const isPageSizeReserved = (level: number, value: bigint) =>
    (value & PS) !== 0n &&
    (level > 3 || (value & ((1n << BigInt(3 + 9 * level)) - 0x2000n)) !== 0n);

  test.each([1, 2, 3, 4, 5])("level %i", (level) => {
    const counts = {
      absent: count(absent, (one) => blamed(one, (value) => !(value & 1n)) === level),
      highBit: count(reserved, (one) => blamed(one, hasHighBit(one)) === level),
      noExecuteWithoutNxe: count(
        reserved,
        (one) => !one.control.nxe && blamed(one, (value) => (value & NX) !== 0n) === level,
      ),
      ...(level > 1 && {
        pageSize: count(
          reserved,
          (one) => blamed(one, (value) => isPageSizeReserved(level, value)) === level,
        ),
      }),
    };
    expect(rarerThan(100, counts)).toEqual([]);
  });

  test.each([1, 2, 3])("a page of level %i is mapped, with 4 levels and with 5", (leafLevel) => {
    for (const levels of [4, 5]) {
      const mapped = count(
        done,
        ({ entries, processor }) =>
          processor.levels === levels &&
          entries.findLast(({ page }) => page === 0)?.level === leafLevel,
      );
      expect(mapped).toBeGreaterThan(1000);
    }
  });

  test("rights", () => {
    const counts = {
      userOfSupervisor: count(protection, (one) => isUser(one) && !rights(one, 4n)),
      userWrite: count(
        protection,
        (one) => isUser(one) && one.access.kind === "write" && rights(one, 4n) && !rights(one, 2n),
      ),
      supervisorWriteWithWp: count(
        protection,
        (one) =>
          one.access.kind === "write" && one.control.wp && !rights(one, 4n) && !rights(one, 2n),
      ),
      supervisorWriteWithoutWp: count(
        done,
        (one) => !isUser(one) && one.access.kind === "write" && !one.control.wp && !rights(one, 2n),
      ),
      noExecute: count(
        protection,
        (one) => one.access.kind === "fetch" && chainOf(one, 0).some(({ value }) => value & NX),
      ),
      smep: count(
        protection,
        (one) =>
          one.access.kind === "fetch" &&
          !isUser(one) &&
          one.control.smep &&
          chainOf(one, 0).every(({ value }) => !(value & NX)),
      ),
      smapExplicit: count(
        protection,
        (one) => !isUser(one) && one.access.kind === "read" && one.access.cpl === 0,
      ),
      smapLiftedByAc: count(
        done,
        ({ control, access, ...one }) =>
          access.cpl === 0 &&
          !access.implicit &&
          access.kind !== "fetch" &&
          control.smap &&
          control.ac &&
          one.entries.every(({ value }) => value & 4n),
      ),
      smapImplicitAtCpl3: count(
        protection,
        ({ access, control }) => access.implicit && access.cpl === 3 && control.smap && control.ac,
      ),
      implicitOfSupervisorAtCpl3: count(
        done,
        (one) => one.access.implicit && one.access.cpl === 3 && !rights(one, 4n),
      ),
    };
    expect(rarerThan(100, counts)).toEqual([]);
  });

  test.each(["PKRU", "PKRS"])("protection keys: %s denies each of the sixteen", (register) => {
    const nrByKey: Record<string, number> = {};
    for (let key = 0; key < 16; key++) nrByKey[key] = 0;
    for (const one of faultsOfPage0) {
      if (!(one.outcome.errorCode & PK) || rights(one, 4n) !== (register === "PKRU")) continue;
      nrByKey[String((chainOf(one, 0).at(-1)!.value >> 59n) & 15n)]++;
    }
    // PKRS never denies key 0: the guest's own pages have it.
    const expected = register === "PKRS" ? [["0", 0]] : [];
    expect(rarerThan(50, nrByKey)).toEqual(expected);
  });

  test("operands in two pages, and non-canonical ones", () => {
    const counts = {
      done: count(done, ({ parts }) => parts.length === 2),
      secondPageFaults: count(
        all,
        ({ access, outcome }) => outcome.vector === 14 && outcome.cr2 === secondPageOf(access),
      ),
      doneWithTwoTables: count(done, ({ entries }) =>
        entries.some(({ page, level }) => page === 1 && level > 1),
      ),
      nonCanonical: count(all, ({ outcome }) => outcome.vector === 13),
    };
    expect(rarerThan(100, counts)).toEqual([]);
  });
});

describe("departures from the manual", () => {
  test("each occurs, and is taken out of the corrected outcome", () => {
    const counts = new Map<string, number>(DEVIATIONS.map((name) => [name, 0]));
    let nrUnknown = 0;
    for (const one of all) {
      for (const name of deviationsOf(one)) counts.set(name, (counts.get(name) ?? 0) + 1);
      const corrected = correctedOutcome(one);
      if (!corrected) nrUnknown++;
      else if (deviationsOf({ ...one, outcome: corrected }).length > 0)
        expect.fail(JSON.stringify(corrected));
    }
    expect(rarerThan(100, Object.fromEntries(counts))).toEqual([]);
    expect(nrUnknown).toBe(counts.get("AC for an implicit access"));
  });

  test("a case without any is not corrected", () => {
    const plain = all.filter((one) => deviationsOf(one).length === 0);
    expect(plain.length).toBeGreaterThan(100_000);
    expect(
      plain.every(
        (one) =>
          JSON.stringify(correctedOutcome(one)?.entriesAfter.map(String)) ===
          JSON.stringify(one.outcome.entriesAfter.map(String)),
      ),
    ).toBe(true);
  });
});
