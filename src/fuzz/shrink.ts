/**
 * Makes a script that fails as small as can be: lines go first (delta debugging, Zeller and
 * Hildebrandt 2002), then arguments become simpler, until neither helps.
 */
import { parseTranscript } from "../transcript/parse.ts";
import type { Script } from "../transcript/script.ts";
import { simplerScripts, withShortNames } from "./simplify.ts";

export interface ShrinkOptions {
  /** Whether the script still fails in the same way. */
  readonly fails: (script: Script) => Promise<boolean>;
  /** Most scripts to run. */
  readonly budget: number;
}

/** `lines`: a script that fails. The result is one too. */
export async function shrink(
  lines: readonly string[],
  options: ShrinkOptions,
): Promise<readonly string[]> {
  return new Shrinker(options).shrink(lines);
}

/**
 * The script that the lines are, without those that make no sense alone; undefined: none is left.
 */
export function repair(
  lines: readonly string[],
): { lines: readonly string[]; script: Script } | undefined {
  let left = lines;
  for (;;) {
    const { script, errors } = parseTranscript(left.join("\n"), "random");
    if (script) return { lines: left, script };
    const wrong = new Set(errors.map(({ place }) => place.line - 1));
    const rest = left.filter((_, i) => !wrong.has(i));
    if (rest.length === left.length || rest.length === 0) return undefined;
    left = rest;
  }
}

class Shrinker {
  readonly #options: ShrinkOptions;
  #nrRun = 0;
  /** Scripts that are known not to fail. */
  readonly #passing = new Set<string>();

  constructor(options: ShrinkOptions) {
    this.#options = options;
  }

  async shrink(lines: readonly string[]): Promise<readonly string[]> {
    let best = lines;
    for (;;) {
      const before = best;
      best = await this.#dropLines(best);
      best = await this.#simplify(best);
      if (best === before) return (await this.#tryScript(withShortNames(best), best)) ?? best;
    }
  }

  /** Chunks of half the lines, then of a quarter, down to single lines. */
  async #dropLines(lines: readonly string[]): Promise<readonly string[]> {
    let best = lines;
    for (let size = Math.ceil(best.length / 2); size >= 1; size = size >> 1) {
      for (let end = best.length; end > 0;) {
        const start = Math.max(0, end - size);
        const rest = [...best.slice(0, start), ...best.slice(end)];
        best = (await this.#tryScript(rest, best)) ?? best;
        end = Math.min(start, best.length);
      }
    }
    return best;
  }

  async #simplify(lines: readonly string[]): Promise<readonly string[]> {
    let best = lines;
    for (let isSimpler = true; isSimpler;) {
      isSimpler = false;
      for (const candidate of simplerScripts(best)) {
        const found = await this.#tryScript(candidate, best);
        if (found === undefined) continue;
        best = found;
        isSimpler = true;
        break;
      }
    }
    return best;
  }

  /** The candidate, repaired, if it fails. */
  async #tryScript(
    candidate: readonly string[],
    best: readonly string[],
  ): Promise<readonly string[] | undefined> {
    if (this.#nrRun >= this.#options.budget) return undefined;
    const repaired = repair(candidate);
    if (repaired === undefined) return undefined;
    const text = repaired.lines.join("\n");
    if (this.#passing.has(text) || text === best.join("\n")) return undefined;
    this.#nrRun++;
    if (await this.#options.fails(repaired.script)) return repaired.lines;
    this.#passing.add(text);
    return undefined;
  }
}
