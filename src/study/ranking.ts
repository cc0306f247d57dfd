/** Where walks are saved: regions of addresses, by what backing them with larger pages saves. */
import { PAGE_SHIFT } from "../tlb/config.ts";
import type { Run, SampledRegion } from "./result.ts";

interface RankedRegion {
  readonly address: number;
  /** With pages of 4K. */
  readonly walks: number;
  readonly walkCycles: number;
  /** What of them goes away; below zero: there are more. */
  readonly savedCycles: number;
  /** Pages of 4K that were walked to. */
  readonly touchedPages: number;
}

export interface Ranking {
  readonly pageSize: "2M" | "1G";
  /** Those that save most, first. */
  readonly regions: readonly RankedRegion[];
  /** Of all regions that save anything. */
  readonly savedCycles: number;
}

/**
 * Of one processor: `base` with pages of 4K everywhere, `huge` with pages of `pageSize`. What a region
 * saves is told with all others backed, too: fewer of them leave each a little more. Undefined, if
 * walks were not tallied.
 */
export function rank(base: Run, huge: Run, pageSize: "2M" | "1G"): Ranking | undefined {
  if (!base.regions || !huge.regions) return undefined;
  const bytes = 2 ** PAGE_SHIFT[pageSize];
  const startOf = (address: number) => address - (address % bytes);
  const regions = new Map<number, Omit<RankedRegion, "address">>();
  for (const [address, walks, walkCycles, touchedPages] of base.regions) {
    const start = startOf(address);
    const known = regions.get(start);
    regions.set(start, {
      walks: (known?.walks ?? 0) + walks,
      walkCycles: (known?.walkCycles ?? 0) + walkCycles,
      savedCycles: (known?.savedCycles ?? 0) + walkCycles,
      touchedPages: (known?.touchedPages ?? 0) + touchedPages,
    });
  }
  for (const [address, , walkCycles] of huge.regions) {
    const known = regions.get(startOf(address));
    // A region that only larger pages prefetch has nothing to save.
    if (!known) continue;
    regions.set(startOf(address), { ...known, savedCycles: known.savedCycles - walkCycles });
  }
  const ranked = [...regions]
    .map(([address, counts]) => ({ address, ...counts }))
    .toSorted((a, b) => b.savedCycles - a.savedCycles || a.address - b.address);
  const savedCycles = ranked.reduce((sum, region) => sum + Math.max(0, region.savedCycles), 0);
  return { pageSize, regions: ranked, savedCycles };
}

/** How many of the first weights, integers, make up each share (0 to 1) of all that are above zero. */
export function milestones(weights: readonly number[], shares: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + Math.max(0, weight), 0);
  let sum = 0;
  const sums = weights.map((weight) => (sum += Math.max(0, weight)));
  return shares.map((share) => sums.findIndex((s) => s >= share * total) + 1);
}

/** Regions by how many samples they have. */
export function rankSamples(
  samples: readonly SampledRegion[],
  pageSize: "2M" | "1G",
): SampledRegion[] {
  const bytes = 2 ** PAGE_SHIFT[pageSize];
  const counts = new Map<number, number>();
  for (const [address, count] of samples) {
    const start = address - (address % bytes);
    counts.set(start, (counts.get(start) ?? 0) + count);
  }
  return [...counts].toSorted(([a, m], [b, n]) => n - m || a - b);
}
