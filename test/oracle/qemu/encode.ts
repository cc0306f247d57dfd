/** Writes a recording: the format is told in columns.ts. */
import { CR2_BEFORE, type Processor, type RecordedCase, secondPageOf } from "./case.ts";
import type { GuestReport } from "./case-file.ts";
import {
  ACCESS_KINDS,
  ColumnSet,
  COLUMNS,
  CONTROL_BITS,
  CR2_IS,
  MAGIC,
  type RecordingHeader,
} from "./columns.ts";

export interface BootToEncode {
  readonly processor: Processor;
  readonly report: GuestReport;
  readonly seed: number;
  readonly cases: readonly RecordedCase[];
}

export function encodeRecording(emulator: string, boots: readonly BootToEncode[]): Buffer {
  const header: RecordingHeader = {
    emulator,
    columns: COLUMNS,
    boots: boots.map(({ processor, report, seed, cases }) => ({
      ...processor,
      cpuid7Ebx: report.cpuid7Ebx,
      cpuid7Ecx: report.cpuid7Ecx,
      cpuid80000001Edx: report.cpuid80000001Edx,
      seed,
      nrCases: cases.length,
    })),
  };
  const json = Buffer.from(JSON.stringify(header));
  const start = Buffer.alloc(12);
  start.write(MAGIC, "latin1");
  start.writeUInt32LE(json.length, 8);
  return Buffer.concat([start, json, ...boots.map(({ cases }) => columnsOf(cases).toPlanes())]);
}

function columnsOf(cases: readonly RecordedCase[]): ColumnSet {
  const set = new ColumnSet(cases.length);
  for (const [i, one] of cases.entries()) {
    const { access, control, parts, outcome } = one;
    set.numbers("control")[i] = CONTROL_BITS.reduce(
      (bits, name, bit) => bits | (control[name] ? 1 << bit : 0),
      0,
    );
    set.numbers("pkru")[i] = control.pkru;
    set.numbers("pkrs")[i] = control.pkrs;
    set.numbers("access")[i] =
      ACCESS_KINDS.indexOf(access.kind) |
      (access.implicit ? 4 : 0) |
      (access.cpl === 3 ? 8 : 0) |
      (access.segment === "ss" ? 16 : 0) |
      ((access.size - 1) << 5);
    set.wide("address")[i] = access.address;
    setEntries(set, i, one);
    set.numbers("part0")[i] = parts[0].physicalAddress;
    set.numbers("part1")[i] = parts.length > 1 ? parts[1].physicalAddress : 0;
    set.numbers("vector")[i] = outcome.vector ?? 0;
    set.numbers("errorCode")[i] = outcome.errorCode;
    const cr2Is = cr2Of(one);
    set.numbers("cr2Is")[i] = cr2Is;
    set.wide("cr2Other")[i] = cr2Is === CR2_IS.other ? outcome.cr2 : 0n;
    set.numbers("stored")[i] = outcome.stored.reduce(
      (bits, isStored, part) => bits | (isStored ? 1 << part : 0),
      0,
    );
  }
  return set;
}

function setEntries(set: ColumnSet, i: number, { entries, outcome }: RecordedCase): void {
  for (const [at, { page, level, value }] of entries.entries()) {
    set.wide(`entry${page}_${level}`)[i] = value;
    set.wide(`changed${page}_${level}`)[i] = value ^ outcome.entriesAfter[at];
  }
  const levelsOf = (page: 0 | 1) =>
    entries.filter((entry) => entry.page === page).map((entry) => entry.level);
  set.numbers("leafLevel")[i] = Math.min(...levelsOf(0));
  const second = levelsOf(1);
  if (second.length > 0) {
    set.numbers("secondLevels")[i] = (Math.max(...second) << 4) | Math.min(...second);
  }
}

function cr2Of({ access, outcome: { cr2 } }: RecordedCase): number {
  if (cr2 === CR2_BEFORE) return CR2_IS.untouched;
  if (cr2 === access.address) return CR2_IS.address;
  return cr2 === secondPageOf(access) ? CR2_IS.secondPage : CR2_IS.other;
}
