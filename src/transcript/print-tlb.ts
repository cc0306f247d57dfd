/**
 * What an operation cost in TLBs, as notes below its line (`--tlb`); what costs nothing has none.
 *
 *     shootdown: CPU 1 is interrupted; 3 translations leave
 *     TLB of CPU 0: 1 translation leaves
 *     TLB of CPU 0: 1 translation leaves late, after another process ran
 *     TLB of CPU 0: 2 misses, 1 refill after fork; 7 entry loads, 412 cycles
 */
import { count } from "./text.ts";
import type { CpuTlbCost, TlbCost } from "./tlb-cost.ts";

/** A line of the tables at the end of a run: `tlbTableLine`'s. */
export const TLB_TABLE = /^# TLB (?:[^ ]+ )?\|/;

/** `kernel`: the one it is of, where there are several. */
export function tlbTableLine(row: string, kernel?: string): string {
  return `# TLB ${kernel === undefined ? "" : `${kernel} `}${row}`;
}

export function* tlbNotes({ cpus, operations }: TlbCost): Generator<string> {
  const inOrder = cpusInOrder(cpus);
  for (const [cpu, { interrupts, dropped, droppedLate }] of inOrder) {
    if (interrupts > 0) {
      const often = interrupts > 1 ? ` ${interrupts} times` : "";
      yield `shootdown: CPU ${cpu} is interrupted${often}; ${leaving(dropped)}`;
    } else if (dropped > 0) {
      yield `TLB of CPU ${cpu}: ${leaving(dropped)}`;
    }
    if (droppedLate > 0) {
      yield `TLB of CPU ${cpu}: ${leaving(droppedLate)} late, after another process ran`;
    }
  }
  for (const [cpu, { misses, entryLoads, walkCycles }] of inOrder) {
    if (misses === 0) continue;
    // One CPU makes all accesses of an operation.
    const what = [count(misses, "miss", "misses"), ...refills(operations)].join(", ");
    const loads = `${count(entryLoads, "entry load")}, ${count(walkCycles, "cycle")}`;
    yield `TLB of CPU ${cpu}: ${what}; ${loads}`;
  }
}

export function cpusInOrder(cpus: TlbCost["cpus"]): [number, CpuTlbCost][] {
  return [...cpus].toSorted(([a], [b]) => a - b);
}

function leaving(nr: number): string {
  return `${count(nr, "translation")} ${nr === 1 ? "leaves" : "leave"}`;
}

function refills(operations: TlbCost["operations"]): string[] {
  return [...operations]
    .filter(([, cost]) => cost.refills > 0)
    .map(([operation, cost]) => `${count(cost.refills, "refill")} after ${operation}`);
}
