/** The usual lines of lackey, by wasm: assembly/lackey.ts says which they are. */
import { coreModule } from "../core.ts";
import { InternalError } from "../errors.ts";
import type { WordBuffer } from "./word-buffer.ts";

const NEWLINE = 10;
/** In wasm's memory: its static data, the text of some lines and what is loaded behind, words. */
const TEXT_AT = 65536;
const TEXT_BYTES = 2 ** 18;
const SPARE_BYTES = 64;
const WORDS_AT = TEXT_AT + TEXT_BYTES + SPARE_BYTES;
const NR_WORDS = 2 ** 16;
const WASM_PAGE = 65536;

interface LackeyExports {
  geometryAddress(): number;
  parseLackey(from: number, end: number, to: number, room: number): number;
  lackeyStoppedAt(): number;
  lackeyLines(): number;
}

export class UsualLines {
  /** Lines that the last `read` read. */
  nrLines = 0;
  readonly #wasm: LackeyExports;
  readonly #memory: Uint8Array;
  readonly #words: Uint32Array;
  /** What of which bytes is in wasm's memory. */
  #bytes: Uint8Array | undefined;
  #start = 0;
  #end = 0;

  constructor() {
    const pages = Math.ceil((WORDS_AT + 8 * NR_WORDS) / WASM_PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const instance = new WebAssembly.Instance(coreModule(), { env: { memory } });
    this.#wasm = instance.exports as unknown as LackeyExports;
    if (this.#wasm.geometryAddress() > TEXT_AT) throw new InternalError("static data is small");
    this.#memory = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer, WORDS_AT, 2 * NR_WORDS);
  }

  /**
   * Reads usual lines from `from`, until `end`, an unusual one, or no more room; returns where it
   * stopped. A line ends at `end`, and what `bytes` holds must not change while they are read.
   */
  read(bytes: Uint8Array, from: number, end: number, out: WordBuffer): number {
    this.nrLines = 0;
    let at = from;
    while (at < end && out.hasRoom && this.#hold(bytes, at, end)) {
      const offset = TEXT_AT - this.#start;
      const room = Math.min(out.room, NR_WORDS);
      const count = this.#wasm.parseLackey(at + offset, this.#end + offset, WORDS_AT, room);
      if (count > 0) out.plainReferences(this.#words.subarray(0, 2 * count));
      this.nrLines += this.#wasm.lackeyLines();
      at = this.#wasm.lackeyStoppedAt() - offset;
      if (at < this.#end && count < NR_WORDS - 1) break;
    }
    return at;
  }

  /** Has the lines at `at` in wasm's memory; false if the first is too long for it. */
  #hold(bytes: Uint8Array, at: number, end: number): boolean {
    if (bytes === this.#bytes && at >= this.#start && at < this.#end) return true;
    const last = bytes.lastIndexOf(NEWLINE, Math.min(at + TEXT_BYTES, end) - 1);
    if (last < at) return false;
    this.#bytes = bytes;
    this.#start = at;
    this.#end = last + 1;
    this.#memory.set(bytes.subarray(at, this.#end), TEXT_AT);
    return true;
  }
}
