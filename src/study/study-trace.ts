/** A trace, studied. */
import type { Trace } from "../trace/trace.ts";
import { createCrew } from "./crew.ts";
import { SampleCounter } from "./samples.ts";
import { STUDY_VERSION, type Study, type TraceFacts } from "./result.ts";
import { type StudyOptions, type Subject, takeReferences } from "./study.ts";

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
  if (trace.hasSamples) return countSamples(trace, options);
  const { subjects, nrThreads, interval, hasRegions, hasInstructions, hasCurves } = options;
  const crew = createCrew(
    subjects,
    { interval, hasRegions, hasInstructions, hasCurves },
    nrThreads,
  );
  try {
    const window = new Window(options);
    for await (const batch of trace.batches()) {
      const words = window.cut(batch.words);
      if (words.length > 0) await crew.feed(words);
      options.onProgress?.(batch.nrReferences);
      if (window.isOver || options.signal?.aborted) break;
    }
    const { runs, references, curves } = await crew.finish();
    const isCut = window.isOver || options.signal?.aborted === true;
    const study = studyOf({ ...factsOf(trace, options, isCut), references }, runs);
    return curves ? { ...study, curves } : study;
  } finally {
    await crew.dismiss();
  }
}

/** The references that a study is of. */
class Window {
  #nrToSkip: number;
  #nrLeft: number;

  constructor({ nrSkipped, limit }: Pick<TraceStudyOptions, "nrSkipped" | "limit">) {
    this.#nrToSkip = nrSkipped;
    this.#nrLeft = limit;
  }

  get isOver(): boolean {
    return this.#nrLeft === 0;
  }

  /** The words of a batch that are in it. */
  cut(words: BigUint64Array): BigUint64Array {
    let rest = words;
    if (this.#nrToSkip > 0) {
      const { length, nrReferences } = takeReferences(rest, this.#nrToSkip);
      this.#nrToSkip -= nrReferences;
      rest = rest.subarray(length);
    }
    if (this.#nrLeft === Infinity) return rest;
    const { length, nrReferences } = takeReferences(rest, this.#nrLeft);
    this.#nrLeft -= nrReferences;
    return rest.subarray(0, length);
  }
}

async function countSamples(trace: Trace, options: TraceStudyOptions): Promise<Study> {
  const samples = new SampleCounter();
  for await (const batch of trace.batches()) {
    samples.count(batch);
    options.onProgress?.(batch.nrReferences);
    if (options.signal?.aborted) break;
  }
  const isCut = options.signal?.aborted === true;
  const facts = factsOf(trace, { nrSkipped: 0 }, isCut);
  return {
    ...studyOf({ ...facts, references: samples.references }, []),
    samples: samples.regions(),
  };
}

type Facts = Omit<TraceFacts, "references">;

function factsOf(trace: Trace, { nrSkipped }: { nrSkipped: number }, isCut: boolean): Facts {
  return {
    name: trace.name,
    format: trace.format.name,
    nrBroken: trace.nrBroken,
    nrSkipped,
    isCut,
  };
}

function studyOf(trace: TraceFacts, runs: Study["runs"]): Study {
  return { type: "study", version: STUDY_VERSION, trace, runs };
}
