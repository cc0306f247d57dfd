/**
 * One script on several kernels, a line at a time.
 */
import type { LineRecord } from "./run.ts";
import type { OperationLine, Script } from "./script.ts";
import type { Tally } from "./tally.ts";

export interface ComparedLine {
  readonly line: OperationLine;
  /** What each of the runs made of it. */
  readonly records: readonly LineRecord[];
  /** Whether they do not all have the same result, si_addr and changes of counters. */
  readonly differs: boolean;
}

/** Takes a line from every run in turn. All are runs of the same script. */
export async function* compareRuns(
  runs: readonly AsyncGenerator<LineRecord>[],
): AsyncGenerator<ComparedLine> {
  try {
    for (;;) {
      const records: LineRecord[] = [];
      for (const run of runs) {
        const next = await run.next();
        if (next.done) return;
        records.push(next.value);
      }
      const [first, ...others] = records;
      const differs = others.some((other) => !isSame(first, other));
      yield { line: first.line, records, differs };
    }
  } finally {
    for (const run of runs) await run.return(undefined);
  }
}

/** The script without what it expects and the kernel it is for: only the kernels are compared. */
export function withoutExpectations(script: Script): Script {
  const bare = (line: OperationLine): OperationLine => ({ ...line, expectation: undefined });
  return {
    ...script,
    machine: { ...script.machine, kernel: undefined },
    operations: script.operations.map(bare),
    lines: script.lines.flatMap((line) => {
      if (line.kind === "operation") return bare(line);
      if (line.kind !== "machine") return line;
      const text = line.text.replace(/[ \t]+kernel=[^ \t]+/, "");
      return text.trim() === "machine" ? [] : { ...line, text };
    }),
  };
}

export function tallyOfCompared({ differs }: ComparedLine): Tally {
  return { nrLines: 1, nrAsserted: 0, nrDiffering: differs ? 1 : 0 };
}

function isSame(a: LineRecord, b: LineRecord): boolean {
  return (
    a.result === b.result &&
    a.faultOffset === b.faultOffset &&
    a.changes.size === b.changes.size &&
    [...a.changes].every(([name, value]) => b.changes.get(name) === value)
  );
}
