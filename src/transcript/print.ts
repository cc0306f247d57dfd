/**
 * A run as a transcript: the script's own text, with what was observed after each `=>`. Run
 * again, it asserts all of it. What a run adds are comments, its notes; a later run that reads
 * them puts its own in their place.
 *
 *     #   expected: ok ; free=1          under a line that differs
 *     #   - page fault at a              under a line, what happened inside (`--explain`)
 *     #   6.18  => ok ; free=1           under a line on which kernels differ (`print-compared.ts`)
 *     #   - TLB of CPU 0: 1 miss; …      there, too (`--tlb`)
 *     # TLB | CPU | accesses | …         tables at the end (`--tlb`)
 *     # 12 lines, 10 asserted, 1 differ  the last line
 */
import type { Colors } from "picocolors/types.js";
import { isOnlyWhereNamed, type LineRecord } from "./run.ts";
import type { OperationLine, OtherLine, Script } from "./script.ts";
import { TLB_TABLE, tlbNotes } from "./print-tlb.ts";
import type { Tally } from "./tally.ts";
import { count, onOneLine } from "./text.ts";

/** Where `=>` stands, counted from 0, unless the operation is longer. */
const ARROW_COLUMN = 53;
const NOTE = /^#   (?:expected: |- |[^ ]+ +=> )/;
const SUMMARY =
  /^# (?:[0-9]+ files?, )?[0-9]+ lines?, (?:[0-9]+ asserted, [0-9]+ differ|[0-9]+ differ between .*)$/;

export interface PrintOptions {
  readonly colors: Colors;
  /** Leave out all but lines that differ, each below a comment with its place. */
  readonly onlyDiffering?: boolean;
  /** The kernel it ran on, when that is not what the script's header says. */
  readonly kernel?: string;
}

/**
 * The lines to print, without line ends; the summary is not among them (`formatSummary`).
 * `records` are those of a run of `script`.
 */
export async function* printTranscript(
  script: Script,
  records: AsyncIterable<LineRecord>,
  options: PrintOptions,
): AsyncGenerator<string> {
  if (!options.onlyDiffering && options.kernel !== undefined && !script.machine.kernel) {
    yield `machine kernel=${options.kernel}`;
  }
  yield* printAmongOthers(script, records, options, (record) =>
    printRecord(record, options.colors),
  );
}

/** What `print` makes of each item, among the script's other lines. */
export async function* printAmongOthers<
  Item extends { readonly line: OperationLine; readonly differs: boolean },
>(
  script: Script,
  items: AsyncIterable<Item>,
  options: PrintOptions,
  print: (item: Item) => Iterable<string>,
): AsyncGenerator<string> {
  const rest = script.lines[Symbol.iterator]();
  let isNote = false;
  function* untilOperation(): Generator<string> {
    for (let next = rest.next(); !next.done; next = rest.next()) {
      const line = next.value;
      if (line.kind === "operation") return;
      isNote = line.kind === "comment" && isOwnNote(line.text, isNote);
      if (!options.onlyDiffering && !isNote) yield printOther(line, options);
    }
  }
  yield* untilOperation();
  for await (const item of items) {
    if (!options.onlyDiffering) yield* print(item);
    else if (item.differs) {
      const { file, line } = item.line.place;
      yield options.colors.dim(`# ${onOneLine(file)}:${line}`);
      yield* print(item);
    }
    isNote = true;
    yield* untilOperation();
  }
}

/** The last line of a run, or of several files' runs. */
export function formatSummary(tally: Tally, nrFiles?: number): string {
  const files = nrFiles === undefined ? "" : `${count(nrFiles, "file")}, `;
  const lines = count(tally.nrLines, "line");
  return `# ${files}${lines}, ${tally.nrAsserted} asserted, ${tally.nrDiffering} differ`;
}

/** An earlier run's note: the kinds that stand under an operation, or at the end: anywhere. */
function isOwnNote(text: string, followsOperation: boolean): boolean {
  const isAtEnd = SUMMARY.test(text) || TLB_TABLE.test(text);
  return isAtEnd || (followsOperation && NOTE.test(text));
}

function printOther(line: OtherLine, options: PrintOptions): string {
  if (line.kind === "comment") return options.colors.dim(line.text);
  if (line.kind === "blank" || options.kernel === undefined) return line.text;
  return line.text.replace(/(?<=[ \t]kernel=)[^ \t]+/, () => options.kernel ?? "");
}

export function* printRecord(record: LineRecord, colors: Colors): Generator<string> {
  const { line, result, differs } = record;
  const observed = `=> ${result} ;${printChanges(record)}`;
  yield printOperation(line, differs ? colors.bold(colors.red(observed)) : observed, colors);
  if (differs && line.expectation !== undefined) {
    yield colors.yellow(`#   expected: ${line.expectation.text}`);
  }
  yield* printEvents(record, colors);
}

/** The operation, then `observed`, then its comment. */
export function printOperation(line: OperationLine, observed: string, colors: Colors): string {
  const comment = line.comment === undefined ? "" : `  ${colors.dim(line.comment)}`;
  return `${`${line.text} `.padEnd(ARROW_COLUMN)}${observed}${comment}`;
}

export function* printEvents({ events, tlb }: LineRecord, colors: Colors): Generator<string> {
  for (const event of events) {
    for (const text of event.split("\n")) yield colors.dim(`#   - ${onOneLine(text)}`);
  }
  for (const note of tlb ? tlbNotes(tlb) : []) yield colors.dim(`#   - ${note}`);
}

/** ` free=1 rsvd=0`: as language has it, what changes only where named is left out elsewhere. */
function printChanges({ line, changes }: LineRecord): string {
  const named = line.expectation?.counters;
  return [...changes]
    .filter(([name]) => !isOnlyWhereNamed(name) || named?.has(name))
    .map(([name, value]) => ` ${name}=${value}`)
    .join("");
}
