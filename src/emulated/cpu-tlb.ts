/**
 * The TLBs of one emulated CPU, as a model of a real processor's: what references find there, and
 * which walks an invalidation has made necessary.
 *
 * A walk is a **refill** if an invalidation took the translation that would have spared it: the last
 * one that the reference could have used. What left because others needed its place is none.
 */
import { PAGE_4K, roundDown, roundUp } from "../address.ts";
import {
  ADDRESS_BITS,
  PAGE_SHIFT,
  type PageSize,
  type Processor,
  REFERENCE_KINDS,
  type ReferenceKind,
  keptSize,
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
  readonly #pieceBytes: Readonly<Record<PageSize, number>>;
  /** Bytes, aligned, that one entry may translate together. */
  readonly #reach: number;
  /** By PCID. */
  readonly #spaces = new Map<number, ReferredPages>();
  #pages: ReferredPages;
  #counts: TlbCounts;

  constructor(processor: Processor) {
    this.#model = new TlbModel(processor, { policies: [SIZES_ARE_TOLD] });
    this.#pieceBytes = {
      "4K": pieceBytes(processor, "4K"),
      "2M": pieceBytes(processor, "2M"),
      "1G": pieceBytes(processor, "1G"),
    };
    const arrays = [...processor.firstLevel, ...processor.secondLevel];
    this.#reach = PAGE_4K * Math.max(...arrays.map(({ coalescedPages }) => coalescedPages));
    this.#pages = new ReferredPages(this.#pieceBytes);
    this.#counts = this.#model.counts(SIZES_ARE_TOLD);
  }

  /** A reference to the page of `size` at an address, of which bits 0 to 47 count. */
  refer(address: number, kind: ReferenceKind, size: PageSize): ReferenceCost {
    this.#model.refer(address, kind, size);
    const page = this.#pages.at(address, size);
    const before = this.#counts;
    const counts = this.#model.counts(SIZES_ARE_TOLD);
    this.#counts = counts;
    if (counts.walks === before.walks) {
      return { isSecondLevelHit: secondLevelHits(counts) > secondLevelHits(before) };
    }
    const { lost } = page;
    const isRefill = lost?.kinds.includes(kind);
    if (lost) page.lost = { ...lost, kinds: this.#without(page, lost.kinds) };
    return {
      isSecondLevelHit: false,
      walk: {
        entryLoads: total(counts.entryLoads) - total(before.entryLoads),
        cycles: counts.walkCycles - before.walkCycles,
        refillAfter: isRefill ? lost?.to : undefined,
      },
    };
  }

  /** References are those of an address space that it has never run; the PCID may be another's. */
  switchToNew(pcid: number): void {
    this.#model.switchTo(pcid);
    this.#model.flush();
    this.#pages = new ReferredPages(this.#pieceBytes);
    this.#spaces.set(pcid, this.#pages);
  }

  /** References are those of a PCID that it has run before. */
  switchTo(pcid: number): void {
    this.#model.switchTo(pcid);
    const pages = this.#spaces.get(pcid);
    if (pages) this.#pages = pages;
    else this.switchToNew(pcid);
  }

  /** What it has of [start, end) leaves, of the address space it runs. Returns how many pages. */
  invalidate(start: number, end: number, by: string): number {
    const held = this.#held(roundDown(start, this.#reach), roundUp(end, this.#reach));
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
    return this.#pages.within(start, end).flatMap((page) => {
      const kinds = REFERENCE_KINDS.filter((kind) => this.#has(page, kind));
      return kinds.length > 0 ? [{ page, kinds }] : [];
    });
  }

  #lose(held: readonly Held[], to: string): number {
    let nrLost = 0;
    for (const { page, kinds } of held) {
      const lost = this.#without(page, kinds);
      if (lost.length === 0) continue;
      nrLost++;
      page.lost = { to, kinds: lost };
    }
    return nrLost;
  }

  #without(page: ReferredPage, kinds: readonly ReferenceKind[]): ReferenceKind[] {
    return kinds.filter((kind) => !this.#has(page, kind));
  }

  #has({ address, size }: ReferredPage, kind: ReferenceKind): boolean {
    return this.#model.has(SIZES_ARE_TOLD, address, kind, size);
  }
}

/** Of the smallest pieces that any array keeps pages of `size` in. */
function pieceBytes({ firstLevel, secondLevel }: Processor, size: PageSize): number {
  const arrays = [...firstLevel, ...secondLevel].filter(({ pageSizes }) =>
    pageSizes.includes(size),
  );
  return (
    2 ** Math.min(PAGE_SHIFT[size], ...arrays.map((array) => PAGE_SHIFT[keptSize(array, size)]))
  );
}

function secondLevelHits({ secondLevel }: TlbCounts): number {
  return total(secondLevel.map(({ hits }) => hits));
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}
