/**
 * Two accesses with a change of the tables between them, and everything software may do, or leave
 * undone, about what is cached; and two accesses with a change of registers between them.
 */
import type { Instruction } from "./caches.ts";
import { BOOLEANS, combinations, digits, product } from "./digits.ts";
import type { Level, PageLevel } from "./entry.ts";
import { indexOf } from "./manual.ts";
import { accessOf, PLAIN_PROCESSOR, type AccessKind, type Processor } from "./processor.ts";
import { placeOf, TABLES } from "./scene.ts";
import type { Context, SequenceSpace, Store } from "./sequence.ts";
import { lowerOf, PAGE_NAMES, rootOf, topOf } from "./starts.ts";
import { TrackedEntries } from "./tracked.ts";

const P = 1n << 0n;
const RW = 1n << 1n;
const US = 1n << 2n;
const A = 1n << 5n;
const D = 1n << 6n;
const PS = 1n << 7n;
const G = 1n << 8n;
const KEY_3 = 3n << 59n;
const XD = 1n << 63n;

/** Tables that an entry may be changed to lead to, by their level: PT, PD, PDPT, PML4. */
const OTHER_TABLES = [0n, 0x8000n, 0x9000n, 0xa000n, 0xb000n];
const FRAMES = [0n, 0x5000n, 0x80_0000n, 0x4000_0000n];
const OTHER_FRAMES = [0n, 0x6000n, 0xa0_0000n, 0x8000_0000n];

/**
 * How far the second access is from the first: in its page, and one entry further at each level.
 */
const DISTANCES = [0x10n, 0x3000n, 0x20_3000n, 0x4060_3000n];
/** Somewhere else altogether. */
const ELSEWHERE = 0x0000_7000_0000_0000n;

const OTHER_PCID = 2;

interface Way {
  readonly context: Context;
  instructions(linear: bigint): readonly Instruction[];
}

const way = (context: Context, instructions: Way["instructions"]): Way => ({
  context,
  instructions,
});

/** Every instruction that invalidates, and none: without PCIDs, and under PCID 1. */
function waysBetween(): Way[] {
  const invpcid = (type: 0 | 1 | 2 | 3, pcid: number, linear: bigint): Instruction => ({
    name: "INVPCID",
    type,
    pcid,
    linear,
  });
  const cr3 = (pcid: number, keeps: boolean): Instruction => ({ name: "CR3", pcid, keeps });
  return [true, false].flatMap((pge) =>
    [true, false].flatMap((pcide) => {
      const pcid = pcide ? 1 : 0;
      const context: Context = { pge, pcide, pcid };
      const both: Way[] = [
        way(context, () => []),
        way(context, (linear) => [{ name: "INVLPG", linear }]),
        way(context, () => [{ name: "INVLPG", linear: ELSEWHERE }]),
        way(context, () => [cr3(pcid, false)]),
        way(context, (linear) => [invpcid(0, pcid, linear)]),
        way(context, () => [invpcid(0, pcid, ELSEWHERE)]),
        way(context, () => [invpcid(1, pcid, 0n)]),
        way(context, () => [invpcid(2, 0, 0n)]),
        way(context, () => [invpcid(3, 0, 0n)]),
        way(context, () => [{ name: "PGE" }]),
      ];
      if (!pcide) return both;
      return [
        ...both,
        way(context, () => [cr3(pcid, true)]),
        way(context, () => [cr3(OTHER_PCID, false)]),
        way(context, () => [cr3(OTHER_PCID, true)]),
        way(context, () => [cr3(OTHER_PCID, false), cr3(pcid, true)]),
        way(context, () => [cr3(OTHER_PCID, true), cr3(pcid, false)]),
        way(context, (linear) => [invpcid(0, OTHER_PCID, linear)]),
        way(context, () => [invpcid(1, OTHER_PCID, 0n)]),
        way(context, () => [cr3(OTHER_PCID, true), invpcid(1, pcid, 0n), cr3(pcid, true)]),
      ];
    }),
  );
}

/** What software makes of one entry: `from` before the first access, `to` after it. */
interface Change {
  readonly level: Level;
  from(entry: bigint): bigint;
  to(entry: bigint): bigint;
}

const same = (entry: bigint): bigint => entry;

/** A bit that changes, in both directions. */
function flips(level: Level, bit: bigint): Change[] {
  return [
    { level, from: (entry) => entry & ~bit, to: (entry) => entry | bit },
    { level, from: (entry) => entry | bit, to: (entry) => entry & ~bit },
  ];
}

function changes(pageLevel: PageLevel, la57: boolean): Change[] {
  const found: Change[] = [{ level: pageLevel, from: same, to: same }];
  for (let level: Level = pageLevel; level <= topOf(la57); level = (level + 1) as Level) {
    found.push(...flips(level, P), ...flips(level, RW), ...flips(level, US), ...flips(level, XD));
    if (level === pageLevel) {
      const retarget = FRAMES[level] ^ OTHER_FRAMES[level];
      found.push({ level, from: same, to: (entry) => entry ^ retarget });
      found.push(...flips(level, G), ...flips(level, KEY_3));
    } else {
      const [table, other] = [BigInt(TABLES[level - 1]), OTHER_TABLES[level - 1]];
      found.push({ level, from: same, to: (entry) => (entry ^ table) | other });
    }
    // A 2M page becomes a table of 4K pages, or the contrary.
    if (level === 2) {
      const [large, small] = [FRAMES[2] | PS, BigInt(TABLES[1])];
      found.push({ level, from: same, to: (entry) => entry ^ large ^ small });
    }
  }
  return found;
}

const KINDS: readonly AccessKind[] = ["read", "write", "fetch", "shadow-read", "shadow-write"];
const WHO = combinations<{ cpl: 0 | 3; kind: AccessKind }>({ kind: KINDS, cpl: [0, 3] });

/** Where every entry of the main and the other tables lies, for both addresses. */
function entryAddresses(linears: readonly bigint[]): number[] {
  const found = new Set<number>();
  for (const linear of linears) {
    placeOf(linear).at.forEach((at) => found.add(at));
    for (const level of [1, 2, 3, 4] as const) found.add(otherAt(level, linear));
  }
  return [...found];
}

function otherAt(level: Level, linear: bigint): number {
  const index = indexOf(level, Number(linear >> 32n), Number(BigInt.asUintN(32, linear)));
  return Number(OTHER_TABLES[level]) + index * 8;
}

/**
 * Tables for both addresses, and the other tables, which lead back to the main ones a level below.
 */
function tablesFor(
  linears: readonly bigint[],
  pageLevel: PageLevel,
  leafFlags: bigint,
): Map<number, bigint> {
  const entries = new Map<number, bigint>();
  const all = P | RW | US;
  for (const linear of linears) {
    const { at } = placeOf(linear);
    entries.set(at[0], FRAMES[1] | all | (pageLevel === 1 ? leafFlags : 0n));
    entries.set(otherAt(1, linear), OTHER_FRAMES[1] | all);
    for (const level of [2, 3, 4, 5] as const) {
      const table = BigInt(TABLES[level - 1]);
      entries.set(at[level - 1], table | all);
      if (level < 5) entries.set(otherAt(level, linear), table | all);
    }
    if (pageLevel > 1) entries.set(at[pageLevel - 1], FRAMES[pageLevel] | PS | all | leafFlags);
  }
  return entries;
}

const PROCESSOR: Processor = {
  ...PLAIN_PROCESSOR,
  cet: true,
  pke: true,
  pkru: 0b01 << 6, // Key 3: no access.
};

/** Every ordered pair of accesses × every change of one entry × every way to invalidate or not. */
export function changesOfTables(pageLevel: PageLevel, la57: boolean): SequenceSpace {
  const processor: Processor = { ...PROCESSOR, la57, root: rootOf(la57) };
  const base = lowerOf(la57).linear;
  const firsts = WHO.map(({ kind, cpl }) => accessOf(kind, cpl, base));
  const seconds = DISTANCES.map((distance) =>
    WHO.map(({ kind, cpl }) => accessOf(kind, cpl, base + distance)),
  );
  const ways = waysBetween();
  const allChanges = changes(pageLevel, la57);
  const leafFlags = [0n, D | A, G, G | D | A];
  const flagsKept = [0n, A | D];
  const scenes = DISTANCES.map((distance) => {
    const linears = [base, base + distance];
    const tracked = new TrackedEntries(entryAddresses(linears));
    const starts = leafFlags.map((flags) =>
      allChanges.map(({ level, from, to }) => {
        const entries = tablesFor(linears, pageLevel, flags);
        const at = placeOf(linears[1]).at[level - 1];
        const entry = from(entries.get(at)!);
        entries.set(at, entry);
        const tables = tracked.image(entries);
        return { tables, changes: flagsKept.map((kept) => storeOf(at, to(entry) | kept)) };
      }),
    );
    return { tracked, starts };
  });
  const radices = [
    WHO.length,
    WHO.length,
    allChanges.length,
    flagsKept.length,
    leafFlags.length,
    DISTANCES.length,
    ways.length,
  ];
  const found = radices.map(() => 0);
  return {
    name: `a change of the tables, ${PAGE_NAMES[pageLevel]}, ${topOf(la57)} levels`,
    size: product(radices),
    at: (index) => {
      const [first, second, change, kept, flags, distance, between] = digits(index, radices, found);
      const secondLinear = base + DISTANCES[distance];
      const { tracked, starts } = scenes[distance];
      const { tables, changes } = starts[flags][change];
      return {
        processor,
        processorAfter: processor,
        context: ways[between].context,
        tracked,
        tables,
        first: firsts[first],
        firstLinear: base,
        change: changes[kept],
        instructions: ways[between].instructions(secondLinear),
        second: seconds[distance][second],
        secondLinear,
      };
    },
  };
}

function storeOf(at: number, entry: bigint): Store {
  return { at, low: Number(BigInt.asUintN(32, entry)), high: Number(entry >> 32n) };
}

/**
 * Every ordered pair of accesses, and of registers, on the same tables: what is cached vouches for
 * no right.
 */
export function changesOfRegisters(): SequenceSpace {
  const base = lowerOf(false).linear;
  const tracked = new TrackedEntries(entryAddresses([base]));
  const accesses = WHO.map(({ kind, cpl }) => accessOf(kind, cpl, base));
  const shadowless = accesses.filter(({ kind }) => !kind.startsWith("shadow"));
  const processors: Processor[] = [
    {},
    { wp: false },
    { smep: true },
    { smap: true },
    { smap: true, ac: true },
    { pke: true, pks: true, pkru: 0b01 << 6, pkrs: 0b10 << 6 },
    { pke: true, pks: true, pkru: 0b10 << 6, pkrs: 0b01 << 6 },
    { pke: true, pkru: 0b10 << 6, wp: false },
    { pks: true, pkrs: 0b10 << 6, smap: true, smep: true },
  ].map((registers) => ({ ...PLAIN_PROCESSOR, ...registers }));
  processors.push({ ...PLAIN_PROCESSOR, cet: true });
  const leaves = combinations<{ rw: bigint; us: bigint; d: bigint; key: bigint; high: bigint }>({
    rw: [0n, RW],
    us: [0n, US],
    d: [0n, D],
    key: [0n, KEY_3],
    high: [0n, XD],
  });
  const images = leaves.map(({ rw, us, d, key, high }) => {
    const entries = tablesFor([base], 1, 0n);
    entries.set(placeOf(base).at[0], FRAMES[1] | P | rw | us | d | key | high);
    return tracked.image(entries);
  });
  const contexts: Context[] = BOOLEANS.map((pcide) => ({ pge: true, pcide, pcid: pcide ? 1 : 0 }));
  const radices = [
    accesses.length,
    accesses.length,
    leaves.length,
    contexts.length,
    processors.length,
    processors.length,
  ];
  const found = radices.map(() => 0);
  return {
    name: "a change of registers",
    size: product(radices),
    at: (index) => {
      const [first, second, leaf, context, before, after] = digits(index, radices, found);
      // Shadow-stack accesses exist with CR4.CET = 1 only; elsewhere an ordinary access stands in.
      const made = (access: number, { cet }: Processor) =>
        cet ? accesses[access] : shadowless[access % shadowless.length];
      return {
        processor: processors[before],
        processorAfter: processors[after],
        context: contexts[context],
        tracked,
        tables: images[leaf],
        first: made(first, processors[before]),
        firstLinear: base,
        change: undefined,
        instructions: [],
        second: made(second, processors[after]),
        secondLinear: base,
      };
    },
  };
}
