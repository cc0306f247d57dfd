/** What a CPU counts. */
import {
  COUNT_ENTRY_LOADS,
  COUNT_FAULTS,
  COUNT_FLUSHES,
  COUNT_INVALIDATIONS,
  COUNT_L1_HITS,
  COUNT_L2_HITS,
  COUNT_STRUCTURE_HITS,
  COUNT_WALKS,
  REASON_DENIED,
  REASON_KEY,
  REASON_NON_CANONICAL,
  REASON_NOT_PRESENT,
  REASON_RESERVED,
} from "../../assembly/layout.ts";
import type { FaultReason } from "../fault.ts";

/** Counts by page size. */
export interface BySize {
  readonly "4K": number;
  readonly "2M": number;
  readonly "1G": number;
}

/** What happened in the slow path since the last reset; lookaside hits count nowhere. */
export interface CpuCounts {
  readonly l1: BySize;
  readonly l2: BySize;
  readonly l1Hits: number;
  readonly l2Hits: number;
  /** Walks: what no TLB had. */
  readonly walks: number;
  /** Paging entries that walks have loaded. */
  readonly entryLoads: number;
  /** Walks that began below a cached PDE, PDPTE, PML4E, PML5E. */
  readonly structureHits: { readonly [level: number]: number };
  readonly faults: Readonly<Record<FaultReason, number>>;
  /** Of everything. */
  readonly flushes: number;
  /** Of a page, a range or a PCID. */
  readonly invalidations: number;
}

export const REASONS: Readonly<Record<number, FaultReason>> = {
  [REASON_NOT_PRESENT]: "not present",
  [REASON_RESERVED]: "reserved bit",
  [REASON_DENIED]: "denied",
  [REASON_NON_CANONICAL]: "non-canonical",
  [REASON_KEY]: "protection key",
};

/** `count` gives a counter by its COUNT index. */
export function readCounts(count: (index: number) => number): CpuCounts {
  const bySize = (first: number): BySize => ({
    "4K": count(first),
    "2M": count(first + 1),
    "1G": count(first + 2),
  });
  const total = (sizes: BySize): number => sizes["4K"] + sizes["2M"] + sizes["1G"];
  const l1 = bySize(COUNT_L1_HITS);
  const l2 = bySize(COUNT_L2_HITS);
  return {
    l1,
    l2,
    l1Hits: total(l1),
    l2Hits: total(l2),
    walks: count(COUNT_WALKS),
    entryLoads: count(COUNT_ENTRY_LOADS),
    structureHits: Object.fromEntries(
      [2, 3, 4, 5].map((level) => [level, count(COUNT_STRUCTURE_HITS + level - 2)]),
    ),
    faults: {
      "not present": count(COUNT_FAULTS + REASON_NOT_PRESENT),
      "reserved bit": count(COUNT_FAULTS + REASON_RESERVED),
      denied: count(COUNT_FAULTS + REASON_DENIED),
      "non-canonical": count(COUNT_FAULTS + REASON_NON_CANONICAL),
      "protection key": count(COUNT_FAULTS + REASON_KEY),
    },
    flushes: count(COUNT_FLUSHES),
    invalidations: count(COUNT_INVALIDATIONS),
  };
}
