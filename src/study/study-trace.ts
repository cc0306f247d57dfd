/** A trace, studied. */
import type { Trace } from "../trace/trace.ts";
import { OptionError } from "../errors.ts";
import { createCrew } from "./crew.ts";
import { untilAborted } from "./interrupt.ts";
import { SampleCounter } from "./samples.ts";
import { STUDY_VERSION, type Study } from "./result.ts";
import { onlyOptions, type StudyOptions, type Subject, takeReferences } from "./study.ts";

export interface TraceStudyOptions extends StudyOptions {
  readonly subjects: readonly Subject[];
  readonly nrThreads: number;
  /** References passed over at the beginning. */
  readonly nrSkipped: number;
  /** References studied at most. */
  readonly limit: number;
  /** Ends the study at what has been read. */
  readonly signal?: AbortSignal;
  /** Called after each batch. */
  readonly onProgress?: (nrReferences: number) => void;
}

/** Reads the trace, to its end or `limit`. Throws `TraceError`, `OptionError`. */
export async function studyTrace(trace: Trace, options: TraceStudyOptions): Promise<Study> {
  const excerpt = new Excerpt(trace, options);
  const { references, ...found } = trace.hasSamples
    ? await countSamples(excerpt)
    : await replay(excerpt, options);
  const { name, format, nrBroken } = trace;
  const { nrSkipped } = options;
  const { isCut } = excerpt;
  const facts = { name, format: format.name, references, nrBroken, nrSkipped, isCut };
  return { type: "study", version: STUDY_VERSION, trace: facts, ...found };
}

type Found = Pick<Study, "runs" | "samples" | "curves"> & Pick<Study["trace"], "references">;

async function replay(excerpt: Excerpt, options: TraceStudyOptions): Promise<Found> {
  const { subjects, nrThreads, ...asked } = options;
  const crew = createCrew(subjects, onlyOptions(asked), nrThreads);
  try {
    for await (const words of excerpt.words()) await crew.feed(words);
    return await crew.finish();
  } finally {
    await crew.dismiss();
  }
}

async function countSamples(excerpt: Excerpt): Promise<Found> {
  const samples = new SampleCounter();
  for await (const words of excerpt.words()) samples.count(words);
  return { runs: [], references: samples.references, samples: samples.regions() };
}

/** They are kept, and JSON of more would be longer than a text can be. */
const INTERVALS_MAX = 2 ** 21;

/** The references of a trace that a study is of. */
class Excerpt {
  /** Whether the trace goes on behind it. */
  isCut = false;
  readonly #trace: Trace;
  readonly #options: TraceStudyOptions;
  #nrToSkip: number;
  #nrLeft: number;

  constructor(trace: Trace, options: TraceStudyOptions) {
    this.#trace = trace;
    this.#options = options;
    this.#nrToSkip = options.nrSkipped;
    this.#nrLeft = options.limit;
  }

  /** Each time good until the next ones are asked for. */
  async *words(): AsyncGenerator<BigUint64Array> {
    const { signal, onProgress } = this.#options;
    for await (const batch of untilAborted(this.#trace.batches(), signal)) {
      const words = this.#cut(batch.words);
      this.#checkIntervals(batch.nrReferences);
      if (words.length > 0) yield words;
      onProgress?.(batch.nrReferences);
      if (this.isCut) return;
    }
    this.isCut = signal?.aborted === true;
  }

  /** Of all runs, each has its own. Throws `OptionError`. */
  #checkIntervals(nrReferences: number): void {
    const { interval = Infinity, subjects, nrSkipped } = this.#options;
    const nrRuns = subjects.reduce((sum, { policies }) => sum + policies.length, 0);
    if (((nrReferences - nrSkipped) / interval) * nrRuns < INTERVALS_MAX) return;
    const reason = `${interval} is too little: more than ${INTERVALS_MAX} intervals in all runs`;
    throw new OptionError("interval", reason);
  }

  #cut(words: BigUint64Array): BigUint64Array {
    let rest = words;
    if (this.#nrToSkip > 0) {
      const { length, nrReferences } = takeReferences(rest, this.#nrToSkip);
      this.#nrToSkip -= nrReferences;
      rest = rest.subarray(length);
    }
    if (this.#nrLeft === Infinity) return rest;
    const { length, nrReferences } = takeReferences(rest, this.#nrLeft);
    this.#nrLeft -= nrReferences;
    this.isCut = takeReferences(rest.subarray(length), 1).nrReferences > 0;
    return rest.subarray(0, length);
  }
}
