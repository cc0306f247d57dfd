/**
 * Lines of `tid,kind,addr,size`: kind by its first letter (R or L, W or S, F or I, M for a read and a
 * write), addr with 0x hexadecimal, else decimal. Lines that begin with `#`, and a line of headings
 * at the top, tell nothing.
 */
import { headLines, type Decoder, type OnBroken, type TraceFormat } from "./format.ts";
import { Digits } from "./hex.ts";
import { isCanonicalHigh, KIND_FETCH, KIND_READ, KIND_WRITE, LARGEST_SIZE } from "./reference.ts";
import type { WordBuffer } from "./word-buffer.ts";

export const CSV_HEADINGS = "tid,kind,addr,size";
export const CSV_LETTERS: Readonly<Record<number, string>> = {
  [KIND_READ]: "R",
  [KIND_WRITE]: "W",
  [KIND_FETCH]: "F",
};

const NEWLINE = 10;
const RETURN = 13;
const HASH = 35;
const COMMA = 44;
const ZERO = 48;
const LOWER_CASE = 32;
const LOWER_X = 120;
const KINDS: ReadonlyMap<string, readonly number[]> = new Map([
  ["r", [KIND_READ]],
  ["l", [KIND_READ]],
  ["w", [KIND_WRITE]],
  ["s", [KIND_WRITE]],
  ["f", [KIND_FETCH]],
  ["i", [KIND_FETCH]],
  ["m", [KIND_READ, KIND_WRITE]],
]);
const KINDS_BY_BYTE = Array.from({ length: 256 }, (_, byte) =>
  KINDS.get(String.fromCharCode(byte | LOWER_CASE)),
);

export const CSV: TraceFormat = {
  name: "csv",
  isText: true,
  hasSamples: false,
  names: /\.csv\b/,
  recognises(head) {
    const line = headLines(head).find((text) => !text.startsWith("#")) ?? "";
    return line === CSV_HEADINGS || /^\d+,[rlwsfim]\w*,(0x[0-9a-f]+|\d+),\d+$/i.test(line);
  },
  createDecoder: (onBroken) => new CsvDecoder(onBroken),
};

class CsvDecoder implements Decoder {
  readonly #onBroken: OnBroken;
  readonly #tid = new Digits();
  readonly #address = new Digits();
  readonly #size = new Digits();
  #line = 0;
  #mayHaveHeadings = true;

  constructor(onBroken: OnBroken) {
    this.#onBroken = onBroken;
  }

  decode(bytes: Uint8Array, from: number, out: WordBuffer): number {
    let at = from;
    while (out.hasRoom) {
      const end = bytes.indexOf(NEWLINE, at);
      if (end < 0) break;
      this.#line++;
      const last = bytes[end - 1] === RETURN ? end - 1 : end;
      const isNothing = last <= at || bytes[at] === HASH;
      if (!isNothing) {
        const isHead = this.#mayHaveHeadings && isHeadings(bytes, at, last);
        const reason = isHead ? undefined : this.#read(bytes, at, last, out);
        this.#mayHaveHeadings = false;
        if (reason !== undefined) this.#onBroken(this.#line, reason);
      }
      at = end + 1;
    }
    return at;
  }

  /** Puts a line's references, or tells why it has none. */
  #read(bytes: Uint8Array, from: number, end: number, out: WordBuffer): string | undefined {
    const tid = this.#tid;
    const address = this.#address;
    const size = this.#size;
    if (!tid.readDecimal(bytes, from) || bytes[tid.end] !== COMMA) return "no decimal tid";
    const kinds = KINDS_BY_BYTE[bytes[tid.end + 1]];
    if (kinds === undefined) return "no kind: R, W, F or M";
    const start = bytes.indexOf(COMMA, tid.end + 1) + 1;
    const isHex = bytes[start] === ZERO && (bytes[start + 1] | LOWER_CASE) === LOWER_X;
    const isNumber = isHex ? address.readHex(bytes, start + 2) : address.readDecimal(bytes, start);
    if (start === 0 || !isNumber || bytes[address.end] !== COMMA) return "no address";
    if (!isCanonicalHigh(address.high)) return "a non-canonical address";
    if (!size.readDecimal(bytes, address.end + 1) || size.end !== end) return "no decimal size";
    if (size.high !== 0 || size.low === 0 || size.low > LARGEST_SIZE) {
      return `a size that is not 1 to ${LARGEST_SIZE}`;
    }
    out.thread(tid.low, tid.high);
    for (const kind of kinds) out.reference(address.low, address.high, kind, size.low);
    return undefined;
  }
}

function isHeadings(bytes: Uint8Array, from: number, end: number): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(from, end)) === CSV_HEADINGS;
}
