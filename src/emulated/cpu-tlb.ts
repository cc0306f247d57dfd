/**
 * The TLBs of one emulated CPU, as a model of a real processor's: what references find there, and
 * which walks an invalidation has made necessary.
 *
 * A walk is a **refill** if an invalidation took the translation that would have spared it, and the
 * page has had none since when it was referred to. What left because others needed its place, or
 * because the arrays keep no more PCIDs, makes no refills.
 */
import {
  ADDRESS_BITS,
  type PageSize,
  type Processor,
  REFERENCE_KINDS,
  type ReferenceKind,
} from "../tlb/config.ts";
import type { TlbCounts } from "../tlb/counts.ts";
import { TlbModel } from "../tlb/model.ts";
import type { PagePolicy } from "../tlb/page-policy.ts";
import { type ReferredPage, ReferredPages } from "./referred-pages.ts";

/** What one reference cost. */
export interface ReferenceCost {
  readonly isSecondLevelHit: boolean;
  /** Undefined: it needed none. */
  readonly walk?: {
    readonly entryLoads: number;
    readonly cycles: number;
    /** The operation whose invalidation made it necessary. */
    readonly refillAfter: string | undefined;
  };
}

/** A translation that is there, for references of these kinds. */
interface Held {
  readonly page: ReferredPage;
  readonly kinds: readonly ReferenceKind[];
}

/** What pages there are is told with each reference. */
const SIZES_ARE_TOLD: PagePolicy = [];

export class CpuTlb {
  readonly #model: TlbModel;
  readonly #processor: Processor;
  /** By PCID. */
  readonly #spaces = new Map<number, ReferredPages>();
  #pages: ReferredPages;
  #counts: TlbCounts;

  constructor(processor: Processor) {
    this.#model = new TlbModel(processor, { policies: [SIZES_ARE_TOLD] });
    this.#processor = processor;
    this.#pages = new ReferredPages(processor);
    this.#spaces.set(0, this.#pages);
    this.#counts = this.#model.counts(SIZES_ARE_TOLD);
  }

  /** A reference to the page of `size` at an address below 2^48. */
  refer(address: number, kind: ReferenceKind, size: PageSize): ReferenceCost {
    this.#model.refer(address, kind, size);
    const before = this.#counts;
    const counts = this.#model.counts(SIZES_ARE_TOLD);
    this.#counts = counts;
    const page = this.#pages.at(address, size);
    const refillAfter = page.lostTo.get(kind);
    for (const lost of page.lostTo.keys()) {
      if (this.#has(page, lost)) page.lostTo.delete(lost);
    }
    if (counts.walks === before.walks) {
      return { isSecondLevelHit: secondLevelHits(counts) > secondLevelHits(before) };
    }
    return {
      isSecondLevelHit: false,
      walk: {
        entryLoads: total(counts.entryLoads) - total(before.entryLoads),
        cycles: counts.walkCycles - before.walkCycles,
        refillAfter,
      },
    };
  }

  /** References are those of this PCID from now on, with what is cached of it. */
  switchTo(pcid: number): void {
    this.#model.switchTo(pcid);
    this.#pages = this.#spaces.get(pcid) ?? new ReferredPages(this.#processor);
    this.#spaces.set(pcid, this.#pages);
  }

  /** The same, of an address space that it has never run; the PCID may have been another's. */
  switchToNew(pcid: number): void {
    this.#spaces.delete(pcid);
    this.switchTo(pcid);
    this.#model.flush();
  }

  /** What it has of [start, end) leaves, of the address space it runs. Returns how many pages. */
  invalidate(start: number, end: number, by: string): number {
    const held = this.#held(start, end);
    this.#model.invalidate(start, end - start);
    return this.#lose(held, by);
  }

  /** All that it has of the address space it runs leaves. Returns how many pages. */
  flush(by: string): number {
    const held = this.#held(0, 2 ** ADDRESS_BITS);
    this.#model.flush();
    return this.#lose(held, by);
  }

  #held(start: number, end: number): Held[] {
    return this.#pages.near(start, end).flatMap((page) => {
      const kinds = REFERENCE_KINDS.filter((kind) => this.#has(page, kind));
      return kinds.length > 0 ? [{ page, kinds }] : [];
    });
  }

  #lose(held: readonly Held[], to: string): number {
    let nrLost = 0;
    for (const { page, kinds } of held) {
      const lost = kinds.filter((kind) => !this.#has(page, kind));
      for (const kind of lost) page.lostTo.set(kind, to);
      if (lost.length > 0) nrLost++;
    }
    return nrLost;
  }

  #has({ address, size }: ReferredPage, kind: ReferenceKind): boolean {
    return this.#model.has(SIZES_ARE_TOLD, address, kind, size);
  }
}

function secondLevelHits({ secondLevel }: TlbCounts): number {
  return total(secondLevel.map(({ hits }) => hits));
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}
