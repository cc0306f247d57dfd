/** Bytes that come in pieces: a front that was looked at, and reads of a wanted length. */

export type Chunks = AsyncIterable<Uint8Array>;

/** The first bytes, at least `length` of them unless there are fewer, and everything with them. */
export async function peek(
  chunks: Chunks,
  length: number,
): Promise<{ head: Uint8Array; all: Chunks }> {
  const reader = new ChunkReader(chunks);
  const head = await reader.upTo(length);
  return { head, all: reader.rest() };
}

/** Reads pieces of any length. */
export class ChunkReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);

  constructor(chunks: Chunks) {
    this.#source = chunks[Symbol.asyncIterator]();
  }

  /** All bytes held, at least `length` unless the source ends; they are not taken. */
  async upTo(length: number): Promise<Uint8Array> {
    while (this.#held.length < length) {
      const { done, value } = await this.#source.next();
      if (done) break;
      this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value]);
    }
    return this.#held;
  }

  /** Takes bytes that `upTo` has shown. */
  take(length: number): void {
    this.#held = this.#held.subarray(length);
  }

  /** Puts bytes in front of what is held. */
  putBack(bytes: Uint8Array): void {
    this.#held = bytes.length === 0 ? this.#held : Buffer.concat([bytes, this.#held]);
  }

  /** Takes what is held, or what comes next; nothing at the end. */
  async next(): Promise<Uint8Array | undefined> {
    const bytes = await this.upTo(1);
    this.#held = new Uint8Array(0);
    return bytes.length > 0 ? bytes : undefined;
  }

  /** Takes everything. The source is let go of when the reader of this stops. */
  async *rest(): AsyncGenerator<Uint8Array> {
    try {
      for (let bytes = await this.next(); bytes; bytes = await this.next()) yield bytes;
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** Puts what is left of one piece before the next one, in the same memory each time. */
export class Joint {
  #memory = new Uint8Array(0);

  /** Both as one; good until the next call, whose `rest` may be a part of it. */
  join(rest: Uint8Array, chunk: Uint8Array): Uint8Array {
    if (rest.length === 0) return chunk;
    const length = rest.length + chunk.length;
    const memory = length <= this.#memory.length ? this.#memory : new Uint8Array(2 * length);
    memory.set(rest);
    memory.set(chunk, rest.length);
    this.#memory = memory;
    return memory.subarray(0, length);
  }
}
