/**
 * Runs jobs against the emulator: one machine with paging-structure caches, one without, made when
 * needed.
 */
import { sweep, VERDICT_KINDS, type Report, type SweepOptions } from "./compare.ts";
import { ITEMS, type Job } from "./items.ts";
import { LibrarySubject } from "./library.ts";
import { sweepSequences, type SequenceReport } from "./sequence.ts";

const STRUCTURE_CACHES = { pml5e: 2, pml4e: 4, pdpte: 8, pde: 32 };

export class JobRunner {
  readonly #jobs = new Map<number, readonly Job[]>();
  #plain: LibrarySubject | undefined;
  #withCaches: LibrarySubject | undefined;

  jobsOf(item: number): readonly Job[] {
    let jobs = this.#jobs.get(item);
    if (jobs === undefined) this.#jobs.set(item, (jobs = ITEMS[item].jobs()));
    return jobs;
  }

  run(job: Job, options: SweepOptions): Report | SequenceReport {
    const hasCaches = "sequences" in job && job.hasStructureCaches;
    const subject = hasCaches
      ? (this.#withCaches ??= new LibrarySubject({ structureCaches: STRUCTURE_CACHES }))
      : (this.#plain ??= new LibrarySubject());
    return "accesses" in job
      ? sweep(subject, job.accesses, options)
      : sweepSequences(subject, job.sequences, options);
  }

  /** Where memory was written outside the tables. */
  strayWrites(): number[] {
    return [this.#plain, this.#withCaches].flatMap((subject) => subject?.strayWrites() ?? []);
  }
}

/** Adds what `part` found to `whole`. */
export function addReport(whole: SequenceReport, part: Report | SequenceReport): void {
  whole.cases += part.cases;
  whole.failures += part.failures;
  whole.milliseconds += part.milliseconds;
  whole.shown.push(...part.shown);
  if ("stale" in part) whole.stale += part.stale;
  for (const kind of VERDICT_KINDS) whole.verdicts[kind] += part.verdicts[kind];
}

export function describeReport(report: SequenceReport): string {
  const kinds = VERDICT_KINDS.filter((kind) => report.verdicts[kind] > 0).map(
    (kind) => `${kind} ${report.verdicts[kind]}`,
  );
  if (report.stale > 0) kinds.push(`stale ${report.stale}`);
  return `${report.name}: ${report.cases} cases, ${report.failures} failures (${kinds.join(", ")})`;
}
