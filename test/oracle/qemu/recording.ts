/**
 * Reads the recording of QEMU's MMU: what a case was, and what came of it. README.md tells how it
 * was made and where QEMU is known to be wrong; columns.ts has the format.
 *
 *     for (const one of readRecording().cases()) compare(one.outcome, answerOf(one));
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import {
  type Control,
  CR2_BEFORE,
  type Entry,
  type Outcome,
  type Part,
  type RecordedCase,
  secondPageOf,
} from "./case.ts";
import {
  ACCESS_KINDS,
  bytesPerCase,
  ColumnSet,
  COLUMNS,
  CONTROL_BITS,
  CR2_IS,
  MAGIC,
  type RecordedBoot,
  type RecordingHeader,
} from "./columns.ts";
import { indexOf, tableOf } from "./scratch.ts";

export interface Recording {
  readonly header: RecordingHeader;
  /** All cases, in order; of one boot, if its index is given. */
  cases(boot?: number): Generator<RecordedCase>;
}

const FILE = fileURLToPath(new URL("../qemu-recording.bin.gz", import.meta.url));

export function readRecording(path = FILE): Recording {
  return decodeRecording(gunzipSync(readFileSync(path), { chunkSize: 2 ** 20 }));
}

/** Throws if the bytes are not a recording of this format, or not all of one. */
export function decodeRecording(bytes: Buffer): Recording {
  if (bytes.toString("latin1", 0, 8) !== MAGIC) throw new Error(`not a ${MAGIC} recording`);
  let at = 12 + bytes.readUInt32LE(8);
  const header = JSON.parse(bytes.toString("utf8", 12, at)) as RecordingHeader;
  if (JSON.stringify(header.columns) !== JSON.stringify(COLUMNS)) {
    throw new Error("the recording has other columns than this reader");
  }
  const boots = header.boots.map((boot) => {
    const length = boot.nrCases * bytesPerCase();
    const planes = bytes.subarray(at, at + length);
    at += length;
    if (planes.length < length) throw new Error("the recording is cut off");
    return { boot, planes };
  });
  return {
    header,
    *cases(only) {
      for (const [i, { boot, planes }] of boots.entries()) {
        if (only === undefined || only === i) yield* casesOf(boot, planes);
      }
    },
  };
}

function* casesOf(boot: RecordedBoot, planes: Uint8Array): Generator<RecordedCase> {
  const { levels, maxPhysicalAddressBits } = boot;
  const processor = { levels, maxPhysicalAddressBits };
  const columns = viewsOf(ColumnSet.fromPlanes(planes, boot.nrCases));
  for (let i = 0; i < boot.nrCases; i++) {
    const bits = columns.access[i];
    const access = {
      kind: ACCESS_KINDS[bits & 3],
      implicit: (bits & 4) !== 0,
      cpl: bits & 8 ? 3 : 0,
      segment: bits & 16 ? "ss" : "ds",
      address: columns.address[i],
      size: (bits >> 5) + 1,
    } as const;
    const secondPage = secondPageOf(access);
    const { entries, entriesAfter } = entriesOf(columns, i, levels, access.address, secondPage);
    const parts = partsOf(columns, i, access.address, access.size, secondPage);
    const outcome: Outcome = {
      vector: (columns.vector[i] || undefined) as Outcome["vector"],
      errorCode: columns.errorCode[i],
      cr2: cr2Of(columns, i, access.address, secondPage),
      stored: parts.map((_, part) => ((columns.stored[i] >> part) & 1) === 1),
      entriesAfter,
    };
    const control = controlOf(columns, i);
    yield { processor, control, access, cr3: tableOf(levels, 0), entries, parts, outcome };
  }
}

type Columns = ReturnType<typeof viewsOf>;

function viewsOf(set: ColumnSet) {
  const byLevel = (name: string) => [1, 2, 3, 4, 5].map((level) => set.wide(`${name}${level}`));
  return {
    control: set.numbers("control"),
    pkru: set.numbers("pkru"),
    pkrs: set.numbers("pkrs"),
    access: set.numbers("access"),
    address: set.wide("address"),
    leafLevel: set.numbers("leafLevel"),
    secondLevels: set.numbers("secondLevels"),
    parts: [set.numbers("part0"), set.numbers("part1")],
    entry: [byLevel("entry0_"), byLevel("entry1_")],
    changed: [byLevel("changed0_"), byLevel("changed1_")],
    vector: set.numbers("vector"),
    errorCode: set.numbers("errorCode"),
    cr2Is: set.numbers("cr2Is"),
    cr2Other: set.wide("cr2Other"),
    stored: set.numbers("stored"),
  };
}

function controlOf(columns: Columns, i: number): Control {
  const bits = columns.control[i];
  const flags = CONTROL_BITS.map((name, bit) => [name, ((bits >> bit) & 1) === 1]);
  return { ...Object.fromEntries(flags), pkru: columns.pkru[i], pkrs: columns.pkrs[i] } as Control;
}

function entriesOf(
  columns: Columns,
  i: number,
  levels: number,
  address: bigint,
  secondPage: bigint | undefined,
): { entries: Entry[]; entriesAfter: bigint[] } {
  const entries: Entry[] = [];
  const entriesAfter: bigint[] = [];
  const add = (page: 0 | 1, of: bigint, fromLevel: number, leafLevel: number) => {
    for (let level = fromLevel; level >= leafLevel; level--) {
      // Page 1's first entry stands in a table of page 0.
      const table = tableOf(level, page === 1 && level < fromLevel ? 1 : 0);
      const value = columns.entry[page][level - 1][i];
      entries.push({ level, page, physicalAddress: table + 8 * indexOf(of, level), value });
      entriesAfter.push(value ^ columns.changed[page][level - 1][i]);
    }
  };
  add(0, address, levels, columns.leafLevel[i]);
  const second = columns.secondLevels[i];
  if (second !== 0 && secondPage !== undefined) add(1, secondPage, second >> 4, second & 7);
  return { entries, entriesAfter };
}

function partsOf(
  columns: Columns,
  i: number,
  address: bigint,
  size: number,
  secondPage: bigint | undefined,
): Part[] {
  if (secondPage === undefined) return [{ physicalAddress: columns.parts[0][i], length: size }];
  const length = Number(secondPage - address);
  return [
    { physicalAddress: columns.parts[0][i], length },
    { physicalAddress: columns.parts[1][i], length: size - length },
  ];
}

function cr2Of(columns: Columns, i: number, address: bigint, secondPage?: bigint): bigint {
  const is = columns.cr2Is[i];
  if (is === CR2_IS.untouched) return CR2_BEFORE;
  if (is === CR2_IS.address) return address;
  return is === CR2_IS.secondPage && secondPage !== undefined ? secondPage : columns.cr2Other[i];
}
