/**
 * A slow model of a processor's TLBs, written after what `src/tlb/config.ts` says and nothing else,
 * to be compared with the fast one: entries are objects, searched for one by one.
 */
import {
  ADDRESS_BITS,
  type PageSize,
  type Processor,
  type ReferenceKind,
  type TlbArray,
} from "../../src/tlb/config.ts";
import { createOrder, EntrySet, xorshift32 } from "./replacement.ts";
import { Residents, WalkModel, type WalkCounts } from "./walk-model.ts";

export interface TlbReference {
  /** Bits 0 to 47 count. */
  readonly address: number | bigint;
  readonly kind: ReferenceKind;
  /** Of the page that the address falls into. */
  readonly pageSize: PageSize;
  /** 0 if it is left out. */
  readonly pcid?: number;
}

interface HitsAndMisses {
  hits: number;
  misses: number;
}

/** Arrays, banks and caches in the order of the processor's data. */
export interface TlbCounts extends WalkCounts {
  accesses: number;
  readonly firstLevel: readonly HitsAndMisses[];
  readonly secondLevel: readonly HitsAndMisses[];
  walks: number;
  prefetches: number;
  /** What all second-level hits cost. */
  hitCycles: number;
}

const BYTES: Readonly<Record<PageSize, number>> = { "4K": 2 ** 12, "2M": 2 ** 21, "1G": 2 ** 30 };

/** A reference with all it may leave out. */
interface Page {
  readonly at: number;
  readonly kind: ReferenceKind;
  readonly pageSize: PageSize;
  readonly pcid: number;
}

/** Where the second level keeps a page. */
interface Place {
  readonly bank: TlbArrayModel;
  readonly nrBanks: number;
  readonly entry: Entry;
}

/** A page as an array keeps it. */
interface Entry {
  readonly size: PageSize;
  readonly pageNumber: number;
  readonly pcid: number;
}

function isSame(a: Entry, b: Entry): boolean {
  return a.size === b.size && a.pageNumber === b.pageNumber && a.pcid === b.pcid;
}

class TlbArrayModel {
  readonly array: TlbArray;
  readonly counts: HitsAndMisses = { hits: 0, misses: 0 };
  readonly #sets: EntrySet<Entry>[];
  readonly #residents: Residents;

  constructor(array: TlbArray, seed: number) {
    this.array = array;
    const nrWays = array.ways === "full" ? array.entries : array.ways;
    const random = xorshift32(seed);
    this.#sets = Array.from({ length: array.entries / nrWays }, () => {
      return new EntrySet<Entry>(nrWays, createOrder(array.replacement, nrWays, random));
    });
    this.#residents = new Residents(array.pcids);
  }

  serves(kind: ReferenceKind, size: PageSize): boolean {
    return this.array.kinds.includes(kind) && this.array.pageSizes.includes(size);
  }

  entryOf({ at, pageSize, pcid }: Page): Entry {
    const size = this.array.keptAs[pageSize] ?? pageSize;
    const bytes = BYTES[size] * (size === "4K" ? this.array.coalescedPages : 1);
    return { size, pageNumber: Math.floor(at / bytes), pcid };
  }

  enter(pcid: number): void {
    const left = this.#residents.enter(pcid);
    if (left !== undefined) this.drop((entry) => entry.pcid === left);
  }

  drop(isDropped: (entry: Entry) => boolean): void {
    for (const set of this.#sets) set.drop(isDropped);
  }

  has(entry: Entry, nrBanks: number): boolean {
    return this.#setOf(entry, nrBanks).ways.some((other) => other && isSame(other, entry));
  }

  touch(entry: Entry, nrBanks: number): void {
    const set = this.#setOf(entry, nrBanks);
    set.touch(set.ways.findIndex((other) => other && isSame(other, entry)));
  }

  fill(entry: Entry, nrBanks: number): Entry | undefined {
    return this.#setOf(entry, nrBanks).insert(entry);
  }

  /** `nrBanks`: of how many banks, between which pages are dealt out, this is one. */
  #setOf({ pageNumber }: Entry, nrBanks: number): EntrySet<Entry> {
    const nrSets = this.#sets.length;
    let rest = Math.floor(pageNumber / nrBanks);
    let index = 0;
    for (let group = 0; group < this.array.indexGroups; group++) {
      index ^= rest % nrSets;
      rest = Math.floor(rest / nrSets);
    }
    return this.#sets[index];
  }
}

export class TlbModel {
  readonly counts: TlbCounts;
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
  }

  refer({ address, kind, pageSize, pcid = 0 }: TlbReference): void {
    const at = Number(BigInt.asUintN(ADDRESS_BITS, BigInt(address)));
    const page: Page = { at, kind, pageSize, pcid };
    for (const array of [...this.#firstLevel, ...this.#secondLevel]) array.enter(pcid);
    this.#walker.enter(pcid);
    this.counts.accesses++;

    const first = this.#firstLevel.find((array) => array.serves(kind, pageSize));
    if (first) {
      const entry = first.entryOf(page);
      if (first.has(entry, 1)) {
        first.counts.hits++;
        first.touch(entry, 1);
        return;
      }
      first.counts.misses++;
    }

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
        return;
      }
      bank.counts.misses++;
    }

    this.counts.walks++;
    this.#walker.walk(at, pageSize, pcid);
    if (second && !isExclusive) this.#fillSecond(second);
    if (first) this.#fillFirst(first, page);
    if (this.#processor.nextPagePrefetch) this.#prefetch(page);
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
    const at = pageNumber * BYTES[size];
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
    const next = { ...page, at: (page.at + BYTES[page.pageSize]) % 2 ** ADDRESS_BITS };
    const second = this.#placeOf(next);
    if (!second || second.bank.has(second.entry, second.nrBanks)) return;
    this.counts.prefetches++;
    this.#walker.walk(next.at, next.pageSize, next.pcid);
    this.#fillSecond(second);
  }
}
