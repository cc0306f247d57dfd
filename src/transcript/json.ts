/**
 * A run as JSON, one object a line. Counters are decimal strings: they have 64 bits.
 *
 *     {"type":"line","file":"a.txt","line":3,"actor":"P","operation":"write","text":"P write a 1",
 *      "result":"ok","counters":{"free":"0"},"differs":false,
 *      "expected":{"result":"ok","counters":{"free":"0"}},"events":["page fault …"]}
 *     {"type":"file","file":"a.txt","kernel":"6.18","lines":9,"asserted":8,"differ":0}
 *     {"type":"summary","files":1,"lines":9,"asserted":8,"differ":0}
 *
 * On several kernels, `kernels` has what each of them made of a line, and nothing is expected:
 *
 *     {"type":"compared","file":"a.txt","line":3,"actor":"P","operation":"write",
 *      "text":"P write a 1","differs":true,"kernels":{"6.12":{"result":"ok","counters":{},
 *      "events":[]},"6.18":…}}
 *     {"type":"file","file":"a.txt","kernels":["6.12","6.18"],"lines":9,"asserted":0,"differ":1}
 *
 * `counters` are those that changed. `expected` is null when nothing is asserted, and its
 * `counters` null when only the result is. With `--tlb` a line has `tlb`, and a file has their sum;
 * of several kernels, each has its own. The counts are those of `tlb-cost.ts`:
 *
 *     "tlb":{"cpus":[{"cpu":0,"accesses":2,…}],"operations":[{"operation":"fork","times":1,…}]}
 */
import type { ComparedLine } from "./compare.ts";
import type { LineRecord } from "./run.ts";
import { cpusInOrder } from "./print-tlb.ts";
import type { OperationLine } from "./script.ts";
import type { Tally } from "./tally.ts";
import type { TlbCost } from "./tlb-cost.ts";

export function lineToJson(record: LineRecord): string {
  const { line, result, changes, differs, events, tlb } = record;
  const { expectation } = line;
  return JSON.stringify({
    type: "line",
    ...operationToJson(line),
    result,
    counters: countersToJson(changes),
    differs,
    expected: expectation
      ? {
          result: expectation.result,
          counters: expectation.counters ? countersToJson(expectation.counters) : null,
        }
      : null,
    events,
    tlb: tlb && tlbToJson(tlb),
  });
}

/** `kernels` are in the order of the records. */
export function comparedLineToJson(
  { line, records, differs }: ComparedLine,
  kernels: readonly string[],
): string {
  const outcomes = records.map(({ result, changes, events, tlb }, i) => {
    const counters = countersToJson(changes);
    return [kernels[i], { result, counters, events, tlb: tlb && tlbToJson(tlb) }];
  });
  return JSON.stringify({
    type: "compared",
    ...operationToJson(line),
    differs,
    kernels: Object.fromEntries(outcomes),
  });
}

/** `tlbs` is what each kernel's cost, in their order; undefined: that was not measured. */
export function comparedFileToJson(
  file: string,
  kernels: readonly string[],
  tally: Tally,
  tlbs?: readonly TlbCost[],
): string {
  const tlb = tlbs && Object.fromEntries(tlbs.map((cost, i) => [kernels[i], tlbToJson(cost)]));
  return JSON.stringify({ type: "file", file, kernels, ...tallyToJson(tally), tlb });
}

/** `tlb` is what all lines cost; undefined: that was not measured. */
export function fileToJson(file: string, kernel: string, tally: Tally, tlb?: TlbCost): string {
  return JSON.stringify({
    type: "file",
    file,
    kernel,
    ...tallyToJson(tally),
    tlb: tlb && tlbToJson(tlb),
  });
}

export function summaryToJson(nrFiles: number, tally: Tally): string {
  return JSON.stringify({ type: "summary", files: nrFiles, ...tallyToJson(tally) });
}

function operationToJson(line: OperationLine) {
  return {
    file: line.place.file,
    line: line.place.line,
    actor: line.actor,
    operation: line.spec.name,
    text: line.text.trimStart(),
  };
}

function countersToJson(counters: ReadonlyMap<string, bigint>): Record<string, string> {
  return Object.fromEntries([...counters].map(([name, value]) => [name, value.toString()]));
}

function tallyToJson({ nrLines, nrAsserted, nrDiffering }: Tally) {
  return { lines: nrLines, asserted: nrAsserted, differ: nrDiffering };
}

function tlbToJson({ cpus, operations }: TlbCost) {
  return {
    cpus: cpusInOrder(cpus).map(([cpu, cost]) => ({ cpu, ...cost })),
    operations: [...operations].map(([operation, cost]) => ({ operation, ...cost })),
  };
}
