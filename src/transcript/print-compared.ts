/**
 * Several kernels' runs of a script as one transcript: where they agree, a line as of one run;
 * where not, the line without a result, and below it a comment for each kernel.
 *
 *     child munmap a 1h
 *     #   6.12  => ok ; free=1
 *     #   6.18  => ok ; free=1 rsvd=0
 *     # 9 lines, 1 differ between 6.12 6.18
 */
import type { ComparedLine } from "./compare.ts";
import {
  printAmongOthers,
  printEvents,
  type PrintOptions,
  printOperation,
  printRecord,
} from "./print.ts";
import type { Script } from "./script.ts";
import type { Tally } from "./tally.ts";
import { count } from "./text.ts";

/** The lines to print, without line ends and summary; `kernels` are in the order of the records. */
export function printCompared(
  script: Script,
  lines: AsyncIterable<ComparedLine>,
  kernels: readonly string[],
  options: PrintOptions,
): AsyncGenerator<string> {
  return printAmongOthers(script, lines, options, (line) =>
    printComparedLine(line, kernels, options),
  );
}

/** The last line, of one file or of several. */
export function formatComparison(
  kernels: readonly string[],
  { nrLines, nrDiffering }: Tally,
  nrFiles?: number,
): string {
  const files = nrFiles === undefined ? "" : `${count(nrFiles, "file")}, `;
  return `# ${files}${count(nrLines, "line")}, ${nrDiffering} differ between ${kernels.join(" ")}`;
}

function* printComparedLine(
  { line, records, differs }: ComparedLine,
  kernels: readonly string[],
  { colors }: PrintOptions,
): Generator<string> {
  if (!differs) {
    yield* printRecord({ ...records[0], events: [], tlb: undefined }, colors);
    return;
  }
  yield printOperation(line, "", colors).trimEnd();
  const width = Math.max(...kernels.map((kernel) => kernel.length));
  for (const [i, record] of records.entries()) {
    const changes = [...record.changes].map(([name, value]) => ` ${name}=${value}`).join("");
    const observed = `=> ${record.result} ;${changes}`;
    yield `#   ${kernels[i].padEnd(width)}  ${colors.bold(colors.yellow(observed))}`;
    yield* printEvents(record, colors);
  }
}
