/**
 * A thread of the exhaustive run: takes ranges of cases one after another, and sends a report of
 * each.
 */
import { parentPort } from "node:worker_threads";
import { JobRunner } from "./run-job.ts";

/** A range of the cases of one job; `undefined` in its stead: no more, tell of stray writes. */
export interface Range {
  readonly item: number;
  readonly job: number;
  readonly from: number;
  readonly to: number;
}

const runner = new JobRunner();
parentPort?.on("message", (range: Range | undefined) => {
  if (range === undefined) {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    parentPort?.postMessage({ strayWrites: runner.strayWrites() });
    return;
  }
  const job = runner.jobsOf(range.item)[range.job];
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage({ report: runner.run(job, { from: range.from, to: range.to }) });
});
