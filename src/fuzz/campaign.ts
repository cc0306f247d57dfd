/**
 * Scripts of many seeds, one after the other. The first of each kind of fault is shrunk, the others
 * are counted.
 */
import { setImmediate } from "node:timers/promises";
import { InternalError } from "../errors.ts";
import type { Judge } from "./judge.ts";
import type { Script } from "../transcript/script.ts";
import { repair, shrink } from "./shrink.ts";

const MOST_STUCK_TRIALS = 8;

export interface Finding {
  readonly kind: string;
  readonly seed: number;
  /** The script, as small as it could be made. */
  readonly lines: readonly string[];
}

export interface CampaignOptions {
  readonly seeds: Iterable<number>;
  /** The lines of the script of a seed. */
  readonly generate: (seed: number) => readonly string[];
  readonly judge: Judge;
  /** Most scripts that are run to shrink one. */
  readonly budget: number;
  /** Called before each script, and each trial of one that is shrunk. */
  readonly onProgress?: (campaign: Campaign) => void;
  /** Once aborted, no further script is begun. */
  readonly signal?: AbortSignal;
}

export class Campaign {
  readonly #options: CampaignOptions;
  /** How many scripts had a fault of each kind. */
  readonly counts = new Map<string, number>();
  nrScripts = 0;

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  /** Runs the scripts and gives the first of each kind, shrunk. */
  async *run(): AsyncGenerator<Finding> {
    const { seeds, generate, judge, budget, onProgress, signal } = this.#options;
    for (const seed of seeds) {
      // Signals are heard between scripts.
      await setImmediate();
      if (signal?.aborted) return;
      onProgress?.(this);
      const generated = repair(generate(seed));
      if (generated === undefined) throw new InternalError(`a script of seed ${seed}`);
      const fault = await judge.fault(generated.script);
      this.nrScripts++;
      if (fault === undefined) continue;
      const { kind, line } = fault;
      const count = this.counts.get(kind) ?? 0;
      this.counts.set(kind, count + 1);
      if (count > 0) continue;
      const fails = async (script: Script): Promise<boolean> => {
        await setImmediate();
        onProgress?.(this);
        return !signal?.aborted && (await judge.fault(script))?.kind === kind;
      };
      // On a real kernel a trial that gets stuck costs a watchdog and a new boot.
      const trials = kind.includes("stuck") ? Math.min(budget, MOST_STUCK_TRIALS) : budget;
      const head = generated.lines.slice(0, line.place.line);
      const lines = await shrink(head, { fails, budget: trials });
      yield { kind, seed, lines };
    }
  }
}
