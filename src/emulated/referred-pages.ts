/** The pages of one address space that a CPU has referred to. */
import { PAGE_4K, roundDown, roundUp } from "../address.ts";
import {
  PAGE_SHIFT,
  PAGE_SIZES,
  type PageSize,
  type Processor,
  type ReferenceKind,
  keptSize,
} from "../tlb/config.ts";

/** A page, or a piece of one that an array of the TLBs keeps in pieces. */
export interface ReferredPage {
  readonly address: number;
  readonly size: PageSize;
  /** What has taken its translation, for the kinds of references that are without one since. */
  readonly lostTo: Map<ReferenceKind, string>;
}

export class ReferredPages {
  /** By page size, then address. */
  readonly #maps = PAGE_SIZES.map(() => new Map<number, ReferredPage>());
  /** By page size: bytes of a piece. */
  readonly #pieceBytes: readonly number[];
  /** By page size: bytes, aligned, that one entry may translate. */
  readonly #reachBytes: readonly number[];

  constructor({ firstLevel, secondLevel }: Processor) {
    const arrays = [...firstLevel, ...secondLevel];
    this.#pieceBytes = PAGE_SIZES.map((size) => {
      const kept = arrays.filter(({ pageSizes }) => pageSizes.includes(size));
      return 2 ** Math.min(PAGE_SHIFT[size], ...kept.map((one) => PAGE_SHIFT[keptSize(one, size)]));
    });
    const most = Math.max(...arrays.map(({ coalescedPages }) => coalescedPages));
    this.#reachBytes = PAGE_SIZES.map((size) => Math.max(2 ** PAGE_SHIFT[size], most * PAGE_4K));
  }

  /** The one that contains `address`; from now on it is referred to. */
  at(address: number, size: PageSize): ReferredPage {
    const index = PAGE_SIZES.indexOf(size);
    const start = roundDown(address, this.#pieceBytes[index]);
    let page = this.#maps[index].get(start);
    if (!page) this.#maps[index].set(start, (page = { address: start, size, lostTo: new Map() }));
    return page;
  }

  /** Those that can share an entry with a page that meets [start, end), and some more. */
  near(start: number, end: number): ReferredPage[] {
    return this.#maps.flatMap((pages, index) => {
      const reach = this.#reachBytes[index];
      const [first, last] = [roundDown(start, reach), roundUp(end, reach)];
      const bytes = this.#pieceBytes[index];
      const nr = (last - first) / bytes;
      if (nr > pages.size) {
        return [...pages.values()].filter(({ address }) => address >= first && address < last);
      }
      return Array.from({ length: nr }, (_, i) => pages.get(first + i * bytes) ?? []).flat();
    });
  }
}
