/** What a study says to the question: would larger pages help, and by how much? */
import type { Run, Study, TraceFacts } from "./result.ts";

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
  /** The policy to tell first: 2M if that is worth it, else the one that saves most. */
  readonly best: Saving;
  readonly worth: Worth;
}

/** Whether `best` saves a cycle in 100 instructions: at least, at most, or not even that. */
type Worth = "certain" | "possible" | "hardly";

const BASE = "4K";
const WORTH_CYCLES = 10;

/** Undefined if 4K or anything to compare it with was not studied. */
export function answer({ runs, trace }: Study): Answer | undefined {
  const { unit, nrThousands } = unitOf(trace);
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
  const savings = policies.map((policy) => {
    const own = pairs.filter(({ run }) => run.policy === policy);
    return {
      policy,
      share: rangeOf(own.map((pair) => savedShare(pair.base, pair.run))),
      cycles: rangeOf(
        own.flatMap((pair) => cyclesOf(pair.base, pair.base.walkCycles - pair.run.walkCycles)),
      ),
    };
  });
  const best = bestOf(savings);
  const cpus = [...new Set(pairs.map(({ run }) => run.cpu))];
  return { unit, base, cpus, best, worth: worthOf(best), savings };
}

function bestOf(savings: readonly Saving[]): Saving {
  const usual = savings.find(({ policy }) => policy === "2M");
  if (usual && worthOf(usual) !== "hardly") return usual;
  return savings.reduce((best, other) => (other.cycles.most > best.cycles.most ? other : best));
}

function worthOf({ cycles }: Saving): Worth {
  if (cycles.least >= WORTH_CYCLES) return "certain";
  return cycles.most >= WORTH_CYCLES ? "possible" : "hardly";
}

/** What costs are told of, in thousands. */
export function unitOf({ references }: TraceFacts): Pick<Answer, "unit"> & { nrThousands: number } {
  const { fetch, load, store } = references;
  return fetch > 0
    ? { unit: "instructions", nrThousands: fetch / 1000 }
    : { unit: "references", nrThousands: (load + store) / 1000 };
}

/** What of the walk cycles of `base` goes away in `run`, 0 to 1. */
export function savedShare(base: Run, run: Run): number {
  return base.walkCycles === 0 ? 0 : 1 - run.walkCycles / base.walkCycles;
}

/** Of at least one number. */
export function rangeOf(numbers: readonly number[]): Range {
  let [least, most] = [numbers[0], numbers[0]];
  for (const n of numbers) {
    if (n < least) least = n;
    if (n > most) most = n;
  }
  return { least, most };
}
