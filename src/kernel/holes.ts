/** The holes between the mappings of an address space, found by their size. */
import type { TreeNode } from "./ordered-tree.ts";
import type { Vma } from "./vma.ts";

/** What a subtree of mappings, in order of their addresses, knows of the holes between them. */
export interface Holes {
  /** Start of its first mapping. */
  readonly start: number;
  /** End of its last one. */
  readonly end: number;
  /** Bytes of the largest hole between two of them. */
  readonly largest: number;
}

export function summarizeHoles(vma: Vma, left: Holes | undefined, right: Holes | undefined): Holes {
  let largest = 0;
  if (left) largest = Math.max(left.largest, vma.start - left.end);
  if (right) largest = Math.max(largest, right.largest, right.start - vma.end);
  return { start: left?.start ?? vma.start, end: right?.end ?? vma.end, largest };
}

interface Hole {
  readonly start: number;
  readonly end: number;
}

/**
 * The highest or lowest hole of at least `needed` bytes in [low, high), of which only what lies in
 * there counts (mas_empty_area_rev(), mas_empty_area()).
 */
export function findHole(
  node: TreeNode<Vma, Holes> | undefined,
  which: "highest" | "lowest",
  needed: number,
  low: number,
  high: number,
): Hole | undefined {
  if (high - low < needed) return undefined;
  if (!node) return { start: low, end: high };
  const { item, summary, left, right } = node;
  if (Math.max(summary.largest, summary.start - low, high - summary.end) < needed) return undefined;
  const below = (): Hole | undefined =>
    findHole(left, which, needed, low, Math.min(high, item.start));
  const above = (): Hole | undefined =>
    findHole(right, which, needed, Math.max(low, item.end), high);
  return which === "highest" ? (above() ?? below()) : (below() ?? above());
}
