/**
 * What the TLBs of a run cost, in tables that close its output (`--tlb`). Each line is a comment of
 * the language; a later run that reads them leaves them out.
 */
import type { TlbCost } from "../transcript/tlb-cost.ts";
import { cpusInOrder, tlbTableLine } from "../transcript/print-tlb.ts";
import { count } from "./numbers.ts";
import { tableLines } from "./table.ts";

const CPU_HEAD = [
  "CPU",
  "accesses",
  "second-level hits",
  "misses",
  "refills",
  "faults",
  "entry loads",
  "walk cycles",
];
const OPERATION_HEAD = [
  "operation",
  "times",
  "invalidations",
  "interrupts",
  "translations",
  "refills",
  "refill cycles",
];

/**
 * First what each CPU did, then what invalidations of each kind of operation led to; what nothing
 * did is left out. `kernel`: the one it was, where there are several.
 */
export function* tlbTables({ cpus, operations }: TlbCost, kernel?: string): Generator<string> {
  const ofCpus = cpusInOrder(cpus).map(([cpu, cost]) => {
    const { accesses, secondLevelHits, misses, refills, faults, entryLoads, walkCycles } = cost;
    return row(cpu, accesses, secondLevelHits, misses, refills, faults, entryLoads, walkCycles);
  });
  const ofOperations = [...operations].map(([operation, cost]) => {
    const { times, invalidations, interrupts, dropped, refills, refillCycles } = cost;
    return [operation, ...row(times, invalidations, interrupts, dropped, refills, refillCycles)];
  });
  const tables = [
    [CPU_HEAD, ofCpus],
    [OPERATION_HEAD, ofOperations],
  ] as const;
  for (const [head, rows] of tables) {
    if (rows.length === 0) continue;
    for (const line of tableLines(head, rows)) yield tlbTableLine(line, kernel);
  }
}

function row(...numbers: readonly number[]): string[] {
  return numbers.map(count);
}
