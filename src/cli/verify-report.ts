/**
 * What `verify` prints: each line on which the two kernels part, with both results.
 *
 *     # fork.txt:7
 *     parent write a 2                                     => ok ; free=0
 *     #   emulator: ok ;
 *
 * As JSON, one object a line:
 *
 *     {"type":"line","file":"a.txt","line":3,"actor":"P","operation":"write","text":"P write a 1",
 *      "real":{"result":"ok","counters":{"free":"0"}},
 *      "emulator":{"result":"ok","counters":{}},"differs":true}
 *     {"type":"file","file":"a.txt","release":"6.1.0-56-amd64","profile":"6.1","lines":9,
 *      "differ":1,"unavailable":0,"steady":true}
 *     {"type":"summary","files":1,"lines":9,"differ":1,"unavailable":0}
 */
import type { Colors } from "picocolors/types.js";
import type { VerifiedLine } from "../live/compare.ts";
import type { RealKernel } from "../live/real-kernel.ts";
import type { Verification } from "../live/verification.ts";
import type { LineRecord } from "../transcript/run.ts";
import type { Script } from "../transcript/script.ts";
import { onOneLine } from "../transcript/text.ts";

export interface VerifyCounts {
  readonly nrLines: number;
  readonly nrDiffering: number;
  /** Lines from the first on for which the kernel lacks something. */
  readonly nrUnavailable: number;
}

export interface VerifyReport {
  readonly script: Script;
  readonly kernel: RealKernel;
  readonly profile: string;
  readonly verification: Verification;
}

export interface ReportOptions {
  readonly colors: Colors;
  readonly quiet: boolean;
}

export function countsOf({ script, verification }: VerifyReport): VerifyCounts {
  const { lines } = verification;
  return {
    nrLines: script.operations.length,
    nrDiffering: lines.filter(({ differs }) => differs).length,
    nrUnavailable: script.operations.length - lines.length,
  };
}

/** The lines to print. */
export function* formatReport(report: VerifyReport, options: ReportOptions): Generator<string> {
  const { script, kernel, profile, verification } = report;
  const { colors, quiet } = options;
  const counts = countsOf(report);
  const title = `# ${onOneLine(script.file)}: ${kernel.description}, profile ${profile}`;
  if (!quiet || counts.nrDiffering > 0) yield colors.bold(title);
  const { unsteady, unavailable } = verification;
  if (unsteady) {
    yield `# asked twice, the kernel says ${showRecord(unsteady.real)} and ${showRecord(unsteady.other)}:`;
    yield `# ${place(unsteady.real)}`;
  }
  for (const { real, other, differs } of verification.lines) {
    if (!differs) continue;
    yield colors.dim(`# ${place(real)}`);
    yield `${`${real.line.text} `.padEnd(53)}=> ${colors.bold(colors.red(showRecord(real)))}`;
    yield colors.yellow(`#   emulator: ${showRecord(other)}`);
  }
  if (unavailable) {
    yield colors.dim(`# ${place(unavailable)}`);
    yield `${`${unavailable.line.text} `.padEnd(53)}=> ${showRecord(unavailable)}`;
    yield "#   not available on this kernel; the rest was not compared";
  }
  if (!quiet) yield formatCounts(counts);
}

export function formatCounts(counts: VerifyCounts, nrFiles?: number): string {
  const { nrLines, nrDiffering, nrUnavailable } = counts;
  const files = nrFiles === undefined ? "" : `${nrFiles} file${nrFiles === 1 ? "" : "s"}, `;
  const missing = nrUnavailable === 0 ? "" : `, ${nrUnavailable} not available`;
  const lines = `${nrLines} line${nrLines === 1 ? "" : "s"}`;
  return `# ${files}${lines}, ${nrDiffering} differ${missing}`;
}

export function verifiedToJson({ real, other, differs }: VerifiedLine): string {
  const { place, actor, spec, text } = real.line;
  return JSON.stringify({
    type: "line",
    file: place.file,
    line: place.line,
    actor,
    operation: spec.name,
    text: text.trimStart(),
    real: recordToJson(real),
    emulator: recordToJson(other),
    differs,
  });
}

export function reportToJson(report: VerifyReport): string {
  const { script, kernel, profile, verification } = report;
  const { file } = script;
  const steady = verification.unsteady === undefined;
  const { release } = kernel;
  return JSON.stringify({
    type: "file",
    file,
    release,
    profile,
    ...toJson(countsOf(report)),
    steady,
  });
}

export function totalToJson(nrFiles: number, counts: VerifyCounts): string {
  return JSON.stringify({ type: "summary", files: nrFiles, ...toJson(counts) });
}

function toJson({ nrLines, nrDiffering, nrUnavailable }: VerifyCounts) {
  return { lines: nrLines, differ: nrDiffering, unavailable: nrUnavailable };
}

function recordToJson({ result, changes, faultOffset }: LineRecord) {
  const counters = Object.fromEntries([...changes].map(([name, value]) => [name, `${value}`]));
  return { result, counters, faultOffset };
}

/** `SIGBUS ADRERR at +8 ; free=0`: the address only where it is not the operation's own. */
export function showRecord({ result, changes, faultOffset = 0 }: LineRecord): string {
  const at = faultOffset === 0 ? "" : ` at ${faultOffset < 0 ? "" : "+"}${faultOffset}`;
  const counters = [...changes].map(([name, value]) => ` ${name}=${value}`).join("");
  return `${result}${at} ;${counters}`;
}

function place({ line }: LineRecord): string {
  return `${onOneLine(line.place.file)}:${line.place.line}`;
}
