/**
 * Samples as `perf script -F tid,event,addr,ip` prints them, or with perf's own choice of fields.
 * They rank regions; as they are no sequence of accesses, no miss ratio follows from them.
 */
import { headLines, type Decoder, type OnBroken, type TraceFormat } from "./format.ts";
import { Digits } from "./hex.ts";
import { isCanonicalHigh, KIND_FETCH, KIND_READ, KIND_WRITE } from "./reference.ts";
import type { WordBuffer } from "./word-buffer.ts";

const NEWLINE = 10;
const TAB = 9;
const HEX = /^[0-9a-f]{1,16}$/;

interface Sample {
  readonly tid: string;
  /** Hexadecimal; without one the sample is of the instruction alone. */
  readonly address?: string;
  readonly ip: string;
  readonly isStore: boolean;
}

export const PERF_SCRIPT: TraceFormat = {
  name: "perf",
  isText: true,
  hasSamples: true,
  names: /\.perf\b|perf[-_.]script/,
  recognises(head) {
    const line = headLines(head).find((text) => text.trim() !== "" && !text.startsWith("#"));
    return line !== undefined && parseSample(line) !== undefined;
  },
  createDecoder: (onBroken) => new PerfDecoder(onBroken),
};

class PerfDecoder implements Decoder {
  readonly #onBroken: OnBroken;
  readonly #text = new TextDecoder("latin1");
  readonly #encoder = new TextEncoder();
  readonly #number = new Digits();
  #line = 0;

  constructor(onBroken: OnBroken) {
    this.#onBroken = onBroken;
  }

  decode(bytes: Uint8Array, from: number, out: WordBuffer): number {
    let at = from;
    while (out.hasRoom) {
      const end = bytes.indexOf(NEWLINE, at);
      if (end < 0) break;
      this.#line++;
      // A line that begins with a tab is one of a call chain.
      const line = bytes[at] === TAB ? "" : this.#text.decode(bytes.subarray(at, end)).trim();
      if (line !== "" && !line.startsWith("#")) this.#sample(line, out);
      at = end + 1;
    }
    return at;
  }

  #sample(line: string, out: WordBuffer): void {
    const sample = parseSample(line);
    if (sample === undefined) {
      this.#onBroken(this.#line, "no sample as `perf script -F tid,event,addr,ip` prints them");
      return;
    }
    const { tid, address, ip, isStore } = sample;
    const number = this.#number;
    number.readDecimal(this.#encoder.encode(tid), 0);
    out.thread(number.low, number.high);
    number.readHex(this.#encoder.encode(ip), 0);
    if (!isCanonicalHigh(number.high)) {
      this.#onBroken(this.#line, "a non-canonical instruction address");
      return;
    }
    if (address === undefined) {
      out.reference(number.low, number.high, KIND_FETCH, 1);
      return;
    }
    out.instructionPointer(number.low, number.high);
    number.readHex(this.#encoder.encode(address), 0);
    if (!isCanonicalHigh(number.high)) this.#onBroken(this.#line, "a non-canonical address");
    else out.reference(number.low, number.high, isStore ? KIND_WRITE : KIND_READ, 1);
  }
}

/** `[comm] tid [cpu] [time:] [period] [event:] [addr [data_src |OP …|]] ip [symbol …]` */
function parseSample(line: string): Sample | undefined {
  const tokens = line.trim().split(/\s+/);
  const event = tokens.findLastIndex((token) => /^[a-zA-Z].*:$/.test(token));
  const colon = tokens.findIndex((token) => token.endsWith(":"));
  const before = colon < 0 ? tokens.slice(0, 1) : tokens.slice(0, colon);
  const tid = before.find((token) => /^(\d+\/)?\d+$/.test(token))?.replace(/^.*\//, "");
  if (tid === undefined) return undefined;
  const after = tokens.slice(event < 0 ? Math.max(colon, 0) + 1 : event + 1);
  const operation = after.findLastIndex((token) => token.includes("|"));
  const numbers = operation < 0 ? leadingNumbers(after) : [];
  const [address, ip] =
    operation < 0
      ? numbers.length > 1
        ? numbers
        : [undefined, numbers[0]]
      : [after[0], after[operation + 1]];
  if (ip === undefined || !HEX.test(ip)) return undefined;
  if (address !== undefined && !HEX.test(address)) return undefined;
  const isStore = /store/i.test(event < 0 ? "" : tokens[event]) || line.includes("|OP STORE");
  const hasAddress = address !== undefined && !/^0+$/.test(address);
  return { tid, address: hasAddress ? address : undefined, ip, isStore };
}

/** One or two hexadecimal numbers at the front. */
function leadingNumbers(tokens: readonly string[]): string[] {
  const count = tokens.findIndex((token) => !HEX.test(token));
  return tokens.slice(0, count < 0 ? 2 : Math.min(count, 2));
}
