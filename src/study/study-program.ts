/** A synthetic program, studied as a trace is. */
import { setImmediate } from "node:timers/promises";
import type { Program } from "../programs/program.ts";
import type { ReferenceSink } from "../programs/sink.ts";
import { PAGE_SIZES, type PageSize } from "../tlb/config.ts";
import { WordBuffer } from "../trace/word-buffer.ts";
import { createCrew, inOrder, type WorkerResult } from "./crew.ts";
import { STUDY_VERSION, type Study } from "./result.ts";
import { onlyOptions, type StudyOptions, type Subject } from "./study.ts";

export interface ProgramStudyOptions extends StudyOptions {
  readonly subjects: readonly Subject[];
  readonly nrThreads: number;
  /** Of the program's data. */
  readonly bytes: number;
  readonly nrReferences: number;
  readonly seed: number;
  /** What the study calls it. */
  readonly name: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (nrReferences: number) => void;
}

/**
 * Runs the program, once for all policies, or once for each page size if it depends on that; policies
 * are then those sizes alone. Throws `OptionError`.
 */
export async function studyProgram(program: Program, options: ProgramStudyOptions): Promise<Study> {
  const results: WorkerResult[] = [];
  const passes = program.dependsOnPageSize ? PAGE_SIZES.map((size) => [size]) : [undefined];
  for (const sizes of passes) {
    const subjects = sizes ? onlyPolicies(options.subjects, sizes) : options.subjects;
    if (subjects.length === 0) continue;
    if (options.signal?.aborted && results.length > 0) break;
    results.push(await runOnce(program, { ...options, subjects }, sizes?.[0] ?? "4K"));
  }
  const [{ references }] = results;
  const runs = inOrder(
    results.flatMap((result) => result.runs),
    options.subjects,
  );
  const isCut = options.signal?.aborted === true;
  const trace = { name: options.name, format: "synthetic", references, nrBroken: 0, nrSkipped: 0 };
  return { type: "study", version: STUDY_VERSION, trace: { ...trace, isCut }, runs };
}

function onlyPolicies(subjects: readonly Subject[], names: readonly string[]): Subject[] {
  return subjects
    .map((subject) => ({
      ...subject,
      policies: subject.policies.filter(({ name }) => names.includes(name)),
    }))
    .filter(({ policies }) => policies.length > 0);
}

async function runOnce(
  program: Program,
  options: ProgramStudyOptions,
  pageSize: PageSize,
): Promise<WorkerResult> {
  const { subjects, nrThreads, ...asked } = options;
  const crew = createCrew(subjects, onlyOptions(asked), nrThreads);
  try {
    const batch = new WordBuffer(new Uint32Array(2 * BATCH_WORDS));
    const { bytes, nrReferences, seed } = options;
    const steps = program.run(new BatchSink(batch), { bytes, nrReferences, seed, pageSize });
    for (const _ of steps) {
      if (batch.nrWords < FULL_WORDS) continue;
      await crew.feed(batch.words);
      batch.clear();
      options.onProgress?.(batch.nrReferences);
      // Signals come only when nothing else is to do.
      await setImmediate();
      if (options.signal?.aborted) break;
    }
    await crew.feed(batch.words);
    return await crew.finish();
  } finally {
    await crew.dismiss();
  }
}

/** A step of a program makes at most some 10,000 words; it is fed when there is room for no more. */
const FULL_WORDS = 2 ** 16;
const BATCH_WORDS = 2 * FULL_WORDS;

class BatchSink implements ReferenceSink {
  readonly #batch: WordBuffer;

  constructor(batch: WordBuffer) {
    this.#batch = batch;
  }

  refer(address: number, kind: number, nrBytes: number): void {
    this.#batch.reference(address >>> 0, Math.floor(address / 2 ** 32), kind, nrBytes);
  }

  invalidate(address: number, nrBytes: number): void {
    this.#batch.invalidate(address >>> 0, Math.floor(address / 2 ** 32), nrBytes);
  }

  flush(): void {
    this.#batch.flush();
  }
}
