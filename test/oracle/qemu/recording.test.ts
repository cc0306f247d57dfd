/**
 * The recording is whole, and says nothing that no processor could have said. Nothing here walks a
 * table: what must happen is not decided, only what cannot.
 */
import { describe, expect, test } from "vitest";
import { BOOTS } from "./boots.ts";
import { CR2_BEFORE, isCanonical, type RecordedCase, secondPageOf } from "./case.ts";
import { encodeRecording } from "./encode.ts";
import { generateCases } from "./generate.ts";
import { decodeRecording, readRecording } from "./recording.ts";
import { Xorshift } from "./xorshift.ts";

const P = 1;
const W = 2;
const U = 4;
const RSVD = 8;
const I = 16;
const PK = 32;
const A = 0x20n;
const D = 0x40n;
const PS = 0x80n;

const recording = readRecording();
const all = [...recording.cases()];

/** Not an expectation for each of the cases: those cost more than the reading. */
function breaking(isRight: (one: RecordedCase) => boolean): RecordedCase[] {
  return all.filter((one) => !isRight(one)).slice(0, 3);
}

describe("the file", () => {
  test("has its boots, each with the features that the cases use", () => {
    expect(
      recording.header.boots.map(({ levels, maxPhysicalAddressBits }) => ({
        levels,
        maxPhysicalAddressBits,
      })),
    ).toEqual(BOOTS);
    expect(recording.header.emulator).toMatch(/^QEMU emulator version \d/);
    for (const boot of recording.header.boots) {
      const has = (register: number, bit: number) => ((register >>> bit) & 1) === 1;
      expect({
        smep: has(boot.cpuid7Ebx, 7),
        smap: has(boot.cpuid7Ebx, 20),
        pku: has(boot.cpuid7Ecx, 3),
        la57: has(boot.cpuid7Ecx, 16),
        pks: has(boot.cpuid7Ecx, 31),
        nx: has(boot.cpuid80000001Edx, 20),
        pages1G: has(boot.cpuid80000001Edx, 26),
      }).toEqual({
        smep: true,
        smap: true,
        pku: true,
        la57: true,
        pks: true,
        nx: true,
        pages1G: true,
      });
    }
    expect(all.length).toBeGreaterThanOrEqual(100_000);
  });

  test("has the cases that its seeds give", () => {
    for (const [i, boot] of recording.header.boots.entries()) {
      const processor = BOOTS[i];
      const recorded = recording.cases(i);
      for (const made of generateCases(processor, 500, new Xorshift(boot.seed))) {
        const { value } = recorded.next();
        expect({ ...made, outcome: value?.outcome }).toEqual(value);
      }
    }
  });

  test("is written as it is read", () => {
    const cases = [...recording.cases(4)].slice(0, 2000);
    const [report] = recording.header.boots.slice(4);
    const boot = {
      processor: BOOTS[4],
      report: { ...report, nrDone: 2000 },
      seed: report.seed,
      cases,
    };
    const bytes = encodeRecording("none", [boot]);
    expect([...decodeRecording(bytes).cases()]).toEqual(cases);
    expect(() => decodeRecording(bytes.subarray(0, bytes.length - 1))).toThrow("cut off");
    expect(() => decodeRecording(bytes.subarray(1))).toThrow("not a HWQEMU02 recording");
  });

  test("keeps to memory below 64M", () => {
    const limit = 64 * 2 ** 20;
    expect(
      breaking(
        ({ cr3, entries, parts }) =>
          cr3 < limit &&
          entries.every((entry) => entry.physicalAddress < limit) &&
          parts.every((part) => part.physicalAddress + part.length <= limit),
      ),
    ).toEqual([]);
  });
});

describe("every case", () => {
  test("ends as a processor can: done, #GP(0) or #PF", () => {
    expect(
      breaking(({ access, processor, outcome: { vector, errorCode, cr2 } }) => {
        if (vector === 14) {
          const isMark = access.implicit && access.kind === "write" && cr2 === access.address + 4n;
          return cr2 === access.address || cr2 === secondPageOf(access) || isMark;
        }
        const last = BigInt.asUintN(64, access.address + BigInt(access.size) - 1n);
        const isReachable = [access.address, last].every((at) => isCanonical(at, processor.levels));
        if ((vector === undefined) !== isReachable) return false;
        return (vector === undefined || vector === 13) && errorCode === 0 && cr2 === CR2_BEFORE;
      }),
    ).toEqual([]);
  });

  test("has an error code that fits the access", () => {
    expect(
      breaking(({ access, control, outcome: { vector, errorCode } }) => {
        if (vector !== 14) return true;
        const isFetch = access.kind === "fetch";
        const isReadOfMark = access.implicit && access.kind === "write" && !(errorCode & W);
        const expected =
          (access.kind === "write" && !isReadOfMark ? W : 0) |
          (access.cpl === 3 && !access.implicit ? U : 0) |
          (isFetch && (control.nxe || control.smep) ? I : 0);
        if ((errorCode & (W | U | I)) !== expected) return false;
        if (errorCode & PK && (isFetch || !(errorCode & P))) return false;
        if (errorCode & PK && !control.pke && !control.pks) return false;
        return (errorCode & RSVD) === 0 || (errorCode & (P | PK)) === 0;
      }),
    ).toEqual([]);
  });

  test("sets accessed and dirty flags only, dirty in the leaf of a write", () => {
    expect(
      breaking(({ access, entries, outcome }) =>
        entries.every(({ level, value }, i) => {
          const turned = value ^ outcome.entriesAfter[i];
          if ((turned & value) !== 0n || (turned & ~(A | D)) !== 0n) return false;
          const isLeaf = level === 1 || (value & PS) !== 0n;
          return (turned & D) === 0n || (isLeaf && access.kind === "write");
        }),
      ),
    ).toEqual([]);
  });

  test("that is done has all its entries accessed, and stores if it is a write", () => {
    expect(
      breaking(({ access, parts, outcome: { vector, stored, entriesAfter } }) => {
        if (vector !== undefined) return !stored.includes(true);
        if (!entriesAfter.every((value) => (value & A) !== 0n)) return false;
        // The accessed flag of a descriptor is in byte 5.
        const marked = parts[0].length > 5 ? 0 : 1;
        const isWrite = access.kind === "write";
        return stored.every((is, i) => is === (isWrite && (!access.implicit || i === marked)));
      }),
    ).toEqual([]);
  });
});
