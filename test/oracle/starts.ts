/** The tables and accesses that the spaces start from. */
import { A, D, P, PS, RW, US, XD, type Level, type PageLevel } from "./entry.ts";
import { accessOf, type Access, type AccessKind } from "./processor.ts";
import { LOWER, LOWER_57, ROOT_4_LEVEL, ROOT_5_LEVEL, UPPER, type Place } from "./scene.ts";

export const PAGE_LEVELS: readonly PageLevel[] = [1, 2, 3];
export const PAGE_NAMES = ["", "4K", "2M", "1G"];
export const ALL_WIDTHS = Array.from({ length: 17 }, (_, i) => 36 + i);
export const SOME_WIDTHS = [36, 40, 46, 52];
const ORDINARY_KINDS: readonly AccessKind[] = ["read", "write", "fetch"];

export const rootOf = (la57: boolean): number => (la57 ? ROOT_5_LEVEL : ROOT_4_LEVEL);
export const topOf = (la57: boolean): Level => (la57 ? 5 : 4);
export const lowerOf = (la57: boolean): Place => (la57 ? LOWER_57 : LOWER);

/** Read, write and fetch by supervisor and user. */
export function ordinaryAccesses(linear: bigint): Access[] {
  return ([0, 3] as const).flatMap((cpl) =>
    ORDINARY_KINDS.map((kind) => accessOf(kind, cpl, linear)),
  );
}

/**
 * The low halves of five entries: tables at 0x1000, 0x2000, 0x3000 and 0x4000; a page at 0x5000,
 * 0x800000 or 0x40000000.
 */
export function pointers(pageLevel: PageLevel): number[] {
  const entries = [0x5000, 0x4000, 0x3000, 0x2000, 0x1000];
  if (pageLevel === 2) entries[1] = 0x80_0000 | PS;
  if (pageLevel === 3) entries[2] = 0x4000_0000 | PS;
  return entries;
}

/** How the starting tables are made: where, and with which flags, low half and high half. */
export interface Style {
  readonly name: string;
  readonly isUpper: boolean;
  low(level: Level, pageLevel: PageLevel): number;
  high(level: Level): number;
}

export const STYLES: readonly Style[] = [
  {
    name: "everything allowed, nothing used yet",
    isUpper: false,
    low: () => P | RW | US,
    high: () => 0,
  },
  {
    // Tables gone astray meet other levels' entries.
    name: "everything allowed and used, last index everywhere",
    isUpper: true,
    low: (level, pageLevel) => P | RW | US | A | (level === pageLevel ? D : 0),
    high: () => 0,
  },
  {
    name: "supervisor's, read-only, not executable, each said by one level",
    isUpper: false,
    low: (level, pageLevel) => P | (level < 4 ? RW : 0) | (level !== pageLevel ? US : 0),
    high: (level) => (level === 3 ? XD : 0),
  },
];

export const placeOfStyle = (style: Style, la57: boolean): Place =>
  style.isUpper ? UPPER : lowerOf(la57);

/** The ten halves of a style's entries; entries above the top level are zero. */
export function startingEntries(style: Style, pageLevel: PageLevel, la57: boolean): Uint32Array {
  const entries = new Uint32Array(10);
  pointers(pageLevel).forEach((pointer, i) => {
    const level = (i + 1) as Level;
    if (level > topOf(la57)) return;
    entries[2 * i] = pointer | style.low(level, pageLevel);
    entries[2 * i + 1] = style.high(level);
  });
  return entries;
}
