/**
 * Entries with many bits set at once, pointing anywhere, under any registers: what no plan
 * foresees.
 */
import type { Space } from "./compare.ts";
import { Random } from "./digits.ts";
import { A, D, P, PS, RW, US, XD } from "./entry.ts";
import {
  accessOf,
  PAT_AFTER_RESET,
  type AccessKind,
  type Manner,
  type Processor,
} from "./processor.ts";
import { lowerOf, PAGE_LEVELS, pointers, rootOf, topOf } from "./starts.ts";
import { UPPER } from "./scene.ts";

/** Low halves a pointer may have: the tables, pages, zeros. */
const TARGETS = [
  0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000, 0x80_0000, 0x4000_0000, 0x8000_0000,
];
/** Bits that do something at some level or at none. */
const ODD_LOW = [PS, 1 << 3, 1 << 4, 1 << 8, 1 << 11, 1 << 12, 1 << 13, 1 << 20, 1 << 29];
const ODD_HIGH = [32, 36, 40, 45, 46, 51, 52, 58, 59, 60, 61, 62].map((bit) => 2 ** (bit - 32));
const KINDS: readonly AccessKind[] = ["read", "write", "fetch"];
const KINDS_WITH_CET: readonly AccessKind[] = [...KINDS, "shadow-read", "shadow-write"];
const MANNERS: readonly Manner[] = ["ordinary", "implicit", "stack"];
/** After reset, all six types upside down, and all write-back. */
const PATS = [PAT_AFTER_RESET, 0x0001_0405_0607_0100n, 0x0606_0606_0606_0606n];
const WIDTHS = [36, 40, 46, 52];
/** One set of registers serves a run of cases: to change them all is slower than an access. */
const CASES_PER_PROCESSOR = 64;

export function anyEntries(size: number): Space {
  const random = new Random();
  let processor: Processor | undefined;
  let madeFor = -1;
  return {
    name: "any entries, any registers",
    size,
    fill: (index, scene) => {
      const group = Math.floor(index / CASES_PER_PROCESSOR);
      if (processor === undefined || group !== madeFor) {
        random.seed(group ^ 0x5bd1_e995);
        processor = anyProcessor(random);
        madeFor = group;
      }
      random.seed(index);
      const { la57, cet } = processor;
      const pageLevel = PAGE_LEVELS[random.below(3)];
      scene.processor = processor;
      scene.place = random.below(2) === 0 ? lowerOf(la57) : UPPER;
      scene.before = undefined;
      scene.entries.fill(0);
      pointers(pageLevel).forEach((pointer, i) => {
        if (i < topOf(la57)) fillEntry(random, pointer, i + 1 === pageLevel, scene.entries, 2 * i);
      });
      const kinds = cet ? KINDS_WITH_CET : KINDS;
      const kind = kinds[random.below(kinds.length)];
      const manner = kind === "read" || kind === "write" ? MANNERS[random.below(3)] : "ordinary";
      scene.access = accessOf(kind, random.below(2) === 0 ? 0 : 3, scene.place.linear, manner);
    },
  };
}

function anyProcessor(random: Random): Processor {
  const flag = (): boolean => random.below(2) === 1;
  const word = (): number => random.below(0x1_0000) * 0x1_0000 + random.below(0x1_0000);
  const la57 = flag();
  const cet = flag();
  return {
    root: rootOf(la57),
    la57,
    cet,
    wp: cet || flag(),
    nxe: random.below(4) > 0,
    smep: flag(),
    smap: flag(),
    pke: flag(),
    pks: flag(),
    lamU48: flag(),
    lamU57: flag(),
    lamSup: flag(),
    ac: flag(),
    pkru: word(),
    pkrs: word(),
    pat: PATS[random.below(PATS.length)],
    maxPhysicalAddressBits: WIDTHS[random.below(WIDTHS.length)],
    pages1G: random.below(4) > 0,
    leafAccessedOnFault: flag(),
  };
}

function fillEntry(
  random: Random,
  pointer: number,
  isLeaf: boolean,
  entries: Uint32Array,
  at: number,
): void {
  let low =
    random.below(12) === 0 ? TARGETS[random.below(TARGETS.length)] | (pointer & PS) : pointer;
  let high = 0;
  if (random.below(24) > 0) low |= P;
  if (random.below(isLeaf ? 2 : 6) > 0) low |= RW;
  if (random.below(4) > 0) low |= US;
  if (random.below(2) > 0) low |= A;
  if (random.below(2) > 0) low |= D;
  if (random.below(8) === 0) high += XD;
  if (random.below(12) === 0) low ^= ODD_LOW[random.below(ODD_LOW.length)];
  if (random.below(12) === 0) high += ODD_HIGH[random.below(ODD_HIGH.length)];
  if (isLeaf && random.below(2) > 0) high |= random.below(16) << 27;
  entries[at] = low;
  entries[at + 1] = high;
}
