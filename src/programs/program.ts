/**
 * Synthetic programs: what well-known algorithms do to memory, without their computing. A program
 * refers to its data alone; it fetches no instructions and has no stack. No reference crosses a
 * page.
 */
import { OptionError } from "../errors.ts";
import { PAGE_SIZES, type PageSize } from "../tlb/config.ts";
import { BoundedSink, type ReferenceSink } from "./sink.ts";

/** Where the data begins: at a page of any size. */
export const DATA_BASE = 2 ** 40;
export const LEAST_BYTES = 2 ** 12;
export const MOST_BYTES = 2 ** 46;

export interface ProgramOptions {
  /** Of the data: an integer of `LEAST_BYTES` to `MOST_BYTES`. */
  readonly bytes: number;
  /** How many references the program makes: an integer above 0. */
  readonly nrReferences: number;
  /** An integer of 0 on; the same one gives the same references. */
  readonly seed: number;
  readonly pageSize: PageSize;
}

export interface Program {
  /** What the command line calls it. */
  readonly name: string;
  /** One line for the help. */
  readonly title: string;
  /** Whether what it refers to depends on the size of its pages: it then runs once for each. */
  readonly dependsOnPageSize: boolean;
  /**
   * Yields every some thousand references, so that the caller can look at the clock. Throws
   * `OptionError` at once for options that are not as `ProgramOptions` says.
   */
  run(sink: ReferenceSink, options: ProgramOptions): Generator<void>;
}

/** What a program does, without end: when it is over, it begins anew. Yields as `Program.run`. */
export type Algorithm = (sink: ReferenceSink, options: ProgramOptions) => Generator<void, never>;

export function defineProgram(
  about: Pick<Program, "name" | "title"> & Partial<Program>,
  algorithm: Algorithm,
): Program {
  return {
    dependsOnPageSize: false,
    ...about,
    run(sink, options) {
      checkOptions(options);
      return runBounded(sink, options, algorithm);
    },
  };
}

function* runBounded(
  sink: ReferenceSink,
  options: ProgramOptions,
  algorithm: Algorithm,
): Generator<void> {
  const bounded = new BoundedSink(sink, options.nrReferences);
  const steps = algorithm(bounded, options);
  while (bounded.nrLeft > 0) {
    steps.next();
    yield;
  }
}

/** Rounds of a loop between two yields. */
export const ROUNDS = 4096;

/** The integers of 0 to n − 1 in ranges of at most `ROUNDS`. */
export function* rangesBelow(n: number): Generator<readonly [from: number, end: number]> {
  for (let from = 0; from < n; from += ROUNDS) yield [from, Math.min(from + ROUNDS, n)];
}

function checkOptions({ bytes, nrReferences, seed, pageSize }: ProgramOptions): void {
  checkInteger("bytes", bytes, LEAST_BYTES, MOST_BYTES);
  checkInteger("nrReferences", nrReferences, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  if (!PAGE_SIZES.includes(pageSize)) {
    throw new OptionError("pageSize", `${pageSize} is none of ${PAGE_SIZES.join(" ")}`);
  }
}

function checkInteger(option: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new OptionError(option, `${value} is no integer of ${least} to ${most}`);
}
