/**
 * Our own format: 16 bytes of header, then the words of reference.ts, little-endian, a CONTROL_END
 * as the last one. docs/traces.md describes it.
 */
import type { Decoder, OnBroken, TraceFormat } from "./format.ts";
import {
  CONTROL_END,
  CONTROL_IP,
  CONTROL_SIZE,
  CONTROL_THREAD,
  controlOfHigh,
  HIGH_ADDRESS_MASK,
  HIGH_KIND_SHIFT,
  HIGH_SIZE_SHIFT,
  KIND_CONTROL,
  kindOfHigh,
  LARGEST_PLAIN_SIZE,
  LARGEST_SIZE,
} from "./reference.ts";
import type { WordBuffer } from "./word-buffer.ts";

/** "HWTRACE" and a zero, then the version and the flags, u32 each. */
const MAGIC = [0x48, 0x57, 0x54, 0x52, 0x41, 0x43, 0x45, 0];
const VERSION = 1;
const FLAG_SAMPLES = 1;
const HEADER_BYTES = 16;
const WORD_BYTES = 8;

export const BINARY: TraceFormat = {
  name: "binary",
  isText: false,
  // A flag in the header: `areSamples`.
  hasSamples: false,
  names: /\.hwtrace\b/,
  recognises: (head) => MAGIC.every((byte, i) => head[i] === byte),
  createDecoder: (onBroken) => new BinaryDecoder(onBroken),
};

export function binaryHeader(areSamples: boolean): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(MAGIC);
  const view = new DataView(header.buffer);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, areSamples ? FLAG_SAMPLES : 0, true);
  return header;
}

/** The last word of a file. */
export function binaryEnd(nrReferences: number): Uint8Array {
  const control = (CONTROL_END << HIGH_SIZE_SHIFT) | (KIND_CONTROL << HIGH_KIND_SHIFT);
  const high = Math.floor(nrReferences / 2 ** 32);
  return new Uint8Array(new Uint32Array([nrReferences >>> 0, control | high]).buffer);
}

/** Whether the header of a binary trace says that it holds samples. */
export function areSamples(head: Uint8Array): boolean {
  return BINARY.recognises(head) && head.length > 12 && (head[12] & FLAG_SAMPLES) !== 0;
}

class BinaryDecoder implements Decoder {
  readonly #onBroken: OnBroken;
  #hasHeader = false;
  #hasEnd = false;

  constructor(onBroken: OnBroken) {
    this.#onBroken = onBroken;
  }

  decode(bytes: Uint8Array, from: number, out: WordBuffer): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = from;
    if (!this.#hasHeader) {
      if (bytes.length - at < HEADER_BYTES) return at;
      this.#readHeader(bytes.subarray(at), view.getUint32(at + 8, true), at);
      at += HEADER_BYTES;
    }
    const nrWords = Math.floor((bytes.length - at) / WORD_BYTES);
    const words = halvesOf(bytes, at, nrWords);
    let i = 0;
    while (i < nrWords && out.hasRoom) {
      const runEnd = this.#hasEnd ? i : endOfRun(words, i, Math.min(nrWords, i + out.room));
      if (runEnd > i) out.plainReferences(words.subarray(2 * i, 2 * runEnd));
      i = runEnd;
      if (i < nrWords && out.hasRoom) {
        const nrRead = this.#other(words, i, at + i * WORD_BYTES, out);
        if (nrRead === 0) break;
        i += nrRead;
      }
    }
    return at + i * WORD_BYTES;
  }

  missing(): string | undefined {
    return this.#hasEnd ? undefined : "the trace's end is missing: it was not written as a whole";
  }

  #readHeader(bytes: Uint8Array, version: number, at: number): void {
    this.#hasHeader = true;
    if (!BINARY.recognises(bytes)) this.#onBroken(at, "no header of a binary trace");
    else if (version !== VERSION) this.#onBroken(at, `version ${version}; this reads ${VERSION}`);
  }

  /** Reads a word that is no plain reference; returns how many words it took, 0 for too few. */
  #other(words: Uint32Array, i: number, at: number, out: WordBuffer): number {
    const low = words[2 * i];
    const high = words[2 * i + 1];
    const control = controlOfHigh(high);
    const valueHigh = high & HIGH_ADDRESS_MASK;
    if (this.#hasEnd) this.#onBroken(at, "a word behind the end of the trace");
    else if (control === CONTROL_THREAD) out.thread(low, valueHigh);
    else if (control === CONTROL_IP) out.instructionPointer(low, valueHigh);
    else if (control === CONTROL_END) this.#end(valueHigh * 2 ** 32 + low, at, out);
    else if (control !== CONTROL_SIZE) {
      this.#onBroken(at, `a control word of unknown kind ${control}`);
    } else {
      if (2 * i + 2 >= words.length) return 0;
      const next = words[2 * i + 3];
      const kind = kindOfHigh(next);
      if (kind !== KIND_CONTROL && low > LARGEST_PLAIN_SIZE && low <= LARGEST_SIZE) {
        out.reference(words[2 * i + 2], next, kind, low);
        return 2;
      }
      this.#onBroken(at, "a size of no reference");
    }
    return 1;
  }

  #end(expected: number, at: number, out: WordBuffer): void {
    this.#hasEnd = true;
    if (expected === out.nrReferences) return;
    this.#onBroken(at, `${out.nrReferences} references where ${expected} were written`);
  }
}

/** The words at `at` as halves; a copy if they are not aligned. */
function halvesOf(bytes: Uint8Array, at: number, nrWords: number): Uint32Array {
  const isAligned = (bytes.byteOffset + at) % Uint32Array.BYTES_PER_ELEMENT === 0;
  const aligned = isAligned ? bytes.subarray(at) : bytes.slice(at);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, 2 * nrWords);
}

/** Where the plain references that begin at word `from` end. */
function endOfRun(words: Uint32Array, from: number, limit: number): number {
  const mask = KIND_CONTROL << HIGH_KIND_SHIFT;
  let i = from;
  while (i < limit && (words[2 * i + 1] & mask) !== mask) i++;
  return i;
}
