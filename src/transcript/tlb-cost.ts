/**
 * What the TLBs of a machine cost: in one operation, or in many, added up.
 */

/** On one CPU. An access counts once for each page that it touches. */
export interface CpuTlbCost {
  /** Those that were translated: by the first level, the second level, or a walk. */
  accesses: number;
  secondLevelHits: number;
  /** Walks. */
  misses: number;
  /** Those of them that an invalidation has made necessary. */
  refills: number;
  /** Accesses without a translation, which fill nothing. */
  faults: number;
  /** Paging entries that walks have loaded. */
  entryLoads: number;
  walkCycles: number;
  /** How often another CPU has interrupted it for an invalidation. */
  interrupts: number;
  /** Translations that invalidations took at once. */
  dropped: number;
  /** Those that left when it came back to a process whose memory had changed meanwhile. */
  droppedLate: number;
}

/** Of invalidations by one kind of operation. */
export interface InvalidationCost {
  /** Operations that invalidated anything. */
  times: number;
  invalidations: number;
  /** Of CPUs, each by an invalidation that another asked for (shootdowns). */
  interrupts: number;
  /** Translations that left, on all CPUs, at once or late. */
  dropped: number;
  /** What was walked for again afterwards, on any CPU. */
  refills: number;
  refillCycles: number;
}

export interface TlbCost {
  /** By CPU: those that did anything. */
  readonly cpus: ReadonlyMap<number, CpuTlbCost>;
  /** By the operation that invalidated: its name in the language, or `steal`. */
  readonly operations: ReadonlyMap<string, InvalidationCost>;
}

const NOTHING_ON_CPU: CpuTlbCost = {
  accesses: 0,
  secondLevelHits: 0,
  misses: 0,
  refills: 0,
  faults: 0,
  entryLoads: 0,
  walkCycles: 0,
  interrupts: 0,
  dropped: 0,
  droppedLate: 0,
};
const NO_INVALIDATION: InvalidationCost = {
  times: 0,
  invalidations: 0,
  interrupts: 0,
  dropped: 0,
  refills: 0,
  refillCycles: 0,
};

export class TlbCosts implements TlbCost {
  readonly cpus = new Map<number, CpuTlbCost>();
  readonly operations = new Map<string, InvalidationCost>();

  /** To be counted up. */
  onCpu(cpu: number): CpuTlbCost {
    return getOrCreate(this.cpus, cpu, () => ({ ...NOTHING_ON_CPU }));
  }

  /** To be counted up. */
  by(operation: string): InvalidationCost {
    return getOrCreate(this.operations, operation, () => ({ ...NO_INVALIDATION }));
  }

  add({ cpus, operations }: TlbCost): void {
    for (const [cpu, cost] of cpus) addCounts(this.onCpu(cpu), cost);
    for (const [operation, cost] of operations) addCounts(this.by(operation), cost);
  }
}

function addCounts<Counts extends object>(sum: Counts, counts: Counts): void {
  for (const key of Object.keys(counts) as (keyof Counts)[]) {
    sum[key] = ((sum[key] as number) + (counts[key] as number)) as Counts[keyof Counts];
  }
}

function getOrCreate<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}
