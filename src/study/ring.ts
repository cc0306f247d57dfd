/**
 * Batches of words from one thread to several, each of which reads all of them: a ring of slots in
 * shared memory. A batch is copied into a slot when every reader is done with what was there.
 */
const NR_SLOTS = 8;
const SLOT_WORDS = 65536;

/** In the control words: batches written, then those read by each reader, then slots' lengths. */
const WRITTEN = 0;
const READ = 1;
/** The length of what is no batch, but the end. */
const END = -1;

/** What threads are given. */
export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly words: SharedArrayBuffer;
  readonly nrReaders: number;
}

export class RingWriter {
  readonly memory: RingMemory;
  readonly #control: Int32Array;
  readonly #words: BigUint64Array;
  #isAbandoned = false;

  constructor(nrReaders: number) {
    const control = new SharedArrayBuffer(4 * (READ + nrReaders + NR_SLOTS));
    const words = new SharedArrayBuffer(8 * NR_SLOTS * SLOT_WORDS);
    this.memory = { control, words, nrReaders };
    this.#control = new Int32Array(control);
    this.#words = new BigUint64Array(words);
  }

  /** Waits for room, and copies the words. */
  async write(words: BigUint64Array): Promise<void> {
    for (let at = 0; at < words.length; at += SLOT_WORDS) {
      const part = words.subarray(at, at + SLOT_WORDS);
      const slot = await this.#freeSlot();
      this.#words.set(part, slot * SLOT_WORDS);
      this.#publish(slot, part.length);
    }
  }

  /** Nothing more comes. */
  async end(): Promise<void> {
    this.#publish(await this.#freeSlot(), END);
  }

  /** Ends all waiting: a reader is gone. What is written from now on may be lost. */
  abandon(): void {
    this.#isAbandoned = true;
    for (let reader = 0; reader < this.memory.nrReaders; reader++) {
      Atomics.notify(this.#control, READ + reader);
    }
  }

  async #freeSlot(): Promise<number> {
    const written = this.#control[WRITTEN];
    for (let reader = 0; reader < this.memory.nrReaders; reader++) {
      const at = READ + reader;
      let read = Atomics.load(this.#control, at);
      while (written - read >= NR_SLOTS && !this.#isAbandoned) {
        const waiting = Atomics.waitAsync(this.#control, at, read);
        if (waiting.async) await waiting.value;
        read = Atomics.load(this.#control, at);
      }
    }
    return written % NR_SLOTS;
  }

  #publish(slot: number, length: number): void {
    this.#control[READ + this.memory.nrReaders + slot] = length;
    Atomics.add(this.#control, WRITTEN, 1);
    Atomics.notify(this.#control, WRITTEN);
  }
}

/** Blocks its thread while there is nothing. Each batch is good until the next one is asked for. */
export function* readRing(memory: RingMemory, reader: number): Generator<BigUint64Array> {
  const control = new Int32Array(memory.control);
  const words = new BigUint64Array(memory.words);
  for (let nrRead = 0; ; nrRead++) {
    while (Atomics.load(control, WRITTEN) === nrRead) Atomics.wait(control, WRITTEN, nrRead);
    const slot = nrRead % NR_SLOTS;
    const length = control[READ + memory.nrReaders + slot];
    if (length === END) return;
    yield words.subarray(slot * SLOT_WORDS, slot * SLOT_WORDS + length);
    Atomics.add(control, READ + reader, 1);
    Atomics.notify(control, READ + reader);
  }
}
