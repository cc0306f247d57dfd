/** Numbers as the kernel reads them in options and files (lib/cmdline.c, lib/vsprintf.c). */

/** What was read, modulo 2^64, and the text behind it. */
export interface Parsed {
  readonly value: bigint;
  readonly rest: string;
  /** Whether the number did not fit. */
  readonly isTooLarge: boolean;
}

/** simple_strtoull() with base 0: C's spelling of a number. No digits are 0. */
export function parseNumber(text: string): Parsed {
  const [whole, hexadecimal, octal, decimal = "0"] =
    /^(?:(0x[\da-f]+)|(0[0-7]*)|([1-9]\d*)|)/i.exec(text) ?? [""];
  const value = BigInt(hexadecimal?.toLowerCase() ?? (octal ? `0o0${octal}` : decimal));
  const isTooLarge = value >= 2n ** 64n;
  return { value: BigInt.asUintN(64, value), rest: text.slice(whole.length), isTooLarge };
}

/** memparse(): a number, and one of the letters KMGTPE. */
export function memparse(text: string): Parsed {
  const number = parseNumber(text);
  const { value, rest } = number;
  const power = rest ? "kmgtpe".indexOf(rest[0].toLowerCase()) + 1 : 0;
  if (power === 0) return number;
  return { ...number, value: BigInt.asUintN(64, value << BigInt(10 * power)), rest: rest.slice(1) };
}
