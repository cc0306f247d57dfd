/** What a study says to the question: would larger pages help, and by how much? */
import type { Run, Study } from "./result.ts";

/** From the least to the most, over processors. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

/** What one policy saves of what pages of 4K cost. */
interface Saving {
  readonly policy: string;
  /** Of the cycles of page walks, 0 to 1; below 0: they become more. */
  readonly share: Range;
  /**
   * Cycles in 1,000 instructions (or references, if instructions are not known): at least if all
   * walkers are always busy together, at most if walks never overlap.
   */
  readonly cycles: Range;
}

export interface Answer {
  readonly unit: "instructions" | "references";
  /** What page walks cost with pages of 4K, as `Saving.cycles`. */
  readonly base: Range;
  /** In the order of the policies. */
  readonly savings: readonly Saving[];
  readonly cpus: readonly string[];
  /** Whether walks with pages of 4K could matter: at least 1 cycle in 100 instructions. */
  readonly isWorthIt: boolean;
}

const BASE = "4K";
const WORTH_CYCLES = 10;

/** Undefined if 4K or anything to compare it with was not studied. */
export function answer({ runs, trace }: Study): Answer | undefined {
  const { fetch, load, store } = trace.references;
  const unit = fetch > 0 ? "instructions" : "references";
  const nrThousands = (fetch > 0 ? fetch : load + store) / 1000;
  const pairs = runs.flatMap((run) => {
    const base = runs.find(({ cpu, policy }) => cpu === run.cpu && policy === BASE);
    return base && run !== base ? [{ base, run }] : [];
  });
  if (pairs.length === 0 || nrThousands === 0) return undefined;
  const policies = [...new Set(pairs.map(({ run }) => run.policy))];
  const cyclesOf = ({ walkers }: Run, cycles: number) => {
    const each = cycles / nrThousands;
    return [each / walkers, each];
  };
  const base = rangeOf(pairs.flatMap((pair) => cyclesOf(pair.base, pair.base.walkCycles)));
  return {
    unit,
    base,
    cpus: [...new Set(pairs.map(({ run }) => run.cpu))],
    isWorthIt: base.most >= WORTH_CYCLES,
    savings: policies.map((policy) => {
      const own = pairs.filter(({ run }) => run.policy === policy);
      return {
        policy,
        share: rangeOf(own.map((pair) => savedShare(pair.base, pair.run))),
        cycles: rangeOf(
          own.flatMap((pair) => cyclesOf(pair.base, pair.base.walkCycles - pair.run.walkCycles)),
        ),
      };
    }),
  };
}

/** What of the walk cycles of `base` goes away in `run`, 0 to 1. */
export function savedShare(base: Run, run: Run): number {
  return base.walkCycles === 0 ? 0 : 1 - run.walkCycles / base.walkCycles;
}

function rangeOf(numbers: readonly number[]): Range {
  return { least: Math.min(...numbers), most: Math.max(...numbers) };
}
