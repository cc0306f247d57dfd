/** What a model does with one set, seen from outside: by misses alone. */
import type { Processor, Replacement } from "../../src/tlb/config.ts";
import { parseProcessor } from "../../src/tlb/parse.ts";

/** A processor with one array of one set, and nothing that a walk could find: it is made often. */
export function oneSet(ways: number, replacement: Replacement): Processor {
  const firstLevel = [{ name: "set", entries: ways, ways, replacement }];
  const structureCaches = { pml4: 0, pdpt: 0, pd: 0 };
  const processor = { name: "one-set", firstLevel, structureCaches, walkCost: { caches: [] } };
  return parseProcessor(JSON.stringify(processor), "one-set");
}

/** How often references to these pages, in a new set, miss. */
export type NrMisses = (pages: readonly number[]) => number;

/**
 * The order of a full set in which its entries leave, the last one first: entry 0 leaves last.
 * After `history`, misses are made until all have left.
 */
function evictionOrder(nrMisses: NrMisses, ways: number, history: readonly number[]): number[] {
  const staying = (candidates: readonly number[], pages: readonly number[]) => {
    const missed = nrMisses(pages);
    return candidates.filter((page) => nrMisses([...pages, page]) === missed);
  };
  let left = staying([...new Set(history)], history);
  const order: number[] = [];
  const pages = [...history];
  for (let i = 0; i < ways; i++) {
    pages.push(1_000_000 + i);
    const stillThere = staying(left, pages);
    order.unshift(...left.filter((page) => !stillThere.includes(page)));
    left = stillThere;
  }
  return order;
}

/** The vector of a hit on `position` after `history`: where the entry at k was before. */
export function permutation(
  nrMisses: NrMisses,
  ways: number,
  history: readonly number[],
  position: number,
): number[] {
  const before = evictionOrder(nrMisses, ways, history);
  const after = evictionOrder(nrMisses, ways, [...history, before[position]]);
  return after.map((page) => before.indexOf(page));
}
