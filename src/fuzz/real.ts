/** Random scripts on a real kernel. */
import { InputError } from "../errors.ts";
import { compareWith, isUnavailable, runAll } from "../live/compare.ts";
import { losePages } from "../live/lost-pages.ts";
import type { RealKernel } from "../live/real-kernel.ts";
import { refuseHarm } from "../live/refusal.ts";
import type { ComparedLine } from "../transcript/compare.ts";
import type { LineRecord } from "../transcript/run.ts";
import type { Script } from "../transcript/script.ts";
import { Comparison, type Fault, InvariantCheck, type Judge, thrown } from "./judge.ts";
import type { EmulatedSubject } from "./subject.ts";

/**
 * Compares a real kernel with the emulator; it is asked twice, and believed if it says the same.
 */
export class RealComparison implements Judge {
  readonly #comparison: Comparison;

  constructor(emulator: EmulatedSubject, kernel: RealKernel) {
    const names = [emulator.name, `linux-${kernel.release}`] as const;
    this.#comparison = new Comparison(names, (script) => compareReal(script, emulator, kernel));
  }

  async fault(script: Script): Promise<Fault | undefined> {
    const first = await this.#comparison.fault(script);
    const again = first && (await this.#comparison.fault(script));
    return again?.kind === first?.kind ? first : undefined;
  }

  tell(script: Script): AsyncGenerator<string> {
    return this.#comparison.tell(script);
  }
}

/** Judges only what does this machine's own kernel no harm; other scripts have no fault. */
export class HarmlessOnly implements Judge {
  readonly #judge: Judge;
  readonly #emulator: EmulatedSubject;
  readonly #kernel: RealKernel;
  readonly #maxPages: number;

  /** `maxPages`: of a pool. */
  constructor(judge: Judge, emulator: EmulatedSubject, kernel: RealKernel, maxPages: number) {
    this.#judge = judge;
    this.#emulator = emulator;
    this.#kernel = kernel;
    this.#maxPages = maxPages;
  }

  async fault(script: Script): Promise<Fault | undefined> {
    return (await this.#judgeOf(script))?.fault(script);
  }

  async *tell(script: Script): AsyncGenerator<string> {
    const judge = await this.#judgeOf(script);
    if (judge) yield* judge.tell(script);
  }

  /** Undefined: it would do harm. Where the emulator cannot say, the script stays on it. */
  async #judgeOf(script: Script): Promise<Judge | undefined> {
    const emulator = await bootLike(this.#kernel, this.#emulator, script);
    try {
      await refuseHarm(script, { maxPages: this.#maxPages, emulator, isEmulated: true });
      return this.#judge;
    } catch (error) {
      return error instanceof InputError ? undefined : new InvariantCheck(this.#emulator);
    }
  }
}

/**
 * The real kernel goes first: it cannot tell whether a frame was freed between two looks, and so
 * its labels are what the emulator is expected to print.
 */
async function* compareReal(
  script: Script,
  emulator: EmulatedSubject,
  kernel: RealKernel,
): AsyncGenerator<ComparedLine> {
  // What is stuck in the kernel may hold what others need: they say nothing about it any more.
  const isStuck = ({ result }: LineRecord): boolean => result === "stuck";
  const records = await runAll(script, await kernel.driver(script.machine), isStuck);
  const driver = await bootLike(kernel, emulator, script);
  let nrLines = 0;
  try {
    for await (const compared of compareWith(script, records, driver)) {
      if (isUnavailable(compared)) return;
      const { real, other, differs } = compared;
      nrLines++;
      yield { line: other.line, records: [other, real], differs };
      if (differs) return;
    }
  } catch (error) {
    const line = script.operations[nrLines];
    yield { line, records: [thrown(line, error), records[nrLines]], differs: true };
  }
}

function bootLike(kernel: RealKernel, emulator: EmulatedSubject, { machine }: Script) {
  return losePages(emulator.boot(machine), kernel.lostPages);
}
