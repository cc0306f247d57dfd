/** Reads a trace: from a file or a pipe to batches of words, in memory that does not grow. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { areSamples } from "./binary.ts";
import { Joint, peek, type Chunks } from "./chunks.ts";
import { decompressed } from "./compression.ts";
import type { TraceFormat } from "./format.ts";
import { detectFormat, FORMAT_NAMES } from "./formats.ts";
import { TraceError } from "./trace-error.ts";
import { WordBuffer } from "./word-buffer.ts";

/** Larger reads are slower: what is read is in the processor's cache when it is decoded. */
const READ_BYTES = 2 ** 18;
/** What is looked at to tell the format. */
const HEAD_BYTES = 4096;
/** A record that has not ended after so many bytes is none. */
const LARGEST_RECORD = 2 ** 16;
const NEWLINE = new Uint8Array([10]);

export interface TraceOptions {
  /** Without: told by content, else by name. */
  readonly format?: TraceFormat;
  /** Broken records are counted and skipped. */
  readonly isLenient?: boolean;
}

export class Trace {
  /** How messages call it. */
  readonly name: string;
  readonly format: TraceFormat;
  /** Its references are samples: they rank regions, and give no miss ratio. */
  readonly hasSamples: boolean;
  /** Records that were skipped so far, and what is wrong with the first of them. */
  nrBroken = 0;
  firstBroken: TraceError | undefined;
  readonly #chunks: Chunks;
  readonly #isLenient: boolean;
  readonly #progress: { nrBytes: number; readonly totalBytes: number | undefined };
  /** Of the bytes that the decoder sees, in the trace. */
  #offset = 0;

  private constructor(
    name: string,
    format: TraceFormat,
    head: Uint8Array,
    chunks: Chunks,
    isLenient: boolean,
    progress: { nrBytes: number; readonly totalBytes: number | undefined },
  ) {
    this.name = name;
    this.format = format;
    this.hasSamples = format.hasSamples || areSamples(head);
    this.#chunks = chunks;
    this.#isLenient = isLenient;
    this.#progress = progress;
  }

  /** Opens a file. Throws `TraceError`, or what the file system says. */
  static async openFile(path: string, options: TraceOptions = {}): Promise<Trace> {
    const { size } = await stat(path);
    const source = createReadStream(path, { highWaterMark: READ_BYTES });
    return Trace.open(source, path, options, size > 0 ? size : undefined);
  }

  /** Opens what comes in pieces, compressed or not. */
  static async open(
    source: Chunks,
    name: string,
    { format, isLenient = false }: TraceOptions = {},
    totalBytes?: number,
  ): Promise<Trace> {
    const progress = { nrBytes: 0, totalBytes };
    const counted = async function* () {
      for await (const bytes of source) {
        progress.nrBytes += bytes.length;
        yield bytes;
      }
    };
    const { head, all } = await peek(await decompressed(counted(), name), HEAD_BYTES);
    if (head.length === 0) throw new TraceError(name, "an empty trace");
    const found = format ?? detectFormat(name, head);
    if (found !== undefined) return new Trace(name, found, head, all, isLenient, progress);
    const formats = FORMAT_NAMES.join(", ");
    throw new TraceError(name, `no format of traces that is known; name one of ${formats}`);
  }

  /** Bytes read so far, compressed as they are. */
  get nrBytes(): number {
    return this.#progress.nrBytes;
  }

  /** All bytes there are; unknown of a pipe. */
  get totalBytes(): number | undefined {
    return this.#progress.totalBytes;
  }

  /**
   * The batches; each is in `into`, good until the next one is asked for. Can be iterated once.
   * Throws `TraceError` at a broken record, or skips it.
   */
  async *batches(into = new WordBuffer()): AsyncGenerator<WordBuffer> {
    const decoder = this.format.createDecoder((at, reason) => this.#broken(at, reason));
    const joint = new Joint();
    let rest: Uint8Array = new Uint8Array(0);
    for await (const chunk of this.#withLastNewline()) {
      const bytes = joint.join(rest, chunk);
      let at = 0;
      for (;;) {
        const next = decoder.decode(bytes, at, into);
        const isFull = !into.hasRoom;
        if (into.nrWords > 0) yield into;
        into.clear();
        at = next;
        if (!isFull) break;
      }
      this.#offset += at;
      rest = bytes.subarray(at);
      if (rest.length > LARGEST_RECORD) {
        throw new TraceError(this.name, "a line without end", `byte ${this.#offset}`);
      }
    }
    if (rest.length > 0)
      this.#broken(0, `the trace ends within a record, after ${rest.length} bytes`);
    const missing = decoder.missing?.();
    if (missing !== undefined) this.#broken(rest.length, missing);
  }

  /** The bytes; a text's last line is ended. */
  async *#withLastNewline(): AsyncGenerator<Uint8Array> {
    let last = NEWLINE[0];
    for await (const chunk of this.#chunks) {
      last = chunk[chunk.length - 1];
      yield chunk;
    }
    if (this.format.isText && last !== NEWLINE[0]) yield NEWLINE;
  }

  #broken(at: number, reason: string): void {
    const place = this.format.isText ? `line ${at}` : `byte ${this.#offset + at}`;
    const error = new TraceError(this.name, reason, place);
    if (!this.#isLenient) throw error;
    this.nrBroken++;
    this.firstBroken ??= error;
  }
}
