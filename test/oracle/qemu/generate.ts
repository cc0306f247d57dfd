/**
 * Random cases. Most entries are valid and permissive, so that many accesses succeed; each rule of
 * the manual is broken in a share of the cases. Nothing here decides what must happen.
 */
import type { Access, Case, Control, Entry, Part, Processor } from "./case.ts";
import { addressFor, secondAddressOf } from "./generate-address.ts";
import { breakEntry, leafEntry, type Rights, tableEntry } from "./generate-entry.ts";
import { indexOf, RUNNER_SLOT, regionOf, tableOf } from "./scratch.ts";
import type { Xorshift } from "./xorshift.ts";

export function* generateCases(
  processor: Processor,
  nrCases: number,
  random: Xorshift,
): Generator<Case> {
  for (let i = 0; i < nrCases;) {
    const made = tryGenerate(processor, random);
    if (!made) continue;
    i++;
    yield made;
  }
}

function tryGenerate(processor: Processor, random: Xorshift): Case | undefined {
  const { levels } = processor;
  const shape = accessShape(random);
  const leafLevel = random.pick([1, 1, 1, 1, 2, 2, 3]);
  const address = addressFor(random, levels, leafLevel, shape.size, !shape.implicit);
  if (address === undefined) return undefined;
  const access: Access = { ...shape, address };
  const second = secondAddressOf(access, levels);
  const control = controlFor(random);
  const rights = rightsFor(random, levels);
  const chain = chainFor(random, control, address, 0, levels, leafLevel, rights);
  let pagePart = physicalOf(chain, address);
  const entries: Entry[] = [...chain];
  const firstLength = second ? Number(second.address - address) : access.size;
  const parts: Part[] = [{ physicalAddress: pagePart, length: firstLength }];
  if (second) {
    pagePart += firstLength;
    const { splitLevel } = second;
    if (splitLevel >= leafLevel && splitLevel > 0) {
      if (splitLevel === levels && indexOf(second.address, levels) === RUNNER_SLOT)
        return undefined;
      const secondLeaf = 1 + random.below(Math.min(splitLevel, 3));
      const other = random.chance(0.5) ? rights : rightsFor(random, levels);
      const more = chainFor(random, control, second.address, 1, splitLevel, secondLeaf, other);
      entries.push(...more);
      pagePart = physicalOf(more, second.address);
    }
    parts.push({ physicalAddress: pagePart, length: access.size - firstLength });
  }
  return {
    processor,
    access,
    control: { ...control, ...keyRights(random, entries) },
    cr3: tableOf(levels, 0),
    entries: broken(random, processor, entries),
    parts,
  };
}

function accessShape(random: Xorshift): Omit<Access, "address"> {
  const kind = random.pick(["read", "write", "fetch", "implicit"] as const);
  if (kind === "implicit") {
    return {
      kind: random.chance(0.3) ? "write" : "read",
      implicit: true,
      cpl: random.chance(0.75) ? 3 : 0,
      segment: "ds",
      size: 8,
    };
  }
  const cpl = random.pick([0, 3] as const);
  const isFetch = kind === "fetch";
  const size = isFetch ? 1 + random.below(8) : random.pick([1, 2, 4, 8]);
  const segment = !isFetch && random.chance(0.15) ? "ss" : "ds";
  return { kind, implicit: false, cpl, segment, size };
}

function controlFor(random: Xorshift): Omit<Control, "pkru" | "pkrs"> {
  return {
    wp: random.chance(0.6),
    nxe: random.chance(0.8),
    smep: random.chance(0.5),
    smap: random.chance(0.5),
    ac: random.chance(0.5),
    pke: random.chance(0.5),
    pks: random.chance(0.5),
    pge: random.chance(0.5),
  };
}

/** A right is given by all levels, or withheld by one of them (by any of them, now and then). */
function rightsFor(random: Xorshift, levels: number): Rights {
  const withheld = (probability: number) => {
    if (!random.chance(probability)) return 0;
    return random.chance(0.8) ? 1 << (1 + random.below(levels)) : random.below(2 << levels);
  };
  return { noWrite: withheld(0.35), noUser: withheld(0.45), noExecute: withheld(0.25) };
}

/** The entries that translate an address, from a level down to the leaf's. */
function chainFor(
  random: Xorshift,
  control: Pick<Control, "nxe">,
  address: bigint,
  page: 0 | 1,
  fromLevel: number,
  leafLevel: number,
  rights: Rights,
): Entry[] {
  const entries: Entry[] = [];
  // Without NXE bit 63 is reserved: seldom set, or nothing else would ever be reached.
  const allowed = control.nxe || random.chance(0.2) ? rights : { ...rights, noExecute: 0 };
  for (let level = fromLevel; level >= leafLevel; level--) {
    // The first entry of page 1 stands in a table that it shares with page 0.
    const table = tableOf(level, page === 1 && level < fromLevel ? 1 : 0);
    const physicalAddress = table + 8 * indexOf(address, level);
    const value =
      level === leafLevel
        ? leafEntry(random, level, frameFor(random, level, page), allowed)
        : tableEntry(random, level, tableOf(level - 1, page), allowed);
    entries.push({ level, page, physicalAddress, value });
  }
  return entries;
}

function frameFor(random: Xorshift, level: number, page: 0 | 1): number {
  if (level === 3) return 0;
  return level === 2 ? regionOf(page) : regionOf(page) + 4096 * random.pick([0, 1, 2, 0x155, 511]);
}

/** Where the chain, before it was tampered with, maps an address. */
function physicalOf(chain: readonly Entry[], address: bigint): number {
  const leaf = chain[chain.length - 1];
  const offsetMask = (1n << BigInt(12 + 9 * (leaf.level - 1))) - 1n;
  return Number((leaf.value & 0x000f_ffff_ffff_f000n & ~offsetMask) | (address & offsetMask));
}

/** Rights of the keys in use, of all others, or of all. */
function keyRights(random: Xorshift, entries: readonly Entry[]): Pick<Control, "pkru" | "pkrs"> {
  const keys = entries.map((entry) => Number((entry.value >> 59n) & 15n));
  const draw = () => {
    const mine = keys.reduce((bits, key) => bits | (random.below(4) << (2 * key)), 0);
    const own = keys.reduce((bits, key) => bits | (3 << (2 * key)), 0);
    const choice = random.below(10);
    if (choice < 2) return 0;
    if (choice < 6) return mine;
    if (choice < 9) return mine | ~own;
    return random.bits32();
  };
  // Key 0 is that of the guest's own supervisor pages.
  return { pkru: draw() >>> 0, pkrs: (draw() & ~3) >>> 0 };
}

function broken(random: Xorshift, processor: Processor, entries: readonly Entry[]): Entry[] {
  const result = [...entries];
  const nrBreaks = random.chance(0.25) ? 1 + (random.chance(0.15) ? 1 : 0) : 0;
  for (let i = 0; i < nrBreaks; i++) {
    const at = random.below(result.length);
    const isLeaf = at === result.length - 1 || result[at + 1].page !== result[at].page;
    const value = breakEntry(random, processor, result[at].level, isLeaf, result[at].value);
    result[at] = { ...result[at], value };
  }
  return result;
}
