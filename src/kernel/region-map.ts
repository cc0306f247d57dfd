/**
 * A set of page indexes as sorted, disjoint regions [from, to) (mm/hugetlb.c: struct resv_map).
 * Of an inode's map an entry means "reserved or instantiated"; of a private mapping's map it means
 * "consumed". Its size is the number of regions, not of pages.
 */
export class RegionMap {
  /** Region i is [#ends[2i], #ends[2i + 1]). */
  readonly #ends: number[] = [];

  has(index: number): boolean {
    return this.#position(index) % 2 === 1;
  }

  /** How many indexes of [from, to) are in the map. */
  count(from: number, to: number): number {
    let nr = 0;
    let i = this.#position(from);
    if (i % 2 === 1) i--;
    for (; i < this.#ends.length && this.#ends[i] < to; i += 2) {
      nr += Math.max(0, Math.min(to, this.#ends[i + 1]) - Math.max(from, this.#ends[i]));
    }
    return nr;
  }

  add(from: number, to: number): void {
    this.#splice(from, to, true);
  }

  remove(from: number, to: number): void {
    this.#splice(from, to, false);
  }

  /** How many ends are at or below `index`: odd inside a region. */
  #position(index: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle] <= index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #splice(from: number, to: number, isIn: boolean): void {
    if (from >= to) return;
    const first = this.#position(from - 1);
    const last = this.#position(to);
    // An end is needed where membership changes: at `from` and `to` or not at all.
    const ends: number[] = [];
    if ((first % 2 === 1) !== isIn) ends.push(from);
    if ((last % 2 === 1) !== isIn) ends.push(to);
    this.#ends.splice(first, last - first, ...ends);
  }
}
