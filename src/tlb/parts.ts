/** What the presets are put together from. */
import type { Processor, SecondLevelBank, TlbArray, WalkCache, WalkCost } from "./config.ts";
import type { Claim } from "./evidence.ts";
import { ARRAY_DEFAULTS } from "./parse.ts";

/** A processor that hugewalk knows. */
export interface Preset {
  /** Who makes it, and what it is sold as. */
  readonly title: string;
  readonly processor: Processor;
  readonly claims: readonly Claim[];
}

type Optional = Partial<TlbArray>;

/** An array of loads and stores, unless `more` says otherwise. */
export function dataArray(
  name: string,
  entries: number,
  ways: number | "full",
  pageSizes: TlbArray["pageSizes"],
  more: Optional = {},
): TlbArray {
  const kinds = ["load", "store"] as const;
  return { name, entries, ways, ...ARRAY_DEFAULTS, pageSizes, kinds, ...more };
}

export function fetchArray(
  name: string,
  entries: number,
  ways: number | "full",
  pageSizes: TlbArray["pageSizes"],
  more: Optional = {},
): TlbArray {
  return dataArray(name, entries, ways, pageSizes, { kinds: ["fetch"], ...more });
}

export function bank(array: TlbArray, hitCycles: number): SecondLevelBank {
  return { ...array, hitCycles };
}

type CacheSize = readonly [kib: number, ways: number, cycles: number];

/** Caches by size, nearest first, half of whose sets page tables have. Sets: a power of two. */
export function walkCost(caches: readonly CacheSize[], memoryCycles: number): WalkCost {
  const share = ([kib, ways, cycles]: CacheSize, i: number): WalkCache => {
    return { name: `L${i + 1}`, lines: (kib * 1024) / 64 / 2, ways, cycles };
  };
  return { caches: caches.map(share), memoryCycles };
}

const POLICIES = ["indexGroups", "replacement", "pcids", "coalescedPages", "keptAs"] as const;

/** Claims on these fields, below `path`, that say the same. */
export function claimsOn(
  path: string,
  fields: readonly string[],
  claim: Omit<Claim, "about">,
): Claim[] {
  return fields.map((field) => ({ about: `${path}.${field}`, ...claim }));
}

/** What a processor's numbers rest on: what it alone has counts most. */
export function claimsOf(maker: readonly Claim[], own: readonly Claim[]): Claim[] {
  const likely = { confidence: "unknown", source: "likely value" } as const;
  return [
    { about: "*", ...likely },
    { about: "firstLevel", confidence: "high", source: "cpuid" },
    ...maker,
    ...claimsOn("firstLevel.*", POLICIES, likely),
    ...claimsOn("secondLevel.*", POLICIES, likely),
    { about: "structureCaches", confidence: "unknown", source: "champsim" },
    { about: "structureCaches.pcids", ...likely },
    { about: "walkCost", confidence: "medium", source: "caches" },
    { about: "walkCost.caches.*.cycles", ...likely },
    { about: "walkCost.memoryCycles", ...likely },
    { about: "randomSeed", confidence: "high", source: "model", note: "nothing here is random" },
    ...own,
  ];
}
