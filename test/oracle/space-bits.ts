/**
 * Every bit of every entry of a translation flipped, alone and with every other bit of all its
 * entries; and every one and two bits of the linear address.
 */
import type { Space } from "./compare.ts";
import { BOOLEANS, combinations, digits, product } from "./digits.ts";
import {
  accessOf,
  PLAIN_PROCESSOR,
  type Access,
  type AccessKind,
  type Manner,
  type Processor,
} from "./processor.ts";
import {
  lowerOf,
  ordinaryAccesses,
  PAGE_LEVELS,
  PAGE_NAMES,
  placeOfStyle,
  rootOf,
  startingEntries,
  STYLES,
  topOf,
  type Style,
} from "./starts.ts";
import { UPPER } from "./scene.ts";
import type { PageLevel } from "./entry.ts";

/** Which one or two bits a flip's number means; with one, both are the same. */
interface Flips {
  readonly first: Uint16Array;
  readonly second: Uint16Array;
}

function oneAndTwoOf(nrBits: number): Flips {
  const nrFlips = (nrBits * (nrBits + 1)) / 2;
  const flips = { first: new Uint16Array(nrFlips), second: new Uint16Array(nrFlips) };
  let flip = 0;
  // Single bits come first: a flip's number below `nrBits` is its bit.
  for (let distance = 0; distance < nrBits; distance++) {
    for (let bit = 0; bit + distance < nrBits; bit++) {
      flips.first[flip] = bit;
      flips.second[flip++] = bit + distance;
    }
  }
  return flips;
}

/** With every feature on, keys deny every access except key 0's. */
const EVERYTHING_ON: Partial<Processor> = {
  smep: true,
  smap: true,
  pke: true,
  pks: true,
  cet: true,
  pkru: 0x6666_6664,
  pkrs: 0x9999_9998,
};

/**
 * One or two bits of the entries from the one that maps the page (`pageLevel`) to the top, ×
 * MAXPHYADDR × 1-GByte pages × NXE × read, write and fetch by supervisor and user.
 */
export function entryBits(
  style: Style,
  pageLevel: PageLevel,
  la57: boolean,
  widths: readonly number[],
): Space {
  const place = placeOfStyle(style, la57);
  const accesses = ordinaryAccesses(place.linear);
  const start = startingEntries(style, pageLevel, la57);
  const flips = oneAndTwoOf(64 * (topOf(la57) - pageLevel + 1));
  const firstBit = 64 * (pageLevel - 1);
  const processors = combinations<Partial<Processor>>({
    maxPhysicalAddressBits: widths,
    pages1G: BOOLEANS,
    nxe: BOOLEANS,
  }).map((features) => ({
    ...PLAIN_PROCESSOR,
    ...(style === STYLES[0] ? {} : EVERYTHING_ON),
    ...features,
    la57,
    root: rootOf(la57),
  }));
  const radices = [flips.first.length, accesses.length, processors.length];
  const found = [0, 0, 0];
  return {
    name: `one and two bits, ${PAGE_NAMES[pageLevel]}, ${topOf(la57)} levels, ${style.name}`,
    size: product(radices),
    fill: (index, scene) => {
      const [flip, access, processor] = digits(index, radices, found);
      scene.processor = processors[processor];
      scene.place = place;
      scene.before = undefined;
      scene.access = accesses[access];
      scene.entries.set(start);
      flipBit(scene.entries, firstBit + flips.first[flip]);
      if (flips.second[flip] !== flips.first[flip]) {
        flipBit(scene.entries, firstBit + flips.second[flip]);
      }
    },
  };
}

function flipBit(entries: Uint32Array, bit: number): void {
  entries[bit >>> 5] ^= 1 << (bit & 31);
}

export const allEntryBits = (styles: readonly Style[], widths: readonly number[]): Space[] =>
  styles.flatMap((style) =>
    BOOLEANS.flatMap((la57) =>
      PAGE_LEVELS.map((pageLevel) => entryBits(style, pageLevel, la57, widths)),
    ),
  );

// ---------------------------------------------------------------- the linear address

const MANNERS: readonly Manner[] = ["ordinary", "implicit", "stack"];

/** Every one and every two bits of the linear address, under every way to mask and to check it. */
export function addressBits(): Space {
  const processors = combinations<Partial<Processor>>({
    lamU48: BOOLEANS,
    lamU57: BOOLEANS,
    lamSup: BOOLEANS,
    la57: BOOLEANS,
  }).map((features) => ({
    ...PLAIN_PROCESSOR,
    ...features,
    root: rootOf(features.la57 === true),
  }));
  const ways = combinations<{ kind: AccessKind; cpl: 0 | 3; manner: Manner }>({
    kind: ["read", "write", "fetch"],
    cpl: [0, 3],
    manner: MANNERS,
  }).filter(({ kind, manner }) => kind !== "fetch" || manner === "ordinary");
  const flips = oneAndTwoOf(64);
  // Both halves, and a user pointer full of metadata.
  const places = BOOLEANS.map((la57) => [lowerOf(la57), UPPER, lowerOf(la57)]);
  const metadata = [0n, 0n, 0x7aaan << 48n];
  const starts = BOOLEANS.map((la57) =>
    PAGE_LEVELS.map((pageLevel) => startingEntries(STYLES[0], pageLevel, la57)),
  );
  const radices = [PAGE_LEVELS.length, flips.first.length, ways.length, 3, processors.length];
  const found = [0, 0, 0, 0, 0];
  return {
    name: "one and two bits of the address",
    size: product(radices),
    fill: (index, scene) => {
      const [page, flip, way, start, processor] = digits(index, radices, found);
      const five = processors[processor].la57 ? 1 : 0;
      const { kind, cpl, manner } = ways[way];
      const place = places[five][start];
      scene.processor = processors[processor];
      scene.place = place;
      scene.before = undefined;
      scene.entries.set(starts[five][page]);
      scene.access = flippedAccess(kind, cpl, manner, place.linear | metadata[start], flips, flip);
    },
  };
}

function flippedAccess(
  kind: AccessKind,
  cpl: 0 | 3,
  manner: Manner,
  linear: bigint,
  flips: Flips,
  flip: number,
): Access {
  const mask = (1n << BigInt(flips.first[flip])) | (1n << BigInt(flips.second[flip]));
  return accessOf(kind, cpl, linear ^ mask, manner);
}
