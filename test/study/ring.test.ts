/** Every reader of a ring gets every batch, in order, however many there are. */
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, test } from "vitest";
import { readRing, RingWriter, type RingMemory } from "../../src/study/ring.ts";

/** Words of a slot, and slots. */
const SLOT_WORDS = 65536;
const NR_SLOTS = 8;

function numbers(from: number, count: number): BigUint64Array {
  return BigUint64Array.from({ length: count }, (_, i) => BigInt(from + i));
}

describe("on one thread, which must not wait", () => {
  test("batches and their end", async () => {
    const ring = new RingWriter(2);
    const batches = [numbers(1, 3), numbers(7, 1), numbers(0, SLOT_WORDS)];
    for (const batch of batches) await ring.write(batch);
    await ring.end();
    for (const reader of [1, 0]) {
      const read = [...readRing(ring.memory, reader)].map((words) => words.slice());
      expect(read).toEqual(batches);
    }
  });

  test("what is larger than a slot comes in parts; nothing is no batch", async () => {
    const ring = new RingWriter(1);
    await ring.write(numbers(0, 0));
    await ring.write(numbers(0, 2 * SLOT_WORDS + 5));
    await ring.end();
    const read = [...readRing(ring.memory, 0)].map((words) => [words.length, words[0]]);
    expect(read).toEqual([
      [SLOT_WORDS, 0n],
      [SLOT_WORDS, BigInt(SLOT_WORDS)],
      [5, 2n * BigInt(SLOT_WORDS)],
    ]);
  });

  test("the writer waits for the slowest reader", async () => {
    const ring = new RingWriter(2);
    const [fast, slow] = [0, 1].map((reader) => readRing(ring.memory, reader));
    for (let i = 0; i < NR_SLOTS; i++) await ring.write(numbers(i, 1));
    let isWritten = false;
    const writing = ring.write(numbers(NR_SLOTS, 1)).then(() => {
      isWritten = true;
    });
    const turn = () => new Promise((resolve) => setTimeout(resolve, 20));
    for (let i = 0; i < NR_SLOTS; i++) expect(fast.next().value?.[0]).toBe(BigInt(i));
    await turn();
    expect(slow.next().value?.[0]).toBe(0n);
    await turn();
    // It still has the batch that it was given.
    expect(isWritten).toBe(false);
    expect(slow.next().value?.[0]).toBe(1n);
    await writing;
    expect(fast.next().value?.[0]).toBe(BigInt(NR_SLOTS));
  });

  test("a writer that is abandoned waits no more", async () => {
    const ring = new RingWriter(1);
    for (let i = 0; i < NR_SLOTS; i++) await ring.write(numbers(i, 1));
    const writing = ring.write(numbers(0, 3 * SLOT_WORDS));
    ring.abandon();
    await expect(writing).resolves.toBeUndefined();
    await expect(ring.end()).resolves.toBeUndefined();
  });
});

const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

/** What a thread has read: how many batches and words, and whether they were 0, 1, 2 … */
function readElsewhere(memory: RingMemory, reader: number, pauseMs: number) {
  const module = new URL("../../dist/src/study/ring.js", import.meta.url).href;
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    import(${JSON.stringify(module)}).then(({ readRing }) => {
      const { memory, reader, pauseMs } = workerData;
      let [nrBatches, next, isInOrder] = [0, 0n, true];
      for (const words of readRing(memory, reader)) {
        nrBatches++;
        if (pauseMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
        for (const word of words) isInOrder &&= word === next++;
      }
      parentPort.postMessage({ nrBatches, nrWords: Number(next), isInOrder });
    });`;
  const worker = new Worker(code, { eval: true, workerData: { memory, reader, pauseMs } });
  workers.push(worker);
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

describe("with threads", () => {
  test.each([
    { pauses: [0], length: 10 },
    { pauses: [0, 0, 0], length: 1000 },
    { pauses: [0, 3, 1], length: 77 },
    { pauses: [2, 0], length: SLOT_WORDS + 1 },
  ])("$pauses ms a batch of $length", async ({ pauses, length }) => {
    const nrWrites = 5 * NR_SLOTS;
    const ring = new RingWriter(pauses.length);
    const readers = pauses.map((pauseMs, i) => readElsewhere(ring.memory, i, pauseMs));
    for (let i = 0; i < nrWrites; i++) await ring.write(numbers(i * length, length));
    await ring.end();
    const nrBatches = nrWrites * Math.ceil(length / SLOT_WORDS);
    expect(await Promise.all(readers)).toEqual(
      pauses.map(() => ({ nrBatches, nrWords: nrWrites * length, isInOrder: true })),
    );
  });
});
