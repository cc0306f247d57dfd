/**
 * A slow model of a processor's TLBs, written after what `src/tlb/config.ts` says and nothing else,
 * to be compared with the fast one.
 */
import {
  ADDRESS_BITS,
  PAGE_SIZES,
  REFERENCE_KINDS,
  type PageSize,
  type Processor,
  type ReferenceKind,
  type TlbArray,
} from "../../src/tlb/config.ts";
import type { RouteCounts, TlbCounts } from "../../src/tlb/counts.ts";
import { isSame, PAGE_BYTES, TlbArrayModel, type Entry, type Page } from "./tlb-array.ts";
import { WalkModel, type WalkCounts } from "./walk-model.ts";

export interface TlbReference {
  /** Bits 0 to 47 count. */
  readonly address: number | bigint;
  readonly kind: ReferenceKind;
  /** Of the page that the address falls into. */
  readonly pageSize: PageSize;
  /** 0 if it is left out. */
  readonly pcid?: number;
}

/** Where the second level keeps a page. */
interface Place {
  readonly bank: TlbArrayModel;
  readonly nrBanks: number;
  readonly entry: Entry;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class TlbModel {
  readonly counts: WalkCounts & Omit<TlbCounts, keyof WalkCounts>;
  readonly #routes: readonly Mutable<RouteCounts>[];
  readonly #processor: Processor;
  readonly #firstLevel: readonly TlbArrayModel[];
  readonly #secondLevel: readonly TlbArrayModel[];
  readonly #walker: WalkModel;

  constructor(processor: Processor) {
    this.#processor = processor;
    const model = (array: TlbArray) => new TlbArrayModel(array, processor.randomSeed);
    this.#firstLevel = processor.firstLevel.map(model);
    this.#secondLevel = processor.secondLevel.map(model);
    this.counts = {
      accesses: 0,
      firstLevel: this.#firstLevel.map(({ counts }) => counts),
      secondLevel: this.#secondLevel.map(({ counts }) => counts),
      walks: 0,
      prefetches: 0,
      entryLoads: [0, 0, 0, 0],
      loadsFrom: Array.from({ length: processor.walkCost.caches.length + 1 }, () => 0),
      hitCycles: 0,
      walkCycles: 0,
    };
    this.#walker = new WalkModel(processor, this.counts);
    this.#routes = PAGE_SIZES.flatMap((pageSize) => {
      return REFERENCE_KINDS.map((kind) => {
        return { kind, pageSize, accesses: 0, firstLevelMisses: 0, walks: 0 };
      });
    });
  }

  /** By kind and page size, those that were referred to. */
  get routes(): RouteCounts[] {
    return this.#routes.filter(({ accesses }) => accesses > 0);
  }

  /** `pcid` is resident from now on. */
  enter(pcid: number): void {
    for (const array of this.#arrays) array.enter(pcid);
    this.#walker.enter(pcid);
  }

  /** Returns what its walk cost; undefined: it needed none. */
  refer({ address, kind, pageSize, pcid = 0 }: TlbReference): number | undefined {
    const at = Number(BigInt.asUintN(ADDRESS_BITS, BigInt(address)));
    const page: Page = { at, kind, pageSize, pcid };
    const route = this.#routes.find((one) => one.kind === kind && one.pageSize === pageSize)!;
    this.enter(pcid);
    this.counts.accesses++;
    route.accesses++;

    const first = this.#firstLevel.find((array) => array.serves(kind, pageSize));
    if (first) {
      const entry = first.entryOf(page);
      if (first.has(entry, 1)) {
        first.counts.hits++;
        first.touch(entry, 1);
        return undefined;
      }
      first.counts.misses++;
    }
    route.firstLevelMisses++;

    const second = this.#placeOf(page);
    const isExclusive = this.#processor.inclusion === "exclusive" && first !== undefined;
    if (second) {
      const { bank, nrBanks, entry } = second;
      if (bank.has(entry, nrBanks)) {
        bank.counts.hits++;
        this.counts.hitCycles +=
          this.#processor.secondLevel[this.#secondLevel.indexOf(bank)].hitCycles;
        if (isExclusive) bank.drop((other) => isSame(other, entry));
        else bank.touch(entry, nrBanks);
        if (first) this.#fillFirst(first, page);
        return undefined;
      }
      bank.counts.misses++;
    }

    this.counts.walks++;
    route.walks++;
    const cycles = this.#walker.walk(at, pageSize, pcid);
    if (second && !isExclusive) this.#fillSecond(second);
    if (first) this.#fillFirst(first, page);
    if (this.#processor.nextPagePrefetch) this.#prefetch(page);
    return cycles;
  }

  /**
   * What translates any byte from `from` to before `to` leaves, and all that points to tables: of
   * `pcid`, or of all PCIDs.
   */
  invalidate(from: number, to: number, pcid?: number): void {
    for (const array of this.#arrays) {
      array.drop((entry) => {
        return (pcid === undefined || entry.pcid === pcid) && array.translates(entry, from, to);
      });
    }
    this.#walker.forget(pcid);
  }

  /** Everything of `pcid` leaves. */
  flush(pcid: number): void {
    for (const array of this.#arrays) array.drop((entry) => entry.pcid === pcid);
    this.#walker.forget(pcid);
  }

  get #arrays(): readonly TlbArrayModel[] {
    return [...this.#firstLevel, ...this.#secondLevel];
  }

  #placeOf(page: Page): Place | undefined {
    const banks = this.#secondLevel.filter((bank) => bank.serves(page.kind, page.pageSize));
    if (banks.length === 0) return undefined;
    const entry = banks[0].entryOf(page);
    return { bank: banks[entry.pageNumber % banks.length], nrBanks: banks.length, entry };
  }

  #fillFirst(first: TlbArrayModel, page: Page): void {
    const evicted = first.fill(first.entryOf(page), 1);
    if (!evicted || this.#processor.inclusion !== "exclusive") return;
    const { size, pageNumber, pcid } = evicted;
    const at = pageNumber * PAGE_BYTES[size];
    const second = this.#placeOf({ at, kind: page.kind, pageSize: size, pcid });
    if (!second) return;
    if (second.bank.has(evicted, second.nrBanks)) second.bank.touch(evicted, second.nrBanks);
    else this.#fillSecond(second);
  }

  #fillSecond({ bank, nrBanks, entry }: Place): void {
    const evicted = bank.fill(entry, nrBanks);
    if (!evicted || this.#processor.inclusion !== "inclusive") return;
    for (const first of this.#firstLevel) {
      if (first.array.kinds.some((kind) => bank.array.kinds.includes(kind))) {
        first.drop((other) => isSame(other, evicted));
      }
    }
  }

  #prefetch(page: Page): void {
    const next = { ...page, at: (page.at + PAGE_BYTES[page.pageSize]) % 2 ** ADDRESS_BITS };
    const second = this.#placeOf(next);
    if (!second || second.bank.has(second.entry, second.nrBanks)) return;
    this.counts.prefetches++;
    this.#walker.walk(next.at, next.pageSize, next.pcid);
    this.#fillSecond(second);
  }
}
