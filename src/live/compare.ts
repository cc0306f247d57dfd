/** A script on a real kernel, and what the emulator says of the same. */
import type { Driver } from "../transcript/driver.ts";
import { parseExpectation } from "../transcript/expectation.ts";
import { runScript, type LineRecord } from "../transcript/run.ts";
import type { Expectation, OperationLine, Script } from "../transcript/script.ts";

/** Every line as the driver's kernel carries it out. */
export async function runAll(script: Script, driver: Driver): Promise<LineRecord[]> {
  const records: LineRecord[] = [];
  for await (const record of runScript(script, driver)) records.push(record);
  return records;
}

export interface VerifiedLine {
  readonly real: LineRecord;
  readonly other: LineRecord;
  readonly differs: boolean;
}

/** Runs the script on another kernel, and compares with the records of the real one. */
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
  const operations = script.operations.map((line, i): OperationLine => {
    return { ...line, expectation: expectationOf(records[i]) };
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
