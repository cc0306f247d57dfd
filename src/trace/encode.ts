/** Writes traces: batches of words to bytes of our two formats. */
import { binaryEnd, binaryHeader } from "./binary.ts";
import { CSV_HEADINGS, CSV_LETTERS } from "./csv.ts";
import {
  addressHigh,
  CONTROL_SIZE,
  CONTROL_THREAD,
  controlOfHigh,
  HIGH_ADDRESS_MASK,
  KIND_CONTROL,
  kindOfHigh,
  sizeOfHigh,
} from "./reference.ts";
import type { WordBuffer } from "./word-buffer.ts";

export interface Encoder {
  begin(): Uint8Array;
  /** May be memory of the batch itself. */
  encode(batch: WordBuffer): Uint8Array;
  end(nrReferences: number): Uint8Array;
}

export function createBinaryEncoder(hasSamples: boolean): Encoder {
  return {
    begin: () => binaryHeader(hasSamples),
    encode: (batch) => batch.bytes,
    end: binaryEnd,
  };
}

/** Addresses of instructions that samples have are lost: CSV has no column for them. */
export function createCsvEncoder(): Encoder {
  const encoder = new TextEncoder();
  let thread = "0";
  let largeSize = 0;
  const encodeWord = (low: number, high: number): string => {
    const kind = kindOfHigh(high);
    if (kind !== KIND_CONTROL) {
      const nrBytes = largeSize || sizeOfHigh(high);
      largeSize = 0;
      return `${thread},${CSV_LETTERS[kind]},0x${formatNumber(low, addressHigh(high), 16)},${nrBytes}\n`;
    }
    if (controlOfHigh(high) === CONTROL_SIZE) largeSize = low;
    else if (controlOfHigh(high) === CONTROL_THREAD) {
      thread = formatNumber(low, high & HIGH_ADDRESS_MASK, 10);
    }
    return "";
  };
  return {
    begin: () => encoder.encode(`${CSV_HEADINGS}\n`),
    encode({ halves, nrWords }) {
      let text = "";
      for (let i = 0; i < nrWords; i++) text += encodeWord(halves[2 * i], halves[2 * i + 1]);
      return encoder.encode(text);
    },
    end: () => new Uint8Array(0),
  };
}

function formatNumber(low: number, high: number, radix: number): string {
  const isExact = high < 2 ** 21;
  const value = isExact ? high * 2 ** 32 + low : (BigInt(high) << 32n) | BigInt(low);
  return value.toString(radix);
}
