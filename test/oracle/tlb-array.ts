/** One array of TLB entries, slowly: they are objects, searched for one by one. */
import type { PageSize, ReferenceKind, TlbArray } from "../../src/tlb/config.ts";
import { createOrder, EntrySet, xorshift32 } from "./replacement.ts";
import { Residents } from "./walk-model.ts";

export const PAGE_BYTES: Readonly<Record<PageSize, number>> = {
  "4K": 2 ** 12,
  "2M": 2 ** 21,
  "1G": 2 ** 30,
};

export interface HitsAndMisses {
  hits: number;
  misses: number;
}

/** What is referred to: of the page, any address. */
export interface Page {
  readonly at: number;
  readonly kind: ReferenceKind;
  readonly pageSize: PageSize;
  readonly pcid: number;
}

/** A page as an array keeps it. */
export interface Entry {
  readonly size: PageSize;
  readonly pageNumber: number;
  readonly pcid: number;
}

export function isSame(a: Entry, b: Entry): boolean {
  return a.size === b.size && a.pageNumber === b.pageNumber && a.pcid === b.pcid;
}

export class TlbArrayModel {
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
    return { size, pageNumber: Math.floor(at / this.#bytesOf(size)), pcid };
  }

  /** Whether an entry translates any of the bytes from `from` to before `to`. */
  translates({ size, pageNumber }: Entry, from: number, to: number): boolean {
    const bytes = this.#bytesOf(size);
    return pageNumber * bytes < to && (pageNumber + 1) * bytes > from;
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

  /** What an entry translates. */
  #bytesOf(size: PageSize): number {
    return PAGE_BYTES[size] * (size === "4K" ? this.array.coalescedPages : 1);
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
