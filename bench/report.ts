/** What benches found, as tables for people. */
import { type Timing, WrongResult } from "./measure.ts";

export interface Goal {
  readonly name: string;
  readonly isMet: boolean;
  /** What was measured, against what was asked: `1.7 ns, at most 3 ns`. */
  readonly measured: string;
}

/** A name, then a cell for each column; undefined: not measured. */
export type Row = readonly [string, ...(string | undefined)[]];

export interface Report {
  readonly title: string;
  /** What the numbers are. */
  readonly notes: readonly string[];
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  readonly goals: readonly Goal[];
}

/** `1.65`, `58.3`, `1,234`: three digits, never an exponent. */
export function formatNumber(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** `1.65 (1.71)`: nanoseconds, or units of so many. */
export function formatTiming({ best, median }: Timing, unitNs = 1): string {
  return `${formatNumber(best / unitNs)} (${formatNumber(median / unitNs)})`;
}

/** How many times `base` takes `timing`, by the best of both. */
export function formatRatio(timing: Timing, base: Timing | undefined): string | undefined {
  return base && `${(timing.best / base.best).toFixed(2)}×`;
}

export function timingOf(timings: ReadonlyMap<string, Timing>, name: string): Timing {
  const timing = timings.get(name);
  if (!timing) throw new WrongResult(`"${name}" was not measured`);
  return timing;
}

export function atMost(name: string, value: number, limit: number, unit: string): Goal {
  const measured = `${formatNumber(value)}${unit}, at most ${limit}${unit}`;
  return { name, isMet: value <= limit, measured };
}

export function atLeast(name: string, value: number, limit: number, unit: string): Goal {
  const measured = `${formatNumber(value)}${unit}, at least ${limit}${unit}`;
  return { name, isMet: value >= limit, measured };
}

export function formatReport({ title, notes, columns, rows }: Report): string {
  const table = [["", ...columns], ...rows].map((row) =>
    ["", ...columns].map((_, i) => row[i] ?? "–"),
  );
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  const lines = table.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  "),
  );
  return [`\n== ${title}`, ...notes.map((note) => `   ${note}`), ...lines].join("\n");
}

export function formatGoals(goals: readonly Goal[]): string {
  const width = Math.max(...goals.map(({ name }) => name.length));
  return goals
    .map(({ name, isMet, measured }) => {
      return `${isMet ? "met    " : "not met"}  ${name.padEnd(width)}  ${measured}`;
    })
    .join("\n");
}
