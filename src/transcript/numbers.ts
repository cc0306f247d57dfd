/**
 * Numbers and addresses of the transcript language.
 */
import { InputError, type Place } from "../errors.ts";
import type { AddressExpression } from "./script.ts";
import { quote } from "./text.ts";

const NUMBER = /^(?:0x([0-9a-fA-F]+)|([0-9]+))([hpkmgKMG]?)$/;
const SHIFTS: Readonly<Record<string, bigint>> = { h: 21n, p: 12n, k: 10n, m: 20n, g: 30n };
/** More digits than any number in range has. Reading n digits takes time in proportion to n². */
const MOST_DIGITS = 40;
const TOO_LARGE = 1n << 128n;

export const LARGEST_U64 = (1n << 64n) - 1n;
/** A name's address is below 2^52, so what is added to it must keep the sum exact. */
const LARGEST_ADDED = 2 ** 52 - 1;

/** The number that a text spells (`0x10`, `3h`, `4k`); undefined: it spells none. */
export function tryParseNumber(text: string): bigint | undefined {
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, hex, decimal, suffix] = match;
  const digits = (hex ?? decimal).replace(/^0+(?=.)/, "");
  if (digits.length > MOST_DIGITS) return TOO_LARGE;
  const number = BigInt(hex === undefined ? digits : `0x${digits}`);
  return suffix === "" ? number : number << SHIFTS[suffix.toLowerCase()];
}

/** A number of `min` to `max`. */
export function parseInteger(text: string, place: Place, min: bigint, max: bigint): bigint {
  const number = tryParseNumber(text);
  if (number === undefined) throw new InputError(place, `${quote(text)} is not a number`);
  if (number < min || number > max) {
    throw new InputError(place, `${quote(text)} is out of range: ${min} to ${max}`);
  }
  return number;
}

/** `N` or `N+N`: bytes, an integer below 2^53. */
export function parseBytes(text: string, place: Place): number {
  return sumOf(text.split("+"), text, place, Number.MAX_SAFE_INTEGER);
}

/** An offset in a file: below 2^63, and exact as a number. */
export function parseOffset(text: string, place: Place): number {
  const offset = parseInteger(text, place, 0n, LARGEST_U64 >> 1n);
  if (BigInt(Number(offset)) !== offset) {
    throw new InputError(place, `${quote(text)} is out of range: too many digits that matter`);
  }
  return Number(offset);
}

/** `NAME`, `NAME+N`, `NAME+N+N` or a number. */
export function parseAddress(text: string, place: Place): AddressExpression {
  const [first, ...added] = text.split("+");
  if (/^[0-9]/.test(first)) return { offset: parseBytes(text, place) };
  if (!isName(first)) {
    throw new InputError(place, `${quote(text)} is not an address: NAME, NAME+N or a number`);
  }
  return { name: first, offset: sumOf(added, text, place, LARGEST_ADDED) };
}

/** Whether a text can name an address, a file descriptor or a segment. */
export function isName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

function sumOf(terms: readonly string[], text: string, place: Place, max: number): number {
  let sum = 0n;
  for (const term of terms) {
    const number = tryParseNumber(term);
    if (number === undefined) throw new InputError(place, `${quote(text)} is not a number`);
    sum += number;
  }
  if (sum > BigInt(max)) throw new InputError(place, `${quote(text)} is out of range: 0 to ${max}`);
  return Number(sum);
}
