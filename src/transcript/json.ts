/**
 * A run as JSON, one object a line. Counters are decimal strings: they have 64 bits.
 *
 *     {"type":"line","file":"a.txt","line":3,"actor":"P","operation":"write","text":"P write a 1",
 *      "result":"ok","counters":{"free":"0"},"differs":false,
 *      "expected":{"result":"ok","counters":{"free":"0"}},"events":["page fault …"]}
 *     {"type":"file","file":"a.txt","kernel":"6.18","lines":9,"asserted":8,"differ":0}
 *     {"type":"summary","files":1,"lines":9,"asserted":8,"differ":0}
 *
 * `counters` are those that changed. `expected` is null when nothing is asserted, and its
 * `counters` null when only the result is.
 */
import type { LineRecord } from "./run.ts";
import type { Tally } from "./tally.ts";

export function lineToJson({ line, result, changes, differs, events }: LineRecord): string {
  const { expectation } = line;
  return JSON.stringify({
    type: "line",
    file: line.place.file,
    line: line.place.line,
    actor: line.actor,
    operation: line.spec.name,
    text: line.text.trimStart(),
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
  });
}

export function fileToJson(file: string, kernel: string, tally: Tally): string {
  return JSON.stringify({ type: "file", file, kernel, ...tallyToJson(tally) });
}

export function summaryToJson(nrFiles: number, tally: Tally): string {
  return JSON.stringify({ type: "summary", files: nrFiles, ...tallyToJson(tally) });
}

function countersToJson(counters: ReadonlyMap<string, bigint>): Record<string, string> {
  return Object.fromEntries([...counters].map(([name, value]) => [name, value.toString()]));
}

function tallyToJson({ nrLines, nrAsserted, nrDiffering }: Tally) {
  return { lines: nrLines, asserted: nrAsserted, differ: nrDiffering };
}
