/** Reading page tables as a person would: the entries that translate one address. */
import { ENTRY_P, ENTRY_PS, LEVEL_PML4 } from "../../assembly/layout.ts";
import type { Ram } from "./ram.ts";

/** One entry of a walk. */
export interface WalkStep {
  /** 5 or 4, to 1, counted from the leaf. */
  readonly level: number;
  /** Physical address of the entry. */
  readonly address: number;
  readonly entry: bigint;
}

const NAMES = ["", "PTE", "PDE", "PDPTE", "PML4E", "PML5E"] as const;
const ADDRESS_MASK = 0x000f_ffff_ffff_f000n;

/**
 * The entries from the table at `root` down to the leaf, or to the entry that ends the way. No flag
 * is set, nothing is cached, and rights are not judged.
 */
export function traceWalk(
  ram: Ram,
  root: number,
  address: number | bigint,
  topLevel: 4 | 5 = LEVEL_PML4,
): WalkStep[] {
  const va = BigInt.asUintN(64, BigInt(address));
  const steps: WalkStep[] = [];
  let table = root;
  for (let level: number = topLevel; level >= 1; level--) {
    const index = Number((va >> BigInt(12 + 9 * (level - 1))) & 511n);
    const entry = ram.load(table + index * 8, 8);
    steps.push({ level, address: table + index * 8, entry });
    const isPresent = (entry >> BigInt(ENTRY_P)) & 1n;
    const isLarge = (entry >> BigInt(ENTRY_PS)) & 1n;
    if (!isPresent || (isLarge && level > 1)) break;
    table = Number(entry & ADDRESS_MASK);
  }
  return steps;
}

/** `PML4E 0x104067 > PDPTE 0x105067 > PDE 0x80000000002000e7`. */
export function describeWalk(steps: readonly WalkStep[]): string {
  return steps.map(({ level, entry }) => `${NAMES[level]} 0x${entry.toString(16)}`).join(" > ");
}
