/**
 * Measuring, on machines that are not quiet: what is compared runs in turns, round by round, and
 * the best and the median of the rounds are kept. Within a round benny repeats a case.
 */
import { add, configure, suite } from "benny";

/** A bench computed something else than it is measured for. */
export class WrongResult extends Error {}

export interface Effort {
  readonly rounds: number;
  /** Seconds a case and round. */
  readonly seconds: number;
}

/** Nanoseconds an item. */
export interface Timing {
  readonly best: number;
  readonly median: number;
}

export interface Case {
  readonly name: string;
  /** Items that one `run` does. */
  readonly items: number;
  /** Runs before each `run` and is not measured. */
  prepare?(): void;
  run(): void | Promise<void>;
  /** Throws WrongResult if the last `run` has not done what it is measured for. */
  check(): void;
}

/** What runs elsewhere and measures itself; a timing for each name. */
export type Foreign = (effort: Effort) => ReadonlyMap<string, Timing>;

/**
 * Seconds a sample of benny's. Its own choice, 50 ms, is seldom without a disturbance; below some
 * milliseconds it tells how long caches take that benny's own work has filled.
 */
const SAMPLE_SECONDS = 0.005;

export async function measure(
  title: string,
  cases: readonly Case[],
  effort: Effort,
  foreign?: Foreign,
): Promise<ReadonlyMap<string, Timing>> {
  const rounds = new Map<string, Timing[]>();
  const keep = (name: string, timing: Timing): void => {
    rounds.set(name, [...(rounds.get(name) ?? []), timing]);
  };
  for (let round = 1; round <= effort.rounds; round++) {
    const timings = await runRound(`${title}, ${round} of ${effort.rounds}`, cases, effort);
    for (const [name, timing] of timings) keep(name, timing);
    for (const [name, timing] of foreign?.(effort) ?? []) keep(name, timing);
  }
  return new Map([...rounds].map(([name, timings]) => [name, summarize(timings)]));
}

async function runRound(
  title: string,
  cases: readonly Case[],
  { seconds }: Effort,
): Promise<ReadonlyMap<string, Timing>> {
  const samples = new Map<string, number[]>();
  const summary = await suite(
    title,
    ...cases.map((one) => add(one.name, repeat(one, samples))),
    configure({ cases: { minTime: SAMPLE_SECONDS, maxTime: seconds, minSamples: 3, delay: 0 } }),
  );
  for (const one of cases) one.check();
  return new Map(
    cases.map(({ name, items }, i): [string, Timing] => {
      const own = samples.get(name);
      const { details } = summary.results[i];
      const best = own ? Math.min(...own) : details.min * 1e9;
      const median = own ? medianOf(own) : details.median * 1e9;
      return [name, { best: best / items, median: median / items }];
    }),
  );
}

/**
 * What benny repeats. It knows no preparation between two runs: such a case, which is not
 * asynchronous, times itself.
 */
function repeat(one: Case, samples: Map<string, number[]>): () => void | Promise<void> {
  if (!one.prepare) return () => one.run();
  const own: number[] = [];
  samples.set(one.name, own);
  return () => {
    one.prepare?.();
    const start = performance.now();
    void one.run();
    own.push((performance.now() - start) * 1e6);
  };
}

function summarize(timings: readonly Timing[]): Timing {
  return {
    best: Math.min(...timings.map(({ best }) => best)),
    median: medianOf(timings.map(({ median }) => median)),
  };
}

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
