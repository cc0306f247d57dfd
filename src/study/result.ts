/**
 * What a study found, as data: JSON that `hugewalk tlb --json` prints, and `hugewalk merge` reads. A
 * run is one processor under one policy; each stands for itself, so those of any number of studies
 * of the same trace are put together by putting them beside each other.
 */
import type { PageSize } from "../tlb/config.ts";
import type { CurveKind, CurvePoint } from "../tlb/miss-curve.ts";
import type { ReferenceCounts, RouteCounts, TlbCounts } from "../tlb/counts.ts";

/** Changes when a field changes its meaning. */
export const STUDY_VERSION = 1;

export interface Study {
  readonly type: "study";
  readonly version: typeof STUDY_VERSION;
  readonly trace: TraceFacts;
  readonly runs: readonly Run[];
  /** Of traces that are samples; they have no runs. */
  readonly samples?: readonly SampledRegion[];
  readonly curves?: readonly Curve[];
}

export interface TraceFacts {
  readonly name: string;
  readonly format: string;
  /** Of all that were replayed. A fetch is an instruction. */
  readonly references: ReferenceCounts;
  /** Broken records that were skipped. */
  readonly nrBroken: number;
  /** References passed over before the first one that counts. */
  readonly nrSkipped: number;
  /** Whether the trace went on. */
  readonly isCut: boolean;
}

/** One processor under one policy, from empty TLBs on. */
export interface Run extends TlbCounts {
  readonly cpu: string;
  readonly policy: string;
  /** What arrays, banks and caches are called, in the order of the counts. */
  readonly names: {
    readonly firstLevel: readonly string[];
    readonly secondLevel: readonly string[];
    readonly loadsFrom: readonly string[];
  };
  /** Walks at once: stalls are between walkCycles / walkers and walkCycles. */
  readonly walkers: number;
  readonly routes: readonly RouteCounts[];
  readonly intervals?: readonly Interval[];
  /** By address. */
  readonly regions?: readonly Region[];
  /** Those with most walk cycles, first. */
  readonly instructions?: readonly Instruction[];
}

/** What happened since the interval before. */
export interface Interval {
  /** How many. */
  readonly references: number;
  readonly firstLevelMisses: number;
  readonly walks: number;
  readonly walkCycles: number;
}

/** 2M of addresses: where, walks to there, what they cost, how many of its 4K pages were walked to. */
export type Region = readonly [
  address: number,
  walks: number,
  walkCycles: number,
  touchedPages: number,
];

export type Instruction = readonly [address: number, walks: number, walkCycles: number];

/** 2M of addresses, and how many samples fell there. */
export type SampledRegion = readonly [address: number, samples: number];

/** What a fully associative TLB with true LRU misses, by its entries. */
export interface Curve {
  readonly pageSize: PageSize;
  readonly kind: CurveKind;
  readonly accesses: number;
  /** At powers of two, and where it falls. */
  readonly points: readonly CurvePoint[];
}
