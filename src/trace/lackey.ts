/**
 * Text of `valgrind --tool=lackey --trace-mem=yes`: `I  0400d7d4,8`, ` L 1ffeffe7c8,8`, ` S …`, and
 * ` M …` for a load and a store of the same bytes. Valgrind's own lines are between them.
 * Usual lines are read by wasm (usual-lines.ts), all others here.
 */
import { headLines, type Decoder, type OnBroken, type TraceFormat } from "./format.ts";
import { HEX_VALUES } from "./hex.ts";
import { isCanonicalHigh, KIND_FETCH, KIND_READ, KIND_WRITE, LARGEST_SIZE } from "./reference.ts";
import { UsualLines } from "./usual-lines.ts";
import type { WordBuffer } from "./word-buffer.ts";

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const COMMA = 44;
const ZERO = 48;
const INSTRUCTION = 73;
const LOAD = 76;
const MODIFY = 77;
const STORE = 83;

const KIND_MODIFY = 3;
const NO_KIND = 255;
/** How those of valgrind begin, of its log, its warnings, its client, and its decoder. */
const VALGRINDS_OWN = /^(==|--|\*\*|vex )/;
/** The column of the address, of at most 16 digits. */
const ADDRESS_COLUMN = 3;

export const LACKEY: TraceFormat = {
  name: "lackey",
  isText: true,
  hasSamples: false,
  names: /lackey/,
  recognises(head) {
    const lines = headLines(head);
    const line = lines.find((text) => !VALGRINDS_OWN.test(text));
    if (line === undefined) return lines[0]?.includes("Lackey") ?? false;
    return /^(I | [LSM]) [0-9a-f]{1,16},\d+$/.test(line);
  },
  createDecoder: (onBroken) => new LackeyDecoder(onBroken),
};

class LackeyDecoder implements Decoder {
  readonly #onBroken: OnBroken;
  readonly #usual = new UsualLines();
  #line = 0;

  constructor(onBroken: OnBroken) {
    this.#onBroken = onBroken;
  }

  decode(bytes: Uint8Array, from: number, out: WordBuffer): number {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    let at = from;
    while (at < end && out.hasRoom) {
      at = this.#usual.read(bytes, at, end, out);
      this.#line += this.#usual.nrLines;
      if (at === end || !out.hasRoom) break;
      this.#line++;
      const next = readLine(bytes, at, out);
      if (next > 0) {
        at = next;
        continue;
      }
      const lineEnd = bytes.indexOf(NEWLINE, at);
      const text = startOfLine(bytes, at, lineEnd);
      if (text !== "" && !VALGRINDS_OWN.test(text)) {
        this.#onBroken(this.#line, `no reference as lackey writes them: ${JSON.stringify(text)}`);
      }
      at = lineEnd + 1;
    }
    return at;
  }
}

/** Puts the reference of a line and returns where the next one begins; 0 if it is none. */
function readLine(bytes: Uint8Array, from: number, out: WordBuffer): number {
  const kind = kindOf(bytes[from], bytes[from + 1]);
  if (kind === NO_KIND || bytes[from + 2] !== SPACE) return 0;
  const start = from + ADDRESS_COLUMN;
  let at = start;
  let low = 0;
  for (let digit = HEX_VALUES[bytes[at]]; digit < 16; digit = HEX_VALUES[bytes[++at]]) {
    low = (low << 4) | digit;
  }
  if (bytes[at] !== COMMA || at === start || at - start > 16) return 0;
  // All digits but the last eight once more: two shifts a digit instead of four.
  let high = 0;
  for (let i = start; i < at - 8; i++) high = (high << 4) | HEX_VALUES[bytes[i]];
  if (!isCanonicalHigh(high)) return 0;
  let nrBytes = bytes[++at] - ZERO;
  if (nrBytes < 0 || nrBytes > 9) return 0;
  for (let digit = bytes[++at] - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at] - ZERO) {
    nrBytes = nrBytes * 10 + digit;
  }
  if (bytes[at] === RETURN) at++;
  if (bytes[at] !== NEWLINE || nrBytes === 0 || nrBytes > LARGEST_SIZE) return 0;
  if (kind === KIND_MODIFY) {
    out.reference(low, high, KIND_READ, nrBytes);
    out.reference(low, high, KIND_WRITE, nrBytes);
  } else {
    out.reference(low, high, kind, nrBytes);
  }
  return at + 1;
}

function kindOf(first: number, second: number): number {
  if (first === INSTRUCTION) return second === SPACE ? KIND_FETCH : NO_KIND;
  if (first !== SPACE) return NO_KIND;
  if (second === LOAD) return KIND_READ;
  if (second === STORE) return KIND_WRITE;
  return second === MODIFY ? KIND_MODIFY : NO_KIND;
}

function startOfLine(bytes: Uint8Array, from: number, to: number): string {
  return new TextDecoder("latin1").decode(bytes.subarray(from, Math.min(to, from + 40)));
}
