/**
 * DynamoRIO's drmemtrace, offline: records of 12 bytes (clients/drcachesim/common/trace_entry.h),
 * u16 type, u16 size, u64 address. A file holds one thread; a zip holds it in pieces.
 */
import type { Decoder, OnBroken, TraceFormat } from "./format.ts";
import { isCanonicalHigh, KIND_FETCH, KIND_READ, KIND_WRITE } from "./reference.ts";
import type { WordBuffer } from "./word-buffer.ts";

const RECORD_BYTES = 12;

const READ = 0;
const WRITE = 1;
const INSTR = 10;
const INSTR_RETURN = 16;
/** Instructions behind the last one: their number is the size, their lengths are the 8 bytes. */
const INSTR_BUNDLE = 17;
const THREAD = 22;
const HEADER = 25;
const INSTR_SYSENTER = 31;
const INSTR_TAKEN_JUMP = 48;
const INSTR_UNTAKEN_JUMP = 49;
/** Types above are not known; all others below tell nothing of TLBs (prefetches, markers, …). */
const LAST_TYPE = 63;
const LARGEST_VERSION = 255;
const BUNDLE_MAX = 8;

export const DRMEMTRACE: TraceFormat = {
  name: "drmemtrace",
  isText: false,
  hasSamples: false,
  names: /\.memtrace\b|drmemtrace|\.trace\.(zip|gz)$/,
  recognises(head) {
    if (head.length < RECORD_BYTES) return false;
    const view = new DataView(head.buffer, head.byteOffset);
    const version = view.getUint32(4, true);
    return (
      view.getUint16(0, true) === HEADER && version <= LARGEST_VERSION && view.getUint32(8) === 0
    );
  },
  createDecoder: (onBroken) => new DrmemtraceDecoder(onBroken),
};

class DrmemtraceDecoder implements Decoder {
  readonly #onBroken: OnBroken;
  /** Where the next instruction of a bundle would be. */
  #nextLow = 0;
  #nextHigh = 0;

  constructor(onBroken: OnBroken) {
    this.#onBroken = onBroken;
  }

  decode(bytes: Uint8Array, from: number, out: WordBuffer): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const last = bytes.length - RECORD_BYTES;
    let at = from;
    for (; at <= last && out.hasRoom; at += RECORD_BYTES) {
      const type = view.getUint16(at, true);
      const size = view.getUint16(at + 2, true);
      if (type > LAST_TYPE) {
        this.#onBroken(at, `a record of type ${type}, which no drmemtrace has`);
      } else if (type === INSTR_BUNDLE) {
        this.#bundle(bytes, at, size, out);
      } else if (type === THREAD) {
        out.thread(view.getUint32(at + 4, true), view.getUint32(at + 8, true));
      } else {
        const kind = kindOf(type);
        if (kind === undefined) continue;
        const low = view.getUint32(at + 4, true);
        const high = view.getUint32(at + 8, true);
        this.#reference(at, low, high, kind, size, out);
      }
    }
    return at;
  }

  #reference(
    at: number,
    low: number,
    high: number,
    kind: number,
    size: number,
    out: WordBuffer,
  ): void {
    if (size === 0 || !isCanonicalHigh(high)) {
      this.#onBroken(at, size === 0 ? "an access of 0 bytes" : "a non-canonical address");
      return;
    }
    out.reference(low, high, kind, size);
    if (kind !== KIND_FETCH) return;
    const next = low + size;
    this.#nextLow = next >>> 0;
    this.#nextHigh = next < 2 ** 32 ? high : high + 1;
  }

  #bundle(bytes: Uint8Array, at: number, count: number, out: WordBuffer): void {
    if (count > BUNDLE_MAX) {
      this.#onBroken(at, `a bundle of ${count} instructions; ${BUNDLE_MAX} are the most`);
      return;
    }
    for (let i = 0; i < count; i++) {
      this.#reference(at, this.#nextLow, this.#nextHigh, KIND_FETCH, bytes[at + 4 + i], out);
    }
  }
}

function kindOf(type: number): number | undefined {
  if (type === READ) return KIND_READ;
  if (type === WRITE) return KIND_WRITE;
  const isInstruction =
    (type >= INSTR && type <= INSTR_RETURN) ||
    type === INSTR_SYSENTER ||
    type === INSTR_TAKEN_JUMP ||
    type === INSTR_UNTAKEN_JUMP;
  return isInstruction ? KIND_FETCH : undefined;
}
