/** A thread of a crew: it studies its part of the subjects. */
import { parentPort, workerData } from "node:worker_threads";
import { resultOf, type WorkerResult, type WorkerTask } from "./crew.ts";
import { readRing } from "./ring.ts";
import { StudyRunner } from "./study.ts";

const { memory, reader, subjects, options } = workerData as WorkerTask;
const runner = new StudyRunner(subjects, options);
for (const words of readRing(memory, reader)) runner.feed(words);
const result: WorkerResult = resultOf(runner);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(result);
