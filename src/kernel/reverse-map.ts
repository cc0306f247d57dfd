/** Who maps which part of a file (i_mmap, mm/interval_tree.c). */
import type { AddressSpace } from "./address-space.ts";
import type { Inode } from "./hugetlbfs.ts";
import { OrderedTree, type TreeNode } from "./ordered-tree.ts";
import { type Vma, offsetOf } from "./vma.ts";

interface Mapping {
  readonly vma: Vma;
  readonly space: AddressSpace;
  /** Of mappings that begin at the same offset the older ones come first. */
  readonly age: number;
}

/** A file's mappings by offset. A subtree's summary: the offset at which its last mapping ends. */
type MappingTree = OrderedTree<Mapping, number>;

export class ReverseMap {
  readonly #trees = new Map<Inode, MappingTree>();
  readonly #mappings = new Map<Vma, Mapping>();
  #nrAdded = 0;

  add(inode: Inode, vma: Vma, space: AddressSpace): void {
    let tree = this.#trees.get(inode);
    if (!tree) this.#trees.set(inode, (tree = new OrderedTree(compareMappings, lastEnd)));
    const mapping = { vma, space, age: this.#nrAdded++ };
    this.#mappings.set(vma, mapping);
    tree.insert(mapping);
  }

  delete(inode: Inode, vma: Vma): void {
    const [tree, mapping] = [this.#trees.get(inode), this.#mappings.get(vma)];
    if (!tree || !mapping) return;
    this.#mappings.delete(vma);
    tree.delete(mapping);
    if (!tree.root) this.#trees.delete(inode);
  }

  /** The mapping ends elsewhere than it did. */
  resized(inode: Inode, vma: Vma): void {
    const mapping = this.#mappings.get(vma);
    if (mapping) this.#trees.get(inode)?.refresh(mapping);
  }

  /**
   * Mappings of the file's bytes [start, end), by the offset at which they begin. None may come or
   * go meanwhile.
   */
  mappings(
    inode: Inode,
    start = 0,
    end = Infinity,
  ): Iterable<readonly [vma: Vma, space: AddressSpace]> {
    return meeting(this.#trees.get(inode)?.root, start, end);
  }
}

function compareMappings(a: Mapping, b: Mapping): number {
  return a.vma.offset - b.vma.offset || a.age - b.age;
}

function lastEnd({ vma }: Mapping, left = 0, right = 0): number {
  return Math.max(offsetOf(vma, vma.end), left, right);
}

function* meeting(
  node: TreeNode<Mapping, number> | undefined,
  start: number,
  end: number,
): Generator<readonly [vma: Vma, space: AddressSpace], void> {
  if (!node || node.summary <= start) return;
  const { vma, space } = node.item;
  yield* meeting(node.left, start, end);
  if (vma.offset >= end) return;
  if (offsetOf(vma, vma.end) > start) yield [vma, space];
  yield* meeting(node.right, start, end);
}
