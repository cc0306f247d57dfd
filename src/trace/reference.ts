/**
 * A trace as u64 words: the references of `Cpu.replay` (assembly/layout.ts), extended to what
 * traces hold besides. docs/traces.md has the layout.
 *
 *     63…60          59 58     57   56………………0
 *    +--------------+---------+----+----------------+
 *    | bytes − 1    | R W F   | 0  | address        |   a reference of 1 to 16 bytes
 *    +--------------+---------+----+----------------+
 *    | a CONTROL    | 3       | 0  | value          |   what holds for the words behind it
 *    +--------------+---------+----+----------------+
 */
import {
  KIND_FETCH,
  KIND_READ,
  KIND_WRITE,
  REFERENCE_ADDRESS_BITS,
  REFERENCE_KIND_SHIFT,
  REFERENCE_SIZE_SHIFT,
} from "../../assembly/layout.ts";

export { KIND_FETCH, KIND_READ, KIND_WRITE };
export {
  CONTROL_END,
  CONTROL_FLUSH,
  CONTROL_INVALIDATE,
  CONTROL_IP,
  CONTROL_SIZE,
  CONTROL_THREAD,
  KIND_CONTROL,
} from "../../assembly/model/layout.ts";

/** Bytes of the largest reference, and of the largest that needs no CONTROL_SIZE. */
export const LARGEST_SIZE = 2 ** 20;
export const LARGEST_PLAIN_SIZE = 16;

/** Places in the upper half of a word, which JavaScript handles apart from the lower one. */
export const HIGH_KIND_SHIFT = REFERENCE_KIND_SHIFT - 32;
export const HIGH_SIZE_SHIFT = REFERENCE_SIZE_SHIFT - 32;
export const HIGH_ADDRESS_MASK = 2 ** (REFERENCE_ADDRESS_BITS - 32) - 1;
const HIGH_SIGN_SHIFT = REFERENCE_ADDRESS_BITS - 1 - 32;

/** Whether a 64-bit address whose upper half this is can be one of x86-64, with 5 levels. */
export function isCanonicalHigh(high: number): boolean {
  const sign = (high | 0) >> HIGH_SIGN_SHIFT;
  return sign === 0 || sign === -1;
}

export function kindOfHigh(high: number): number {
  return (high >>> HIGH_KIND_SHIFT) & 3;
}

/** Bytes of a reference without CONTROL_SIZE. */
export function sizeOfHigh(high: number): number {
  return (high >>> HIGH_SIZE_SHIFT) + 1;
}

export function controlOfHigh(high: number): number {
  return high >>> HIGH_SIZE_SHIFT;
}

/** The upper half of the address of a reference, its sign restored; unsigned. */
export function addressHigh(high: number): number {
  const unused = 31 - HIGH_SIGN_SHIFT;
  return ((high << unused) >> unused) >>> 0;
}
