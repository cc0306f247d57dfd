/**
 * A scene is one access to one small set of tables: what the oracle judges and the emulator runs.
 * Physical memory holds five entries, one a level, and zeros; beyond RAM it reads as all ones.
 */
import { indexOf, type Memory } from "./manual.ts";
import { PLAIN_PROCESSOR, type Access, type Processor } from "./processor.ts";
import type { Level } from "./entry.ts";

export const RAM_BYTES = 64 * 2 ** 20;
/** The part of memory that tables lie in; everything else stays zero. */
export const TABLE_BYTES = 0x1_0000;

export const ROOT_4_LEVEL = 0x1000;
export const ROOT_5_LEVEL = 0x7000;
/**
 * Where the table of each level lies: what 0x1007, 0x2007, 0x3007 and 0x4007 in the upper entries
 * point to.
 */
export const TABLES = [0, 0x4000, 0x3000, 0x2000, ROOT_4_LEVEL, ROOT_5_LEVEL];
const LEVELS: readonly Level[] = [1, 2, 3, 4, 5];
const NR_LEVELS = 5;

/** The entries a linear address selects. */
export interface Place {
  readonly linear: bigint;
  /** Physical addresses of the entries, by level − 1. */
  readonly at: readonly number[];
}

export function placeOf(linear: bigint): Place {
  const high = Number(BigInt.asUintN(64, linear) >> 32n);
  const low = Number(BigInt.asUintN(32, linear));
  return { linear, at: LEVELS.map((level) => TABLES[level] + indexOf(level, high, low) * 8) };
}

/** Different indices and an odd offset, in the lower half; canonical in both paging modes. */
export const LOWER = placeOf(
  (0x0bn << 39n) | (0x16n << 30n) | (0x2dn << 21n) | (0x5an << 12n) | 0x9c5n,
);
/** The same with an index of its own in the PML5 table. */
export const LOWER_57 = placeOf(LOWER.linear | (0x33n << 48n));
/** Index 511 at every level: a table pointer gone astray meets another level's entry. */
export const UPPER = placeOf(0xffff_ffff_ffff_f9c5n);

/** Five entries by level − 1, each its low half and then its high half. */
export type Entries = Uint32Array;

export function entriesOf(values: readonly bigint[]): Entries {
  return Uint32Array.from(
    values.flatMap((value) => [
      Number(BigInt.asUintN(32, value)),
      Number(BigInt.asUintN(64, value) >> 32n),
    ]),
  );
}

/** One case. A space fills the same object again and again. */
export interface Scene {
  processor: Processor;
  place: Place;
  entries: Entries;
  /** An access made first, whose effects stay. */
  before: Access | undefined;
  access: Access;
}

export function newScene(access: Access): Scene {
  return {
    processor: PLAIN_PROCESSOR,
    place: LOWER,
    entries: new Uint32Array(2 * NR_LEVELS),
    before: undefined,
    access,
  };
}

export function newMemory(): Memory {
  return { words: new Uint32Array(TABLE_BYTES / 4), ramBytes: RAM_BYTES };
}

export function storeEntries(words: Uint32Array, { at }: Place, entries: Entries): void {
  for (let i = 0; i < NR_LEVELS; i++) {
    const word = at[i] / 4;
    words[word] = entries[2 * i];
    words[word + 1] = entries[2 * i + 1];
  }
}

export function clearEntries(words: Uint32Array, { at }: Place): void {
  for (const address of at) words.fill(0, address / 4, address / 4 + 2);
}

/** Whether memory holds exactly `entries` at `place`. */
export function holdsEntries(words: Uint32Array, { at }: Place, entries: Entries): boolean {
  for (let i = 0; i < NR_LEVELS; i++) {
    const word = at[i] / 4;
    if (words[word] !== entries[2 * i] || words[word + 1] !== entries[2 * i + 1]) return false;
  }
  return true;
}

/** Whether two memories hold the same at `place`. */
export function sameEntries(first: Uint32Array, second: Uint32Array, { at }: Place): boolean {
  for (let i = 0; i < NR_LEVELS; i++) {
    const word = at[i] / 4;
    if (first[word] !== second[word] || first[word + 1] !== second[word + 1]) return false;
  }
  return true;
}

/** The entries at `place`, by level − 1. */
export function loadEntries(words: Uint32Array, { at }: Place): bigint[] {
  return at.map((address) => loadEntry(words, address));
}

export function loadEntry(words: Uint32Array, at: number): bigint {
  return (BigInt(words[at / 4 + 1]) << 32n) | BigInt(words[at / 4]);
}

export function storeEntry(words: Uint32Array, at: number, entry: bigint): void {
  words[at / 4] = Number(BigInt.asUintN(32, entry));
  words[at / 4 + 1] = Number(entry >> 32n);
}
