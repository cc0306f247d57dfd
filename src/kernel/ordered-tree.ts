/**
 * An ordered collection in which each subtree knows a summary of its items, so that what takes a
 * look at all of them takes O(log n) here. A treap: a search tree by the items' order and a heap by
 * random priorities, which keep it balanced; they are the same in every run.
 */
import { InternalError } from "../errors.ts";

export interface TreeNode<Item, Summary> {
  readonly item: Item;
  /** Of the item and all below. */
  readonly summary: Summary;
  /** Items before this one. */
  readonly left: TreeNode<Item, Summary> | undefined;
  /** Items after it. */
  readonly right: TreeNode<Item, Summary> | undefined;
}

/** A node as the tree sees its own. */
interface OwnNode<Item, Summary> extends TreeNode<Item, Summary> {
  readonly priority: number;
  summary: Summary;
  left: OwnNode<Item, Summary> | undefined;
  right: OwnNode<Item, Summary> | undefined;
}

/** The summary of a node's item and of the subtrees to its left and right. */
type Summarize<Item, Summary> = (
  item: Item,
  left: Summary | undefined,
  right: Summary | undefined,
) => Summary;

export class OrderedTree<Item, Summary> {
  /** Below zero: `a` is before `b`. No two items of the tree are equal. */
  readonly #compare: (a: Item, b: Item) => number;
  readonly #summarize: Summarize<Item, Summary>;
  #root: OwnNode<Item, Summary> | undefined;
  #random = 1;

  constructor(compare: (a: Item, b: Item) => number, summarize: Summarize<Item, Summary>) {
    this.#compare = compare;
    this.#summarize = summarize;
  }

  /** Where a search by summaries begins; undefined: there are no items. */
  get root(): TreeNode<Item, Summary> | undefined {
    return this.#root;
  }

  insert(item: Item): void {
    const summary = this.#summarize(item, undefined, undefined);
    const priority = this.#nextPriority();
    this.#root = this.#insert(this.#root, {
      item,
      priority,
      summary,
      left: undefined,
      right: undefined,
    });
  }

  delete(item: Item): void {
    this.#root = this.#delete(this.#root, item);
  }

  /** An item of the tree has changed, its place in the order has not. */
  refresh(item: Item): void {
    this.#refresh(this.#root, item);
  }

  /** The first item that is not `isBefore` what is sought; those that are precede all others. */
  first(isBefore: (item: Item) => boolean): Item | undefined {
    let found: Item | undefined;
    for (let node = this.#root; node;) {
      if (isBefore(node.item)) {
        node = node.right;
      } else {
        found = node.item;
        node = node.left;
      }
    }
    return found;
  }

  /** The last item that is `isBefore` what is sought. */
  last(isBefore: (item: Item) => boolean): Item | undefined {
    let found: Item | undefined;
    for (let node = this.#root; node;) {
      if (isBefore(node.item)) {
        found = node.item;
        node = node.right;
      } else {
        node = node.left;
      }
    }
    return found;
  }

  /** In order, the items that lie neither before (below zero) nor behind (above zero) a range. */
  within(side: (item: Item) => number): Item[] {
    const found: Item[] = [];
    collect(this.#root, side, found);
    return found;
  }

  #insert(
    node: OwnNode<Item, Summary> | undefined,
    added: OwnNode<Item, Summary>,
  ): OwnNode<Item, Summary> {
    if (!node || node.priority < added.priority) {
      [added.left, added.right] = this.#split(node, added.item);
      return this.#summed(added);
    }
    if (this.#compare(added.item, node.item) < 0) node.left = this.#insert(node.left, added);
    else node.right = this.#insert(node.right, added);
    return this.#summed(node);
  }

  #delete(node: OwnNode<Item, Summary> | undefined, item: Item): typeof node {
    if (!node) throw new InternalError("only what is in a tree is deleted");
    if (node.item === item) return this.#join(node.left, node.right);
    if (this.#compare(item, node.item) < 0) node.left = this.#delete(node.left, item);
    else node.right = this.#delete(node.right, item);
    return this.#summed(node);
  }

  #refresh(node: OwnNode<Item, Summary> | undefined, item: Item): void {
    if (!node) throw new InternalError("only what is in a tree is refreshed");
    if (node.item !== item) {
      this.#refresh(this.#compare(item, node.item) < 0 ? node.left : node.right, item);
    }
    this.#summed(node);
  }

  /** What is before `item`, and what is behind it. */
  #split(node: OwnNode<Item, Summary> | undefined, item: Item): [typeof node, typeof node] {
    if (!node) return [undefined, undefined];
    if (this.#compare(item, node.item) < 0) {
      const [before, behind] = this.#split(node.left, item);
      node.left = behind;
      return [before, this.#summed(node)];
    }
    const [before, behind] = this.#split(node.right, item);
    node.right = before;
    return [this.#summed(node), behind];
  }

  /** Precondition: all of `before` is before all of `behind`. */
  #join(
    before: OwnNode<Item, Summary> | undefined,
    behind: OwnNode<Item, Summary> | undefined,
  ): typeof before {
    if (!before || !behind) return before ?? behind;
    if (before.priority > behind.priority) {
      before.right = this.#join(before.right, behind);
      return this.#summed(before);
    }
    behind.left = this.#join(before, behind.left);
    return this.#summed(behind);
  }

  /** `node`, its children's summaries being right. */
  #summed(node: OwnNode<Item, Summary>): OwnNode<Item, Summary> {
    node.summary = this.#summarize(node.item, node.left?.summary, node.right?.summary);
    return node;
  }

  /** xorshift32 */
  #nextPriority(): number {
    this.#random ^= this.#random << 13;
    this.#random ^= this.#random >>> 17;
    this.#random ^= this.#random << 5;
    return this.#random;
  }
}

function collect<Item>(
  node: TreeNode<Item, unknown> | undefined,
  side: (item: Item) => number,
  found: Item[],
): void {
  if (!node) return;
  const at = side(node.item);
  if (at >= 0) collect(node.left, side, found);
  if (at === 0) found.push(node.item);
  if (at <= 0) collect(node.right, side, found);
}
