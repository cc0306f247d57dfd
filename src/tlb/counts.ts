import type { PageSize, ReferenceKind } from "./config.ts";

/** What a model counts. Arrays, banks and caches are in the order of the processor's data. */
interface HitsAndMisses {
  hits: number;
  misses: number;
}

export interface TlbCounts {
  /** References, one for each page that an access touches. */
  accesses: number;
  readonly firstLevel: readonly HitsAndMisses[];
  readonly secondLevel: readonly HitsAndMisses[];
  /** Without prefetches. */
  walks: number;
  /** Walks ahead; their loads are among all loads. */
  prefetches: number;
  /** By level, the page table's entries first: PTE, PDE, PDPTE, PML4E. */
  readonly entryLoads: readonly [number, number, number, number];
  /** Loads that hit each of the walk's caches; the last one: memory. */
  readonly loadsFrom: readonly number[];
  /** Cycles of all second-level hits. */
  hitCycles: number;
  /** Cycles of all entry loads. */
  walkCycles: number;
}

/** Of one kind of references, to pages of one size. */
export interface RouteCounts {
  readonly kind: ReferenceKind;
  readonly pageSize: PageSize;
  readonly accesses: number;
  /** What no first-level array has; of all accesses, where none serves them. */
  readonly firstLevelMisses: number;
  readonly walks: number;
}

/** References of a trace, whatever pages they touch. */
export type ReferenceCounts = Readonly<Record<ReferenceKind, number>>;
