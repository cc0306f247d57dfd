/** Digits in bytes of ASCII. */

/** The value of a hexadecimal digit by its byte; 255 for all others. */
export const HEX_VALUES = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  HEX_VALUES[digit.charCodeAt(0)] = value;
  HEX_VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}

/** A number of 64 bits that is read digit by digit. */
export class Digits {
  low = 0;
  high = 0;
  /** Where the digits ended. */
  end = 0;

  /** Reads hexadecimal digits; false if there are none or more than 16. */
  readHex(bytes: Uint8Array, from: number): boolean {
    let low = 0;
    let high = 0;
    let at = from;
    for (let value = HEX_VALUES[bytes[at]]; value < 16; value = HEX_VALUES[bytes[++at]]) {
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | value;
    }
    this.low = low;
    this.high = high;
    this.end = at;
    return at > from && at - from <= 16;
  }

  /** Reads decimal digits; false if there are none or the number has more than 64 bits. */
  readDecimal(bytes: Uint8Array, from: number): boolean {
    let low = 0;
    let high = 0;
    let at = from;
    for (let value = bytes[at] - 48; value >= 0 && value <= 9; value = bytes[++at] - 48) {
      const sum = low * 10 + value;
      low = sum >>> 0;
      high = high * 10 + (sum - low) / 2 ** 32;
    }
    this.low = low;
    this.high = high;
    this.end = at;
    return at > from && high < 2 ** 32;
  }
}
