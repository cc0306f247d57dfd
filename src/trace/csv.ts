/**
 * Lines of `tid,kind,addr,size`: kind by its first letter (R or L, W or S, F or I, M for a read and
 * a write), addr with 0x hexadecimal, else decimal. Lines that begin with `#`, and a line of
 * headings at the top, tell nothing.
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
const COMMA = 44;
const ZERO = 48;
const LOWER_CASE = 32;
const LOWER_A = 97;
const LOWER_X = 120;
const LOWER_Z = 122;
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
  readonly #text = new TextDecoder("latin1");
  #line = 0;
  /** Where the line that was read ended. */
  #end = 0;
  #mayHaveHeadings = true;

  constructor(onBroken: OnBroken) {
    this.#onBroken = onBroken;
  }

  decode(bytes: Uint8Array, from: number, out: WordBuffer): number {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    let at = from;
    while (at < end && out.hasRoom) {
      this.#line++;
      const reason = this.#read(bytes, at, out);
      if (reason === undefined) {
        at = this.#end;
        this.#mayHaveHeadings = false;
        continue;
      }
      const lineEnd = bytes.indexOf(NEWLINE, at);
      this.#unusual(this.#text.decode(bytes.subarray(at, lineEnd)).trimEnd(), reason);
      at = lineEnd + 1;
    }
    return at;
  }

  /** A line without reference: one that tells nothing, or broken for that reason. */
  #unusual(line: string, reason: string): void {
    if (line === "" || line.startsWith("#")) return;
    const isHead = this.#mayHaveHeadings && line === CSV_HEADINGS;
    this.#mayHaveHeadings = false;
    if (!isHead) this.#onBroken(this.#line, reason);
  }

  /** Puts a line's references and goes to its end, or tells why it has none. */
  #read(bytes: Uint8Array, from: number, out: WordBuffer): string | undefined {
    const tid = this.#tid;
    const address = this.#address;
    const size = this.#size;
    if (!tid.readDecimal(bytes, from) || bytes[tid.end] !== COMMA) return "no decimal tid";
    let at = tid.end + 1;
    const kinds = KINDS_BY_BYTE[bytes[at]];
    if (kinds === undefined) return "no kind: R, W, F or M";
    while (isLetter(bytes[at])) at++;
    if (bytes[at++] !== COMMA) return "no address";
    const isHex = bytes[at] === ZERO && (bytes[at + 1] | LOWER_CASE) === LOWER_X;
    const isNumber = isHex ? address.readHex(bytes, at + 2) : address.readDecimal(bytes, at);
    if (!isNumber || bytes[address.end] !== COMMA) return "no address";
    if (!isCanonicalHigh(address.high)) return "a non-canonical address";
    if (!size.readDecimal(bytes, address.end + 1)) return "no decimal size";
    const lineEnd = bytes[size.end] === RETURN ? size.end + 1 : size.end;
    if (bytes[lineEnd] !== NEWLINE) return "no decimal size";
    if (size.high !== 0 || size.low === 0 || size.low > LARGEST_SIZE) {
      return `a size that is not 1 to ${LARGEST_SIZE}`;
    }
    this.#end = lineEnd + 1;
    out.thread(tid.low, tid.high);
    for (const kind of kinds) out.reference(address.low, address.high, kind, size.low);
    return undefined;
  }
}

function isLetter(byte: number): boolean {
  const lower = byte | LOWER_CASE;
  return lower >= LOWER_A && lower <= LOWER_Z;
}
