/**
 * How a run went, in numbers.
 */
import type { LineRecord } from "./run.ts";

export interface Tally {
  readonly nrLines: number;
  readonly nrAsserted: number;
  readonly nrDiffering: number;
}

export const NOTHING_RUN: Tally = { nrLines: 0, nrAsserted: 0, nrDiffering: 0 };

export function tallyOf({ line, differs }: LineRecord): Tally {
  const nrAsserted = line.expectation === undefined ? 0 : 1;
  return { nrLines: 1, nrAsserted, nrDiffering: differs ? 1 : 0 };
}

export function addTallies(a: Tally, b: Tally): Tally {
  return {
    nrLines: a.nrLines + b.nrLines,
    nrAsserted: a.nrAsserted + b.nrAsserted,
    nrDiffering: a.nrDiffering + b.nrDiffering,
  };
}
