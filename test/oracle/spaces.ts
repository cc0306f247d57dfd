/**
 * The spaces the sweep covers. Each is numbered, so a long run takes every case and a short one every
 * so many, and a failure can be run again by its number.
 */
import { A, D, P, PS, RW, US, XD, type Level, type PageLevel } from "./manual.ts";
import { LOWER, UPPER, type Controls, type Features, type Scene } from "./scene.ts";
import {
  COMMON_FEATURES,
  CONTROLS,
  digits,
  featuresOf,
  PAGE_LEVELS,
  PAGE_NAMES,
  pointers,
  sceneWith,
  STARTS,
  STYLES,
} from "./starts.ts";
import type { Space } from "./compare.ts";

// ---------------------------------------------------------------- bits flipped

/** The entry bits that take part in a translation: level and bit, for each size of page. */
const POSITIONS = PAGE_LEVELS.map((pageLevel) =>
  ([1, 2, 3, 4] as Level[])
    .filter((level) => level >= pageLevel)
    .flatMap((level) => Array.from({ length: 64 }, (_, bit) => [level, bit] as const)),
);

interface Flip {
  readonly pageLevel: PageLevel;
  readonly masks: readonly bigint[];
}

function flipOf(pageLevel: PageLevel, ...positions: (readonly [Level, number])[]): Flip {
  const masks = [0n, 0n, 0n, 0n];
  for (const [level, bit] of positions) masks[level - 1] |= 1n << BigInt(bit);
  return { pageLevel, masks };
}

const SINGLE_FLIPS = PAGE_LEVELS.flatMap((pageLevel) =>
  POSITIONS[pageLevel - 1].map((position) => flipOf(pageLevel, position)),
);

let pairFlips: readonly Flip[] | undefined;

function allPairFlips(): readonly Flip[] {
  pairFlips ??= PAGE_LEVELS.flatMap((pageLevel) => {
    const positions = POSITIONS[pageLevel - 1];
    return positions.flatMap((first, index) =>
      positions.slice(index + 1).map((second) => flipOf(pageLevel, first, second)),
    );
  });
  return pairFlips;
}

function flipSpace(name: string, flips: readonly Flip[], features: readonly Features[]): Space {
  const radices = [CONTROLS.length, features.length, STYLES.length, flips.length];
  return {
    name,
    size: radices.reduce((product, radix) => product * radix),
    at: (index) => {
      const [controls, feature, style, flip] = digits(index, radices);
      const { pageLevel, masks } = flips[flip];
      const { place } = STYLES[style];
      const entries = STARTS[style][pageLevel - 1].map((entry, i) => entry ^ masks[i]);
      return [sceneWith(CONTROLS[controls], features[feature], place, entries)];
    },
  };
}

/** Every bit of every entry, one flipped at a time. */
export const singleBits = (widths: readonly number[]): Space =>
  flipSpace("one bit of one entry", SINGLE_FLIPS, featuresOf(widths));

/** Every two bits of all the entries of a translation, in one entry or in two. */
export const bitPairs = (widths: readonly number[]): Space =>
  flipSpace("two bits of the entries", allPairFlips(), featuresOf(widths));

/** Every one and every two bits of the linear address. */
export function addressBits(): Space {
  const masks = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit));
  const flips = [
    ...masks,
    ...masks.flatMap((first, bit) => masks.slice(bit + 1).map((second) => first | second)),
  ];
  const radices = [CONTROLS.length, PAGE_LEVELS.length, 2, flips.length];
  return {
    name: "one or two bits of the address",
    size: radices.reduce((product, radix) => product * radix),
    at: (index) => {
      const [controls, page, style, flip] = digits(index, radices);
      const { place } = STYLES[style];
      const address = place.address ^ flips[flip];
      return [sceneWith(CONTROLS[controls], COMMON_FEATURES, place, STARTS[style][page], address)];
    },
  };
}

// ---------------------------------------------------------------- rights at every level

const RIGHTS = [0n, RW, US, RW | US].flatMap((rights) => [rights, rights | XD]);
/** All of P, R/W, U/S, XD and bit 51, which is reserved unless MAXPHYADDR is 52. */
const STATES = [P, 0n].flatMap((p) =>
  [0n, 1n << 51n].flatMap((high) => RIGHTS.map((rights) => p | high | rights)),
);

/** Every right, and a few ways to end a translation: so that more of them reach the lower levels. */
const FEW_STATES = [
  ...RIGHTS.map((rights) => rights | P),
  RW | US,
  XD | (1n << 51n),
  P | RW | US | (1n << 51n),
  P | (1n << 51n),
];

function stateSpace(
  name: string,
  pageLevel: PageLevel,
  states: readonly bigint[],
  features: readonly Features[],
): Space {
  const levels = 5 - pageLevel;
  const radices = [
    CONTROLS.length,
    features.length,
    ...Array.from({ length: levels }, () => states.length),
  ];
  const base = pointers(pageLevel);
  return {
    name,
    size: radices.reduce((product, radix) => product * radix),
    at: (index) => {
      const [controls, feature, ...chosen] = digits(index, radices);
      const entries = [...base];
      chosen.forEach((state, i) => (entries[pageLevel - 1 + i] |= states[state]));
      return [sceneWith(CONTROLS[controls], features[feature], LOWER, entries)];
    },
  };
}

/** R/W, U/S and XD at every level of a translation that completes. */
export const rightsCube = (pageLevel: PageLevel): Space =>
  stateSpace(
    `rights at every level, ${PAGE_NAMES[pageLevel]}`,
    pageLevel,
    RIGHTS.map((rights) => rights | P),
    [COMMON_FEATURES],
  );

/** P, R/W, U/S, XD and a reserved bit at every level: all states, or those of `FEW_STATES`. */
export const stateCube = (
  pageLevel: PageLevel,
  widths: readonly number[],
  hasAllStates: boolean,
): Space =>
  stateSpace(
    `P, rights and a reserved bit at every level, ${PAGE_NAMES[pageLevel]}`,
    pageLevel,
    hasAllStates ? STATES : FEW_STATES,
    featuresOf(widths),
  );

// ---------------------------------------------------------------- entries of any kind

/** Where a pointer may go: the tables, pages, zeros, and beyond RAM at several widths. */
const TARGETS = [
  0x1000n,
  0x2000n,
  0x3000n,
  0x4000n,
  0x5000n,
  0x6000n,
  0x80_0000n,
  0x4000_0000n,
  ...[36n, 40n, 46n, 51n].map((bit) => (1n << bit) | 0x3000n),
];
/** Bits that do something at some level or at none, each set in one entry of eight. */
const ODD_BITS = [
  PS,
  1n << 3n,
  1n << 4n,
  1n << 8n,
  1n << 11n,
  1n << 12n,
  1n << 13n,
  1n << 20n,
  1n << 29n,
  1n << 36n,
  1n << 45n,
  1n << 51n,
  1n << 52n,
  1n << 59n,
  1n << 62n,
];

/** A small deterministic generator (xorshift), seeded by the case's number. */
function generator(seed: number): (below: number) => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Entries with many bits set at once, pointing anywhere. */
export function anyEntries(size: number): Space {
  const features = featuresOf([36, 40, 46, 52]);
  return {
    name: "any entries",
    size,
    at: (index) => {
      const random = generator(index);
      const pageLevel = PAGE_LEVELS[random(3)];
      const entries = pointers(pageLevel).map((pointer) => {
        let entry = random(8) === 0 ? TARGETS[random(TARGETS.length)] | (pointer & PS) : pointer;
        if (random(16) > 0) entry |= P;
        if (random(4) > 0) entry |= RW;
        if (random(4) > 0) entry |= US;
        if (random(2) > 0) entry |= A;
        if (random(2) > 0) entry |= D;
        if (random(8) === 0) entry |= XD;
        if (random(8) === 0) entry ^= ODD_BITS[random(ODD_BITS.length)];
        return entry;
      });
      const place = random(2) === 0 ? LOWER : UPPER;
      const controls = CONTROLS[random(CONTROLS.length)];
      return [sceneWith(controls, features[random(features.length)], place, entries)];
    },
  };
}

// ---------------------------------------------------------------- one access after another

/**
 * Every access after every other, on the same tables, with nothing invalidated and CR0.WP free to change.
 * No entry is changed by software, so whatever is cached, each access must do as a walk would.
 */
export function accessAfterAccess(): Space {
  const steps = CONTROLS.filter(({ nxe }) => !nxe);
  const places = [LOWER, UPPER];
  const radices = [
    steps.length,
    steps.length,
    2,
    RIGHTS.length,
    RIGHTS.length,
    PAGE_LEVELS.length,
    places.length,
  ];
  return {
    name: "one access after another",
    size: radices.reduce((product, radix) => product * radix),
    at: (index) => {
      const [first, second, nxe, leaf, upper, page, place] = digits(index, radices);
      const pageLevel = PAGE_LEVELS[page];
      const entries = pointers(pageLevel).map((pointer) => pointer | P | RW | US);
      entries[pageLevel - 1] = pointers(pageLevel)[pageLevel - 1] | P | RIGHTS[leaf];
      entries[pageLevel] = pointers(pageLevel)[pageLevel] | P | RIGHTS[upper];
      const scene = (controls: Controls): Scene =>
        sceneWith({ ...controls, nxe: nxe === 1 }, COMMON_FEATURES, places[place], entries);
      return [scene(steps[first]), scene(steps[second])];
    },
  };
}
