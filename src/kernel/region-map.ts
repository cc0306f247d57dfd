/**
 * A set of page indexes as disjoint regions [from, to) that do not touch (mm/hugetlb.c: struct
 * resv_map). Of an inode's map an entry means "reserved or instantiated"; of a private mapping's
 * map it means "consumed". Its size is the number of regions, not of pages.
 */
import { OrderedTree } from "./ordered-tree.ts";

interface Region {
  readonly from: number;
  readonly to: number;
}

export class RegionMap {
  /** A subtree's summary: how many indexes it holds. */
  readonly #regions = new OrderedTree<Region, number>(
    (a, b) => a.from - b.from,
    ({ from, to }, left = 0, right = 0) => left + (to - from) + right,
  );

  has(index: number): boolean {
    const region = this.#regions.first(({ to }) => to <= index);
    return region !== undefined && region.from <= index;
  }

  /** How many indexes of [from, to) are in the map. */
  count(from: number, to: number): number {
    return this.#countBelow(to) - this.#countBelow(from);
  }

  add(from: number, to: number): void {
    if (from >= to) return;
    let [start, end] = [from, to];
    for (const region of this.#meeting(from - 1, to + 1)) {
      this.#regions.delete(region);
      start = Math.min(start, region.from);
      end = Math.max(end, region.to);
    }
    this.#regions.insert({ from: start, to: end });
  }

  remove(from: number, to: number): void {
    if (from >= to) return;
    for (const region of this.#meeting(from, to)) {
      this.#regions.delete(region);
      if (region.from < from) this.#regions.insert({ from: region.from, to: from });
      if (region.to > to) this.#regions.insert({ from: to, to: region.to });
    }
  }

  #meeting(from: number, to: number): Region[] {
    return this.#regions.within((region) => (region.to <= from ? -1 : region.from >= to ? 1 : 0));
  }

  #countBelow(index: number): number {
    let count = 0;
    for (let node = this.#regions.root; node;) {
      const { from, to } = node.item;
      if (from >= index) {
        node = node.left;
      } else {
        count += (node.left?.summary ?? 0) + Math.min(to, index) - from;
        node = node.right;
      }
    }
    return count;
  }
}
