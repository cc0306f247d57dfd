/** A thread of a crew: it studies its part of the subjects. */
import { parentPort, workerData } from "node:worker_threads";
import { HugewalkError } from "../errors.ts";
import { resultOf, type WorkerMessage, type WorkerTask } from "./crew.ts";
import { readRing } from "./ring.ts";
import { StudyRunner } from "./study.ts";

const { memory, reader, subjects, options } = workerData as WorkerTask;

function study(): WorkerMessage {
  try {
    const runner = new StudyRunner(subjects, options);
    for (const words of readRing(memory, reader)) runner.feed(words);
    return { result: resultOf(runner) };
  } catch (error) {
    // A class does not survive the way to the other thread.
    if (!(error instanceof HugewalkError)) throw error;
    return { reason: error.message };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(study());
