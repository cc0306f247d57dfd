/**
 * What an entry of a page table says that no processor reads (include/linux/swapops.h: pte_marker):
 * that its page is write-protected for a userfaultfd, whether it is there (_PAGE_UFFD_WP) or not
 * (PTE_MARKER_UFFD_WP), or that there is none to be had (PTE_MARKER_POISONED, PTE_MARKER_GUARD).
 */
export type Mark = "write-protected" | "poisoned" | "guard";

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

  /** Those of one kind in [start, end) go. */
  clear(start: number, end: number, mark: Mark): void {
    for (const [page, found] of this.in(start, end)) {
      if (found === mark) this.#marks.delete(page);
    }
  }

  /** All of [start, end) go, but those of one kind. */
  clearAllBut(start: number, end: number, kept: Mark | undefined): void {
    for (const [page, found] of this.in(start, end)) {
      if (found !== kept) this.#marks.delete(page);
    }
  }
}
