/**
 * What an entry of a page table says that no processor reads (include/linux/swapops.h: pte_marker):
 * that its page is write-protected for a userfaultfd, whether it is there (_PAGE_UFFD_WP) or not
 * (PTE_MARKER_UFFD_WP), or that there is none to be had (PTE_MARKER_POISONED).
 */
export type Mark = "write-protected" | "poisoned";

/** The marks of an address space, by the address of the page. */
export class PageMarks {
  readonly #marks = new Map<number, Mark>();

  at(page: number): Mark | undefined {
    return this.#marks.get(page);
  }

  set(page: number, mark: Mark): void {
    this.#marks.set(page, mark);
  }

  delete(page: number): void {
    this.#marks.delete(page);
  }

  /** The marks of [start, end). */
  in(start: number, end: number): (readonly [page: number, mark: Mark])[] {
    return [...this.#marks].filter(([page]) => page >= start && page < end);
  }

  /** Those of [start, end) go, or those of one kind. */
  clear(start: number, end: number, mark?: Mark): void {
    for (const [page, found] of this.in(start, end)) {
      if (mark === undefined || found === mark) this.#marks.delete(page);
    }
  }
}
