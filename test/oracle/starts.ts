/**
 * The tables and settings the spaces of the sweep start from, and how a case's number is taken apart.
 */
import { A, D, P, PS, RW, US, XD, type AccessKind, type PageLevel } from "./manual.ts";
import { LOWER, UPPER, type Controls, type Features, type Place, type Scene } from "./scene.ts";

const BOOLEANS = [false, true];
const KINDS: readonly AccessKind[] = ["read", "write", "fetch"];
export const PAGE_LEVELS: readonly PageLevel[] = [1, 2, 3];
export const PAGE_NAMES = ["", "4K", "2M", "1G"];

export const CONTROLS: readonly Controls[] = BOOLEANS.flatMap((nxe) =>
  BOOLEANS.flatMap((wp) =>
    BOOLEANS.flatMap((user) => KINDS.map((access) => ({ user, access, wp, nxe }))),
  ),
);

export function featuresOf(widths: readonly number[]): readonly Features[] {
  return widths.flatMap((maxPhysicalAddressBits) =>
    [true, false].map((pages1G) => ({ maxPhysicalAddressBits, pages1G })),
  );
}

export const COMMON_FEATURES: Features = { maxPhysicalAddressBits: 46, pages1G: true };

/** A scene at `place`; its fields are written out, which is what makes millions of them cheap. */
export function sceneWith(
  { user, access, wp, nxe }: Controls,
  { maxPhysicalAddressBits, pages1G }: Features,
  place: Place,
  entries: readonly bigint[],
  address: bigint = place.address,
): Scene {
  return { user, access, wp, nxe, maxPhysicalAddressBits, pages1G, place, entries, address };
}

/** Takes a number apart by mixed radices, the first digit fastest. */
export function digits(index: number, radices: readonly number[]): number[] {
  const found: number[] = [];
  let rest = index;
  for (const radix of radices) {
    found.push(rest % radix);
    rest = Math.floor(rest / radix);
  }
  return found;
}

// ---------------------------------------------------------------- the tables the spaces start from

/** Tables at 0x2000, 0x3000 and 0x4000; a page at 0x5000, 0x800000 or 0x40000000. */
export function pointers(pageLevel: PageLevel): bigint[] {
  const entries = [0x5000n, 0x4000n, 0x3000n, 0x2000n];
  if (pageLevel === 2) entries[1] = 0x80_0000n | PS;
  if (pageLevel === 3) entries[2] = 0x4000_0000n | PS;
  return entries;
}

/** How the flags of the starting tables are set. */
interface Style {
  readonly place: Place;
  flags(level: number, pageLevel: PageLevel): bigint;
}

export const STYLES: readonly Style[] = [
  // Everything allowed, nothing used yet.
  { place: LOWER, flags: () => P | RW | US },
  // Everything allowed and used; tables gone astray meet other levels' entries.
  { place: UPPER, flags: (level, pageLevel) => P | RW | US | A | (level === pageLevel ? D : 0n) },
  // Supervisor's, read-only and not executable, each said by one level alone.
  {
    place: LOWER,
    flags: (level, leaf) =>
      P | (level < 4 ? RW : 0n) | (level !== leaf ? US : 0n) | (level === 3 ? XD : 0n),
  },
];

function startingEntries(style: Style, pageLevel: PageLevel): bigint[] {
  return pointers(pageLevel).map((pointer, index) => pointer | style.flags(index + 1, pageLevel));
}

export const STARTS = STYLES.map((style) =>
  PAGE_LEVELS.map((pageLevel) => startingEntries(style, pageLevel)),
);
