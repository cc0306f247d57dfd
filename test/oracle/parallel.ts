/** Spreads the cases of items over threads. */
import { Worker } from "node:worker_threads";
import { newReport, type Report } from "./compare.ts";
import { nameOf, sizeOf } from "./items.ts";
import { addReport, JobRunner } from "./run-job.ts";
import type { SequenceReport } from "./sequence.ts";
import type { Range } from "./worker.ts";

const CASES_A_RANGE = 100_000;
const SHOWN_AT_MOST = 5;

/** A thread does not inherit what reads TypeScript: it is to be told. */
const SOURCES = {
  reader: import.meta.resolve("tsx/esm/api"),
  worker: new URL("worker.ts", import.meta.url).href,
};
const BOOT = `
  const { reader, worker } = require("node:worker_threads").workerData;
  import(reader).then(({ register }) => (register(), import(worker)));
`;

type Message = { report: Report | SequenceReport } | { strayWrites: number[] };

export class Pool {
  readonly #workers: Worker[];
  readonly #runner = new JobRunner();

  constructor(nrThreads: number) {
    this.#workers = Array.from(
      { length: nrThreads },
      () => new Worker(BOOT, { eval: true, workerData: SOURCES }),
    );
  }

  /** Runs every case of an item; the reports are of its jobs, in order. */
  async run(item: number): Promise<SequenceReport[]> {
    const jobs = this.#runner.jobsOf(item);
    const reports = jobs.map((job): SequenceReport => ({ ...newReport(nameOf(job)), stale: 0 }));
    const ranges: Range[] = jobs.flatMap((job, index) =>
      Array.from({ length: Math.ceil(sizeOf(job) / CASES_A_RANGE) }, (_, i) => ({
        item,
        job: index,
        from: i * CASES_A_RANGE,
        to: Math.min((i + 1) * CASES_A_RANGE, sizeOf(job)),
      })),
    );
    let next = 0;
    const serve = async (worker: Worker): Promise<void> => {
      while (next < ranges.length) {
        const range = ranges[next++];
        const message = await ask(worker, range);
        if (!("report" in message)) throw new Error("a thread answered another question");
        addReport(reports[range.job], message.report);
      }
    };
    await Promise.all(this.#workers.map(serve));
    for (const report of reports) report.shown.splice(SHOWN_AT_MOST);
    return reports;
  }

  /** Ends the threads, and tells where any of their machines wrote outside its tables. */
  async close(): Promise<number[]> {
    const messages = await Promise.all(this.#workers.map((worker) => ask(worker, undefined)));
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    return messages.flatMap((message) => ("strayWrites" in message ? message.strayWrites : []));
  }
}

function ask(worker: Worker, range: Range | undefined): Promise<Message> {
  return new Promise((resolve, reject) => {
    worker.once("message", (message: Message) => {
      worker.off("error", reject);
      resolve(message);
    });
    worker.once("error", reject);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    worker.postMessage(range);
  });
}
