/**
 * Who does a study: this thread alone, or several, each with some of the processors and policies.
 * All see the same words, and each run is of one thread alone: the results are the same.
 */
import { Worker } from "node:worker_threads";
import { HugewalkError } from "../errors.ts";
import type { PageSize } from "../tlb/config.ts";
import type { ReferenceCounts } from "../tlb/counts.ts";
import type { NamedPolicy } from "./policy.ts";
import type { Curve, Run } from "./result.ts";
import { type RingMemory, RingWriter } from "./ring.ts";
import { StudyRunner, type StudyOptions, type Subject } from "./study.ts";

export interface WorkerTask {
  readonly memory: RingMemory;
  /** Its number. */
  readonly reader: number;
  readonly subjects: readonly Subject[];
  readonly options: StudyOptions;
}

export interface WorkerResult {
  readonly runs: readonly Run[];
  readonly references: ReferenceCounts;
  readonly curves: readonly Curve[] | undefined;
}

/** What a thread says at its end: what it found, or why it could not. */
export type WorkerMessage = { readonly result: WorkerResult } | { readonly reason: string };

export function resultOf(runner: StudyRunner): WorkerResult {
  return { runs: runner.finish(), references: runner.references(), curves: runner.curves() };
}

export interface Crew {
  /** The words can be used again when it is done. */
  feed(words: BigUint64Array): Promise<void> | void;
  /** Runs in the order of subjects and policies. */
  finish(): Promise<WorkerResult>;
  /** Ends all threads. */
  dismiss(): Promise<void>;
}

/** Throws `OptionError`. */
export function createCrew(
  subjects: readonly Subject[],
  options: StudyOptions,
  nrThreads: number,
): Crew {
  const nrRuns = subjects.reduce((sum, { policies }) => sum + policies.length, 0);
  const parts = divide(subjects, Math.min(nrThreads, nrRuns));
  return parts.length > 1 ? new Threads(subjects, parts, options) : new Alone(subjects, options);
}

class Alone implements Crew {
  readonly #runner: StudyRunner;

  constructor(subjects: readonly Subject[], options: StudyOptions) {
    this.#runner = new StudyRunner(subjects, options);
  }

  feed(words: BigUint64Array): void {
    this.#runner.feed(words);
  }

  async finish(): Promise<WorkerResult> {
    return resultOf(this.#runner);
  }

  async dismiss(): Promise<void> {}
}

class Threads implements Crew {
  readonly #ring: RingWriter;
  readonly #workers: readonly Worker[];
  readonly #results: Promise<WorkerResult[]>;
  readonly #subjects: readonly Subject[];
  /** Why a thread could not go on. */
  #failure: { readonly error: unknown } | undefined;

  constructor(
    subjects: readonly Subject[],
    parts: readonly (readonly Subject[])[],
    options: StudyOptions,
  ) {
    this.#subjects = subjects;
    this.#ring = new RingWriter(parts.length);
    const { memory } = this.#ring;
    this.#workers = parts.map((part, reader) => {
      // Curves are of no processor: the first thread does them.
      const own = { ...options, hasCurves: options.hasCurves && reader === 0 };
      const workerData: WorkerTask = { memory, reader, subjects: part, options: own };
      return new Worker(WORKER, { workerData });
    });
    this.#results = Promise.all(this.#workers.map(nextResult));
    this.#results.catch((error: unknown) => {
      this.#failure = { error };
      this.#ring.abandon();
    });
  }

  async feed(words: BigUint64Array): Promise<void> {
    await this.#ring.write(words);
    if (this.#failure) throw this.#failure.error;
  }

  async finish(): Promise<WorkerResult> {
    await this.#ring.end();
    const results = await this.#results;
    const runs = results.flatMap((result) => result.runs);
    const [{ references, curves }] = results;
    return { runs: inOrder(runs, this.#subjects), references, curves };
  }

  async dismiss(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** In that of the subjects and their policies. */
export function inOrder(runs: readonly Run[], subjects: readonly Subject[]): Run[] {
  return subjects.flatMap(({ processor, policies }) => {
    return policies.flatMap(({ name }) => {
      return runs.filter(({ cpu, policy }) => cpu === processor.name && policy === name);
    });
  });
}

/** Beside this file, as source or built. */
const WORKER = new URL(import.meta.url.replace(/crew(\.[jt]s)$/, "worker$1"));

function nextResult(worker: Worker): Promise<WorkerResult> {
  return new Promise((resolve, reject) => {
    worker.once("message", (message: WorkerMessage) => {
      if ("result" in message) resolve(message.result);
      else reject(new HugewalkError(message.reason));
    });
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("a thread has ended without a result")));
  });
}

/** What a run costs, roughly, in that of one with pages of 1G, of random references to 1G. */
const COSTS: Readonly<Record<PageSize, number>> = { "4K": 6, "2M": 3, "1G": 1 };
const COST_BY_RULES = 8;

function costOf({ policy }: NamedPolicy): number {
  return typeof policy === "string" ? COSTS[policy] : COST_BY_RULES;
}

/** Deals runs out, the most costly first, to who has least to do. */
function divide(subjects: readonly Subject[], nrParts: number): Subject[][] {
  const runs = subjects.flatMap((subject) => {
    return subject.policies.map((policy) => ({ subject, policy, cost: costOf(policy) }));
  });
  const parts = Array.from({ length: nrParts }, () => ({ cost: 0, runs: [] as typeof runs }));
  for (const run of runs.toSorted((a, b) => b.cost - a.cost)) {
    const least = Math.min(...parts.map(({ cost }) => cost));
    const idle = parts.filter(({ cost }) => cost === least);
    // Runs of one processor read the trace together.
    const isOfSame = ({ subject }: (typeof runs)[number]) => subject === run.subject;
    const part = idle.find((other) => other.runs.some(isOfSame)) ?? idle[0];
    part.cost += run.cost;
    part.runs.push(run);
  }
  return parts.map((part) => {
    return subjects.flatMap((subject) => {
      const policies = part.runs.filter((run) => run.subject === subject).map((run) => run.policy);
      return policies.length > 0 ? [{ ...subject, policies }] : [];
    });
  });
}
