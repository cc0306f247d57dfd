/**
 * ChampSim's traces, a record an instruction (inc/trace_instruction.h): 64 bytes, or 96 for
 * CloudSuite's. Neither has sizes, so every reference is of one byte and none crosses pages.
 */
import type { Decoder, OnBroken, TraceFormat } from "./format.ts";
import { isCanonicalHigh, KIND_FETCH, KIND_READ, KIND_WRITE } from "./reference.ts";
import type { WordBuffer } from "./word-buffer.ts";

interface Layout {
  readonly recordBytes: number;
  /** Offsets of u64 addresses; 0 is none. */
  readonly loads: readonly number[];
  readonly stores: readonly number[];
  /** Of the u8 address-space number, which stands for a thread. */
  readonly asid?: number;
}

const STANDARD: Layout = { recordBytes: 64, loads: [32, 40, 48, 56], stores: [16, 24] };
const CLOUDSUITE: Layout = {
  recordBytes: 96,
  loads: [56, 64, 72, 80],
  stores: [24, 32, 40, 48],
  asid: 88,
};
const IS_BRANCH = 8;
const BRANCH_TAKEN = 9;

export const CHAMPSIM: TraceFormat = {
  name: "champsim",
  isText: false,
  hasSamples: false,
  names: /champsim/,
  recognises: (head) => looksLike(STANDARD, head),
  createDecoder: (onBroken) => new ChampsimDecoder(STANDARD, onBroken),
};

export const CLOUDSUITE_CHAMPSIM: TraceFormat = {
  name: "cloudsuite",
  isText: false,
  hasSamples: false,
  names: /cloudsuite/,
  recognises: (head) => looksLike(CLOUDSUITE, head),
  createDecoder: (onBroken) => new ChampsimDecoder(CLOUDSUITE, onBroken),
};

/** Whether all records of the head have the form: flags of 0 or 1 and canonical addresses. */
function looksLike(layout: Layout, head: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const { recordBytes } = layout;
  if (head.length < recordBytes) return false;
  for (let at = 0; at + recordBytes <= head.length; at += recordBytes) {
    if (broken(layout, view, at) !== undefined) return false;
  }
  return true;
}

/** Why a record cannot be one. Loops, not closures: they are eight times faster. */
function broken({ loads, stores }: Layout, view: DataView, at: number): string | undefined {
  if (view.getUint8(at + IS_BRANCH) > 1 || view.getUint8(at + BRANCH_TAKEN) > 1) {
    return "flags of a branch that are neither 0 nor 1";
  }
  let isCanonical = isCanonicalHigh(view.getUint32(at + 4, true));
  for (let i = 0; i < loads.length; i++) {
    isCanonical &&= isCanonicalHigh(view.getUint32(at + loads[i] + 4, true));
  }
  for (let i = 0; i < stores.length; i++) {
    isCanonical &&= isCanonicalHigh(view.getUint32(at + stores[i] + 4, true));
  }
  if (!isCanonical) return "a non-canonical address";
  const hasIp = view.getUint32(at, true) !== 0 || view.getUint32(at + 4, true) !== 0;
  return hasIp ? undefined : "an instruction at address 0";
}

class ChampsimDecoder implements Decoder {
  readonly #layout: Layout;
  readonly #onBroken: OnBroken;

  constructor(layout: Layout, onBroken: OnBroken) {
    this.#layout = layout;
    this.#onBroken = onBroken;
  }

  decode(bytes: Uint8Array, from: number, out: WordBuffer): number {
    const { recordBytes, loads, stores, asid } = this.#layout;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = from;
    for (; at + recordBytes <= bytes.length && out.hasRoom; at += recordBytes) {
      const reason = broken(this.#layout, view, at);
      if (reason !== undefined) {
        this.#onBroken(at, reason);
        continue;
      }
      if (asid !== undefined) out.thread(bytes[at + asid], 0);
      put(view, at, KIND_FETCH, out);
      for (let i = 0; i < loads.length; i++) put(view, at + loads[i], KIND_READ, out);
      for (let i = 0; i < stores.length; i++) put(view, at + stores[i], KIND_WRITE, out);
    }
    return at;
  }
}

/** Puts the reference whose address is there, if one is. */
function put(view: DataView, at: number, kind: number, out: WordBuffer): void {
  const low = view.getUint32(at, true);
  const high = view.getUint32(at + 4, true);
  if (low !== 0 || high !== 0) out.reference(low, high, kind, 1);
}
