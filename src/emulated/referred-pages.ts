/** The pages of one address space that a CPU has referred to. */
import { roundDown } from "../address.ts";
import { PAGE_SIZES, type PageSize, type ReferenceKind } from "../tlb/config.ts";

/** A page, or a piece of one that the TLBs keep in pieces. */
export interface ReferredPage {
  readonly address: number;
  readonly size: PageSize;
  /** What has taken its translation, and the kinds of references that are without one since. */
  lost?: { readonly to: string; readonly kinds: readonly ReferenceKind[] };
}

export class ReferredPages {
  /** By page size, then address. */
  readonly #maps = PAGE_SIZES.map(() => new Map<number, ReferredPage>());
  readonly #bytes: readonly number[];

  /** `bytes`: of a page or its pieces, by page size. */
  constructor(bytes: Readonly<Record<PageSize, number>>) {
    this.#bytes = PAGE_SIZES.map((size) => bytes[size]);
  }

  /** The one that contains `address`; from now on it is referred to. */
  at(address: number, size: PageSize): ReferredPage {
    const index = PAGE_SIZES.indexOf(size);
    const start = roundDown(address, this.#bytes[index]);
    let page = this.#maps[index].get(start);
    if (!page) this.#maps[index].set(start, (page = { address: start, size }));
    return page;
  }

  /** Those that meet [start, end). */
  within(start: number, end: number): ReferredPage[] {
    return this.#maps.flatMap((pages, index) => {
      const bytes = this.#bytes[index];
      const first = roundDown(start, bytes);
      const nr = Math.ceil((end - first) / bytes);
      if (nr > pages.size) {
        return [...pages.values()].filter(({ address }) => address >= first && address < end);
      }
      return Array.from({ length: nr }, (_, i) => pages.get(first + i * bytes) ?? []).flat();
    });
  }
}
