/**
 * A scene is one access to one small set of tables: what the oracle judges and the emulator runs.
 * Physical memory holds four entries, one a level, and zeros; beyond RAM it reads as all ones.
 */
import { translate, type AccessKind, type Level, type Verdict } from "./manual.ts";

export const RAM_BYTES = 64 * 2 ** 20;
export const CR3 = 0x1000n;
const LEVEL_NAMES = ["", "PTE", "PDE", "PDPTE", "PML4E"] as const;
const OPEN_BUS = 0xffff_ffff_ffff_ffffn;

/** Where the table of each level lies: what 0x2007, 0x3007 and 0x4007 in the upper entries point to. */
const TABLES = [0n, 0x4000n, 0x3000n, 0x2000n, CR3];

/** The four entries a linear address selects. */
export interface Place {
  readonly address: bigint;
  /** Physical addresses of the entries, by level − 1; the same as bigint and as number. */
  readonly at: readonly bigint[];
  readonly atNumber: readonly number[];
}

export function placeOf(address: bigint): Place {
  const at = ([1, 2, 3, 4] as const).map(
    (level) => TABLES[level] + ((address >> BigInt(12 + 9 * (level - 1))) & 0x1ffn) * 8n,
  );
  return { address, at, atNumber: at.map(Number) };
}

/** Four different indices and an odd offset, in the lower half. */
export const LOWER = placeOf(
  (0x0bn << 39n) | (0x16n << 30n) | (0x2dn << 21n) | (0x5an << 12n) | 0x9c5n,
);
/** Index 511 at every level: a table pointer gone astray meets another level's entry. */
export const UPPER = placeOf(0xffff_ffff_ffff_f9c5n);

/** What a scene has besides entries and address. */
export interface Controls {
  readonly user: boolean;
  readonly access: AccessKind;
  readonly wp: boolean;
  readonly nxe: boolean;
}

export interface Features {
  readonly maxPhysicalAddressBits: number;
  readonly pages1G: boolean;
}

export interface Scene extends Controls, Features {
  /** Where the entries are. */
  readonly place: Place;
  /** The entries by level − 1: PTE, PDE, PDPTE, PML4E. */
  readonly entries: readonly bigint[];
  /** The address that is accessed; most often that of `place`. */
  readonly address: bigint;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** The entries afterwards, by level − 1. */
  readonly entries: readonly bigint[];
}

/** What the manual says about a scene. */
export function judge(scene: Scene): Judgement {
  const { place, entries } = scene;
  const verdict = translate({
    cr3: CR3,
    wp: scene.wp,
    nxe: scene.nxe,
    maxPhysicalAddressBits: scene.maxPhysicalAddressBits,
    pages1G: scene.pages1G,
    user: scene.user,
    access: scene.access,
    address: scene.address,
    readEntry: (at) => {
      const found = place.at.indexOf(at);
      if (found >= 0) return entries[found];
      return at >= BigInt(RAM_BYTES) ? OPEN_BUS : 0n;
    },
  });
  if (verdict.writes.length === 0) return { verdict, entries };
  const after = [...entries];
  for (const [at, entry] of verdict.writes) {
    const found = place.at.indexOf(at);
    if (found < 0)
      throw new Error(`the oracle wrote an entry that does not exist, at 0x${at.toString(16)}`);
    after[found] = entry;
  }
  return { verdict, entries: after };
}

/** What came of an access or a probe. */
export interface Outcome {
  /** 0: it succeeded. */
  readonly vector: number;
  readonly errorCode: number;
  /** Meaningful with vector 14 only. */
  readonly cr2: bigint;
  /** The level of the entry that ended the translation; 0: not told. */
  readonly level: number;
  /** Where that entry is; meaningful when `level` is told and the entry itself was at fault. */
  readonly entryAddress: number;
  /** Meaningful with vector 0 only. */
  readonly physicalAddress: number;
  /** 0: not told. */
  readonly pageBytes: number;
}

/** Something that can be compared with the oracle: the emulator, or the emulator with a fault planted. */
export interface Subject {
  /** Stores the scene's entries and drops every cached translation. */
  place(scene: Scene): void;
  /** Accesses with the scene's controls and features; what is cached stays. */
  access(scene: Scene): Outcome;
  /** The same without side effects. */
  probe(scene: Scene): Outcome;
  /** The entries now, by level − 1. */
  entries(scene: Scene): bigint[];
}

// ---------------------------------------------------------------- printing

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

const flag = (name: string, value: boolean): string => `${name}=${value ? 1 : 0}`;

export function describeControls(scene: Scene): string {
  return [
    `${scene.user ? "user" : "supervisor"} ${scene.access} of ${hex(scene.address)},`,
    flag("WP", scene.wp),
    flag("NXE", scene.nxe),
    `MAXPHYADDR=${scene.maxPhysicalAddressBits}`,
    flag("1G", scene.pages1G),
  ].join(" ");
}

export function describeEntries(place: Place, entries: readonly bigint[]): string {
  return ([4, 3, 2, 1] as Level[])
    .map((level) => `${LEVEL_NAMES[level]} ${hex(place.at[level - 1])}: ${hex(entries[level - 1])}`)
    .join("  ");
}

export function describeVerdict({ fault, physicalAddress, pageLevel }: Verdict): string {
  if (fault === undefined)
    return `physical ${hex(physicalAddress!)}, page ${["", "4K", "2M", "1G"][pageLevel!]}`;
  if (fault.vector === 13) return `#GP(${fault.errorCode})`;
  const where =
    fault.level === undefined
      ? "rights"
      : `${LEVEL_NAMES[fault.level]} at ${hex(fault.entryAddress!)}`;
  return `#PF ${hex(fault.errorCode)}, CR2 ${hex(fault.cr2!)} (${where})`;
}

export function describeOutcome(outcome: Outcome): string {
  if (outcome.vector === 0) {
    return `physical ${hex(outcome.physicalAddress)}${outcome.pageBytes ? `, page ${hex(outcome.pageBytes)} bytes` : ""}`;
  }
  if (outcome.vector === 14) {
    return `#PF ${hex(outcome.errorCode)}, CR2 ${hex(outcome.cr2)} (level ${outcome.level || "not told"}, entry at ${hex(outcome.entryAddress)})`;
  }
  return `vector ${outcome.vector}, error code ${hex(outcome.errorCode)}`;
}
