/**
 * The permission cube: what the entries allow × what the access is × every register that decides
 * about it; and rights at every level, where the cube has them at two.
 */
import type { Space } from "./compare.ts";
import { BOOLEANS, combinations, digits, product } from "./digits.ts";
import { D, P, RW, US, XD, type Level, type PageLevel } from "./entry.ts";
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
  pointers,
  rootOf,
  topOf,
} from "./starts.ts";
import { LOWER } from "./scene.ts";

const KEY = 5;
const OTHER_KEY = 10;

/**
 * AD and WD for `KEY`; every other key has the contrary, so that a key from the wrong place shows.
 */
function keyRegister(rights: number): number {
  let register = 0;
  for (let key = 0; key < 16; key++) {
    register += (key === KEY ? rights : 3 - rights) * 4 ** key;
  }
  return register;
}
const KEY_REGISTERS = [0, 1, 2, 3].map(keyRegister);

/** CR4.CET needs CR0.WP. */
const WP_AND_CET = [
  { wp: false, cet: false },
  { wp: true, cet: false },
  { wp: true, cet: true },
];

function cubeProcessors(): Processor[] {
  return combinations<Partial<Processor> & { protection: Partial<Processor> }>({
    ac: BOOLEANS,
    smep: BOOLEANS,
    smap: BOOLEANS,
    pke: BOOLEANS,
    pks: BOOLEANS,
    nxe: BOOLEANS,
    leafAccessedOnFault: BOOLEANS,
    pkru: KEY_REGISTERS,
    pkrs: KEY_REGISTERS,
    protection: WP_AND_CET,
  }).map(({ protection, ...registers }) => ({ ...PLAIN_PROCESSOR, ...registers, ...protection }));
}

const WHO: readonly { cpl: 0 | 3; manner: Manner }[] = [
  { cpl: 0, manner: "ordinary" },
  { cpl: 3, manner: "ordinary" },
  { cpl: 0, manner: "implicit" },
  { cpl: 3, manner: "implicit" },
];

/** Instructions are never fetched implicitly. */
function accessesOf(kinds: readonly AccessKind[]): Access[] {
  return kinds.flatMap((kind) =>
    WHO.filter(({ manner }) => kind !== "fetch" || manner === "ordinary").map(({ cpl, manner }) =>
      accessOf(kind, cpl, LOWER.linear, manner),
    ),
  );
}

/** Shadow-stack accesses exist with CR4.CET = 1 only. */
const ACCESSES = accessesOf(["read", "write", "fetch"]);
const ACCESSES_WITH_CET = accessesOf(["read", "write", "fetch", "shadow-read", "shadow-write"]);

interface Flags {
  readonly low: number;
  readonly high: number;
}
const ABOVE: readonly Flags[] = combinations<{ rw: number; us: number; high: number }>({
  rw: [0, RW],
  us: [0, US],
  high: [0, XD],
}).map(({ rw, us, high }) => ({ low: P | rw | us, high }));
const LEAF: readonly Flags[] = ABOVE.flatMap(({ low, high }) => [
  { low, high },
  { low: low | D, high },
]);

/**
 * Which tables a case has: the size of its page, the flags of its leaf, and those of the entry
 * above it.
 */
function cubeTables(): Uint32Array[] {
  return PAGE_LEVELS.flatMap((pageLevel) =>
    LEAF.flatMap((leaf) =>
      ABOVE.map((above) => {
        const entries = new Uint32Array(10);
        pointers(pageLevel).forEach((pointer, i) => {
          const level = i + 1;
          if (level === 5) return;
          const flags = level === pageLevel ? leaf : level === pageLevel + 1 ? above : undefined;
          const key = level === pageLevel ? KEY : OTHER_KEY;
          entries[2 * i] = pointer | (flags?.low ?? P | RW | US);
          entries[2 * i + 1] = (flags?.high ?? 0) | (key << 27);
        });
        return entries;
      }),
    ),
  );
}

export function permissionCube(): Space {
  const tables = cubeTables();
  const all = cubeProcessors();
  const halves = [
    { processors: all.filter(({ cet }) => !cet), accesses: ACCESSES },
    { processors: all.filter(({ cet }) => cet), accesses: ACCESSES_WITH_CET },
  ];
  const sizes = halves.map((half) => half.processors.length * half.accesses.length * tables.length);
  return {
    name: "the permission cube",
    size: sizes[0] + sizes[1],
    fill: (index, scene) => {
      const half = index < sizes[0] ? halves[0] : halves[1];
      const rest = index < sizes[0] ? index : index - sizes[0];
      const outer = Math.floor(rest / tables.length);
      scene.place = LOWER;
      scene.before = undefined;
      scene.entries.set(tables[rest % tables.length]);
      scene.access = half.accesses[outer % half.accesses.length];
      scene.processor = half.processors[Math.floor(outer / half.accesses.length)];
    },
  };
}

// ---------------------------------------------------------------- states of every level

const RIGHTS = ABOVE;
const BIT_51_HIGH = 1 << (51 - 32);
/** Every right, and a few ways to end a translation: few enough that lower levels are reached. */
const FEW_STATES: readonly Flags[] = [
  ...RIGHTS,
  { low: RW | US, high: 0 },
  { low: 0, high: XD + BIT_51_HIGH },
  { low: P | RW | US, high: BIT_51_HIGH },
  { low: P, high: BIT_51_HIGH },
];

function stateSpace(
  name: string,
  states: readonly Flags[],
  pageLevel: PageLevel,
  la57: boolean,
): Space {
  const place = lowerOf(la57);
  const accesses = ordinaryAccesses(place.linear);
  const processors = combinations<Partial<Processor>>({
    wp: BOOLEANS,
    nxe: BOOLEANS,
    smep: BOOLEANS,
    smap: BOOLEANS,
  }).map((registers) => ({ ...PLAIN_PROCESSOR, ...registers, la57, root: rootOf(la57) }));
  const nrLevels = topOf(la57) - pageLevel + 1;
  const radices = [
    ...Array.from({ length: nrLevels }, () => states.length),
    accesses.length,
    processors.length,
  ];
  const found = radices.map(() => 0);
  const base = pointers(pageLevel);
  return {
    name: `${name}, ${PAGE_NAMES[pageLevel]}, ${topOf(la57)} levels`,
    size: product(radices),
    fill: (index, scene) => {
      const chosen = digits(index, radices, found);
      scene.place = place;
      scene.before = undefined;
      scene.access = accesses[chosen[nrLevels]];
      scene.processor = processors[chosen[nrLevels + 1]];
      scene.entries.fill(0);
      for (let i = 0; i < nrLevels; i++) {
        const level = (pageLevel + i) as Level;
        const state = states[chosen[i]];
        scene.entries[2 * (level - 1)] = base[level - 1] | state.low;
        scene.entries[2 * (level - 1) + 1] = state.high;
      }
    },
  };
}

/** R/W, U/S and XD at every level of a translation that completes; and with levels that end it. */
export function statesOfEveryLevel(): Space[] {
  return BOOLEANS.flatMap((la57) =>
    PAGE_LEVELS.flatMap((pageLevel) => [
      stateSpace("rights at every level", RIGHTS, pageLevel, la57),
      stateSpace("rights, P and a reserved bit at every level", FEW_STATES, pageLevel, la57),
    ]),
  );
}
