/** A script on a real kernel, and what the emulator says of the same. */
import type { Driver } from "../transcript/driver.ts";
import { parseExpectation } from "../transcript/expectation.ts";
import { runScript, type LineRecord } from "../transcript/run.ts";
import type { Expectation, OperationLine, Script } from "../transcript/script.ts";

/** Every line as the driver's kernel carries it out, up to the first of which `isLast` is true. */
export async function runAll(
  script: Script,
  driver: Driver,
  isLast: (record: LineRecord) => boolean = () => false,
): Promise<LineRecord[]> {
  const records: LineRecord[] = [];
  for await (const record of runScript(script, driver)) {
    records.push(record);
    if (isLast(record)) break;
  }
  return records;
}

export interface VerifiedLine {
  readonly real: LineRecord;
  readonly other: LineRecord;
  readonly differs: boolean;
}

/** A difference that is none: the kernel was built without this, or it is switched off. */
export function isUnavailable({ real, differs }: VerifiedLine): boolean {
  return differs && real.result === "ENOSYS";
}

/** Runs what the real kernel has records of on another kernel, and compares. */
export async function* compareWith(
  script: Script,
  records: readonly LineRecord[],
  other: Driver,
): AsyncGenerator<VerifiedLine> {
  let i = 0;
  for await (const record of runScript(expecting(script, records), other)) {
    const real = records[i++];
    const differs =
      record.differs ||
      record.faultOffset !== real.faultOffset ||
      !isSame(record.changes, real.changes);
    yield { real, other: record, differs };
  }
}

/** The script with what was observed as what it expects. */
function expecting(script: Script, records: readonly LineRecord[]): Script {
  const operations = records.map((record): OperationLine => {
    return { ...record.line, expectation: expectationOf(record) };
  });
  return { ...script, operations };
}

function expectationOf({ line, result, changes }: LineRecord): Expectation {
  const counters = [...changes].map(([name, value]) => ` ${name}=${value}`).join("");
  return parseExpectation(`${result} ;${counters}`, line.place, line.spec.name === "pagemap");
}

function isSame<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
