/**
 * NUMA nodes (mm/page_alloc.c, mm/mempolicy.c): node n has the n-th share of RAM and of the CPUs,
 * and a buddy allocator of its own. All other nodes are equally far from a node.
 */
import { PAGE_2M, PAGE_4K, formatBytes } from "../address.ts";
import { OptionError } from "../errors.ts";
import type { Machine } from "../hardware/machine.ts";
import { Buddy } from "./buddy.ts";

/** Bit n for node n. */
export type NodeMask = number;

/** Where a page may come from, and where it is looked for first. */
export interface NodeChoice {
  /** The node that the search begins at. */
  readonly near: number;
  readonly mask: NodeMask;
  /** When no node of the mask has a page: whether the others are tried. */
  readonly isPreference: boolean;
}

const NODES_MAX = 8;
const NODE_MIN = 4 * PAGE_2M;
/** The first frames of RAM are nobody's. */
export const RESERVED_BYTES = 256 * PAGE_4K;

export class Nodes {
  readonly count: number;
  /** All of them (node_states[N_MEMORY]). */
  readonly all: NodeMask;
  readonly nrCpus: number;
  readonly #nodeBytes: number;
  readonly #buddies: readonly Buddy[];

  /** Shares of RAM are multiples of 2M; the last node has the rest. Throws OptionError. */
  constructor({ ram: { bytes: end }, cpus }: Machine, count: number) {
    if (!Number.isInteger(count) || count < 1 || count > NODES_MAX) {
      throw new OptionError("nodes", `${count} is not a number of nodes, 1 to ${NODES_MAX}`);
    }
    if (end / count < NODE_MIN) {
      throw new OptionError("nodes", `each needs ${formatBytes(NODE_MIN)} of RAM at least`);
    }
    this.count = count;
    this.all = 2 ** count - 1;
    this.#nodeBytes = Math.floor(end / count / PAGE_2M) * PAGE_2M;
    this.nrCpus = cpus.length;
    this.#buddies = Array.from({ length: count }, (_, node) => {
      const lowest = Math.max(RESERVED_BYTES, node * this.#nodeBytes);
      return new Buddy(lowest, node === count - 1 ? end : (node + 1) * this.#nodeBytes);
    });
  }

  get freeBytes(): number {
    return this.#buddies.reduce((sum, { freeBytes }) => sum + freeBytes, 0);
  }

  /** page_to_nid(): the node of a physical address. */
  nodeOf(address: number): number {
    return Math.min(this.count - 1, Math.floor(address / this.#nodeBytes));
  }

  /** cpu_to_node() */
  nodeOfCpu(cpu: number): number {
    return Math.floor((cpu * this.count) / this.nrCpus);
  }

  /** Any node, nearest to `near` first. */
  anyFrom(near: number): NodeChoice {
    return { near, mask: this.all, isPreference: false };
  }

  /**
   * What `take` gives on the first node that has any (for_each_zone_zonelist_nodemask()): the one
   * that the choice begins at, then those behind it, then from node 0 on.
   */
  search<T>(choice: NodeChoice, take: (node: number) => T | undefined): T | undefined {
    const found = this.#searchMask(choice.near, choice.mask, take);
    if (found !== undefined || !choice.isPreference) return found;
    return this.#searchMask(choice.near, this.all, take);
  }

  #searchMask<T>(near: number, mask: NodeMask, take: (node: number) => T | undefined) {
    for (let i = 0; i < this.count; i++) {
      const node = (near + i) % this.count;
      const found = mask & (1 << node) ? take(node) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The address of a free block of 2^order frames; undefined if there is none. */
  allocate(order: number, choice: NodeChoice): number | undefined {
    return this.search(choice, (node) => this.allocateOn(node, order));
  }

  /** The same of one node alone (__GFP_THISNODE). */
  allocateOn(node: number, order: number): number | undefined {
    return this.#buddies[node].allocate(order);
  }

  /** Frees a block that was allocated with this order. */
  free(block: number, order: number): void {
    this.#buddies[this.nodeOf(block)].free(block, order);
  }
}

/** A place in the round of the nodes (hstate_next_node_to_alloc(), hstate_next_node_to_free()). */
export class NodeCursor {
  readonly #count: number;
  #next = 0;

  constructor(count: number) {
    this.#count = count;
  }

  /** Each node of the mask once; the next visit begins behind the last node that this one gave. */
  *visit(mask: NodeMask): Generator<number> {
    let next = this.#firstFrom(mask, this.#next);
    const first = next;
    do {
      const node = next;
      next = this.#firstFrom(mask, node + 1);
      this.#next = next;
      yield node;
    } while (next !== first);
  }

  /** next_node_in(). Precondition: the mask is not empty. */
  #firstFrom(mask: NodeMask, from: number): number {
    let node = from % this.#count;
    while (!(mask & (1 << node))) node = (node + 1) % this.#count;
    return node;
  }
}
