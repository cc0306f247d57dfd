/** A batch of a trace: words (reference.ts) in memory of fixed size, which may be wasm's. */
import {
  CONTROL_FLUSH,
  CONTROL_INVALIDATE,
  CONTROL_IP,
  CONTROL_SIZE,
  CONTROL_THREAD,
  HIGH_ADDRESS_MASK,
  HIGH_KIND_SHIFT,
  HIGH_SIZE_SHIFT,
  KIND_CONTROL,
  LARGEST_PLAIN_SIZE,
} from "./reference.ts";

/** Words that one record of any format makes at most, and some to spare. */
const RECORD_WORDS = 64;
const DEFAULT_WORDS = 65536;

/** Addresses and values are halves of 32 bits, signed or not. */
export class WordBuffer {
  /** Two a word, the lower half first. */
  readonly halves: Uint32Array;
  nrWords = 0;
  /** Of all batches so far. */
  nrReferences = 0;
  readonly #room: number;
  #threadLow = 0;
  #threadHigh = 0;

  /** On `halves`, which has an even length, or on memory of its own. */
  constructor(halves = new Uint32Array(2 * DEFAULT_WORDS)) {
    this.halves = halves;
    this.#room = halves.length / 2 - RECORD_WORDS;
  }

  /** The words of this batch. */
  get words(): BigUint64Array {
    return new BigUint64Array(this.halves.buffer, this.halves.byteOffset, this.nrWords);
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.halves.buffer, this.halves.byteOffset, 8 * this.nrWords);
  }

  /** Whether it has room for the words of another record. */
  get hasRoom(): boolean {
    return this.nrWords <= this.#room;
  }

  /** Makes room for the next batch. */
  clear(): void {
    this.nrWords = 0;
  }

  /** An access to `nrBytes` at an address that is canonical. */
  reference(low: number, high: number, kind: number, nrBytes: number): void {
    let size = nrBytes - 1;
    if (nrBytes > LARGEST_PLAIN_SIZE) {
      this.#control(CONTROL_SIZE, nrBytes, 0);
      size = 0;
    }
    this.nrReferences++;
    this.#word(
      low,
      (size << HIGH_SIZE_SHIFT) | (kind << HIGH_KIND_SHIFT) | (high & HIGH_ADDRESS_MASK),
    );
  }

  /** Words of references without a CONTROL among them; there must be room for all. */
  plainReferences(halves: Uint32Array): void {
    this.halves.set(halves, 2 * this.nrWords);
    this.nrWords += halves.length / 2;
    this.nrReferences += halves.length / 2;
  }

  /** Words for which there is room. */
  get room(): number {
    return this.#room + RECORD_WORDS - this.nrWords;
  }

  /** What follows is of this thread. */
  thread(low: number, high: number): void {
    if (low === this.#threadLow && high === this.#threadHigh) return;
    this.#threadLow = low;
    this.#threadHigh = high;
    this.#control(CONTROL_THREAD, low, high);
  }

  /** The next reference was made by the instruction at this address. */
  instructionPointer(low: number, high: number): void {
    this.#control(CONTROL_IP, low, high);
  }

  /** Translations of so many bytes, less than 2^32, from this address on leave all TLBs. */
  invalidate(low: number, high: number, nrBytes: number): void {
    this.#control(CONTROL_SIZE, nrBytes, 0);
    this.#control(CONTROL_INVALIDATE, low, high);
  }

  /** All translations do. */
  flush(): void {
    this.#control(CONTROL_FLUSH, 0, 0);
  }

  #word(low: number, high: number): void {
    const at = 2 * this.nrWords++;
    this.halves[at] = low;
    this.halves[at + 1] = high;
  }

  #control(control: number, low: number, high: number): void {
    this.#word(
      low,
      (control << HIGH_SIZE_SHIFT) | (KIND_CONTROL << HIGH_KIND_SHIFT) | (high & HIGH_ADDRESS_MASK),
    );
  }
}
