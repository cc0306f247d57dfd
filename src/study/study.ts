/** Words of a trace through models of processors under policies, and what they count at the end. */
import { PAGE_SIZES, type Processor } from "../tlb/config.ts";
import type { ReferenceCounts, TlbCounts } from "../tlb/counts.ts";
import { TlbModel } from "../tlb/model.ts";
import { CURVE_KINDS } from "../tlb/miss-curve.ts";
import { StackDistances } from "../tlb/stack-distances.ts";
import { KIND_CONTROL, kindOfHigh } from "../trace/reference.ts";
import type { NamedPolicy } from "./policy.ts";
import type { Curve, Instruction, Interval, Region, Run } from "./result.ts";

export interface StudyOptions {
  /** References an interval; undefined: none are told apart. */
  readonly interval?: number;
  readonly hasRegions: boolean;
  readonly hasInstructions: boolean;
  /** Whether what LRU TLBs of every size miss is told. */
  readonly hasCurves?: boolean;
}

/** Those, of more that a caller has: threads are given no functions. */
export function onlyOptions(options: StudyOptions): StudyOptions {
  const { interval, hasRegions, hasInstructions, hasCurves } = options;
  return { interval, hasRegions, hasInstructions, hasCurves };
}

/** A processor and the policies it is studied under. */
export interface Subject {
  readonly processor: Processor;
  readonly policies: readonly NamedPolicy[];
}

/** Instructions told of a run. */
const INSTRUCTIONS_MAX = 100;

/** What had been counted when the last interval ended. */
type Total = Pick<Interval, "references" | "firstLevelMisses" | "walks" | "walkCycles">;
const NOTHING: Total = { references: 0, firstLevelMisses: 0, walks: 0, walkCycles: 0 };

export class StudyRunner {
  readonly #subjects: readonly SubjectRunner[];
  readonly #interval: number | undefined;
  readonly #distances: StackDistances | undefined;
  #nrReferences = 0;

  /** Throws `OptionError`. */
  constructor(subjects: readonly Subject[], options: StudyOptions) {
    this.#interval = options.interval;
    this.#distances = options.hasCurves ? new StackDistances() : undefined;
    this.#subjects = subjects.map((subject) => new SubjectRunner(subject, options));
  }

  /** Replays words (src/trace/reference.ts). */
  feed(words: BigUint64Array): void {
    if (this.#interval === undefined) return this.#replay(words);
    let rest = words;
    while (rest.length > 0) {
      const room = this.#interval - (this.#nrReferences % this.#interval);
      const { length, nrReferences } = takeReferences(rest, room);
      this.#replay(rest.subarray(0, length));
      rest = rest.subarray(length);
      this.#nrReferences += nrReferences;
      if (nrReferences === room) this.#endInterval();
    }
  }

  /** In the order of subjects and their policies. */
  finish(): Run[] {
    if (this.#interval !== undefined && this.#nrReferences % this.#interval > 0)
      this.#endInterval();
    return this.#subjects.flatMap((subject) => subject.runs());
  }

  references(): ReferenceCounts {
    return this.#subjects[0].references();
  }

  /** By kind, then page size; those without accesses are left out. */
  curves(): Curve[] | undefined {
    const distances = this.#distances;
    if (!distances) return undefined;
    return CURVE_KINDS.flatMap((kind) => PAGE_SIZES.map((size) => distances.curve(size, kind)))
      .filter(({ accesses }) => accesses > 0)
      .map((curve) => {
        const { pageSize, kind, accesses } = curve;
        return { pageSize, kind, accesses, points: curve.points() };
      });
  }

  #replay(words: BigUint64Array): void {
    for (const { model } of this.#subjects) model.replayWords(words);
    this.#distances?.replayWords(words);
  }

  #endInterval(): void {
    for (const subject of this.#subjects) subject.endInterval();
  }
}

/** How many words hold the first `room` references, and how many these are, if they are fewer. */
export function takeReferences(
  words: BigUint64Array,
  room: number,
): { length: number; nrReferences: number } {
  const halves = new Uint32Array(words.buffer, words.byteOffset, words.length * 2);
  let nrReferences = 0;
  let length = 0;
  for (; length < words.length && nrReferences < room; length++) {
    if (kindOfHigh(halves[2 * length + 1]) !== KIND_CONTROL) nrReferences++;
  }
  return { length, nrReferences };
}

class SubjectRunner {
  readonly model: TlbModel;
  readonly #subject: Subject;
  readonly #hasIntervals: boolean;
  readonly #intervals: readonly Interval[][];
  readonly #totals: Total[];

  constructor(subject: Subject, { interval, hasRegions, hasInstructions }: StudyOptions) {
    this.#subject = subject;
    this.#hasIntervals = interval !== undefined;
    const policies = subject.policies.map(({ policy }) => policy);
    this.model = new TlbModel(subject.processor, { policies, hasRegions, hasInstructions });
    this.#intervals = policies.map(() => []);
    this.#totals = policies.map(() => NOTHING);
  }

  references(): ReferenceCounts {
    return this.model.references();
  }

  endInterval(): void {
    const { fetch, load, store } = this.references();
    for (const [i, { policy }] of this.#subject.policies.entries()) {
      const { firstLevelMisses, walks, walkCycles } = totalOf(this.model.counts(policy));
      const last = this.#totals[i];
      const total = { references: fetch + load + store, firstLevelMisses, walks, walkCycles };
      this.#totals[i] = total;
      this.#intervals[i].push({
        references: total.references - last.references,
        firstLevelMisses: total.firstLevelMisses - last.firstLevelMisses,
        walks: total.walks - last.walks,
        walkCycles: total.walkCycles - last.walkCycles,
      });
    }
  }

  runs(): Run[] {
    const { processor, policies } = this.#subject;
    const nameOf = ({ name }: { readonly name: string }) => name;
    const names = {
      firstLevel: processor.firstLevel.map(nameOf),
      secondLevel: processor.secondLevel.map(nameOf),
      loadsFrom: [...processor.walkCost.caches.map(nameOf), "memory"],
    };
    return policies.map(({ name, policy }, i) => ({
      cpu: processor.name,
      policy: name,
      ...this.model.counts(policy),
      names,
      walkers: processor.walkers,
      routes: this.model.routes(policy),
      ...(this.#hasIntervals && { intervals: this.#intervals[i] }),
      ...regionsOf(this.model.regions(policy)),
      ...instructionsOf(this.model.instructions(policy)),
    }));
  }
}

function totalOf({ firstLevel, walks, walkCycles }: TlbCounts): Omit<Total, "references"> {
  const firstLevelMisses = firstLevel.reduce((sum, { misses }) => sum + misses, 0);
  return { firstLevelMisses, walks, walkCycles };
}

function regionsOf(regions: ReturnType<TlbModel["regions"]>): { regions?: Region[] } {
  if (!regions) return {};
  return {
    regions: regions.map(({ address, walks, walkCycles, touchedPages }) => {
      return [address, walks, walkCycles, touchedPages];
    }),
  };
}

function instructionsOf(instructions: ReturnType<TlbModel["instructions"]>): {
  instructions?: Instruction[];
} {
  if (!instructions) return {};
  const most = instructions.toSorted((a, b) => b.walkCycles - a.walkCycles);
  return {
    instructions: most.slice(0, INSTRUCTIONS_MAX).map(({ address, walks, walkCycles }) => {
      return [address, walks, walkCycles];
    }),
  };
}
