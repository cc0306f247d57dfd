/**
 * How many pages of one size a group has, and may have (mm/page_counter.c: struct page_counter).
 */
export class PageCounter {
  #usage = 0;
  #max = Infinity;
  #nrFailures = 0;

  get usage(): number {
    return this.#usage;
  }

  /** Infinity until it is set. */
  get max(): number {
    return this.#max;
  }

  /** How often a charge was refused. */
  get nrFailures(): number {
    return this.#nrFailures;
  }

  /** page_counter_set_max(); false: it counts more than that already. */
  trySetMax(max: number): boolean {
    if (this.#usage > max) return false;
    this.#max = max;
    return true;
  }

  /** page_counter_try_charge() */
  tryCharge(nrPages: number): boolean {
    const fits = this.#usage + nrPages <= this.#max;
    if (fits) this.#usage += nrPages;
    else this.#nrFailures++;
    return fits;
  }

  uncharge(nrPages: number): void {
    this.#usage -= nrPages;
  }
}

/** Takes back what one page was charged for. */
export function uncharge(counters: readonly PageCounter[]): void {
  for (const counter of counters) counter.uncharge(1);
}
