/** Look-ups in a B-tree, all of whose nodes are full: as it is after it was loaded in order. */
import { KIND_READ } from "../../assembly/layout.ts";
import { DATA_BASE, ROUNDS, defineProgram } from "./program.ts";
import type { ReferenceSink } from "./sink.ts";
import { Xoshiro128 } from "./xoshiro.ts";

//  A node:
//  0        8                  2048                     4096
//  +--------+------------------+------------------------+
//  | header | up to 255 keys   | up to 256 children,    |
//  |        |                  | or in a leaf 255 values|
//  +--------+------------------+------------------------+
const NODE_BYTES = 4096;
const WORD_BYTES = 8;
const KEYS_OFFSET = 8;
const CHILDREN_OFFSET = 2048;
const MOST_CHILDREN = 256;
const MOST_KEYS = MOST_CHILDREN - 1;
/** Of a look-up in a full node: the header, 8 keys, the child. */
const LOADS_A_NODE = 10;

/**
 * The levels lie one behind the other, the root first. In each node a look-up loads the header, the
 * keys that a binary search comes by, and the child, or in a leaf the value. Keys are uniformly
 * random. Left out: locks, and what nodes of a tree that grew at random have free.
 */
export const bTree = defineProgram(
  { name: "b-tree", title: "look-ups of random keys in a B-tree with nodes of 4 KiB" },
  function* (sink, { bytes, seed }) {
    const random = Xoshiro128.fromSeed(seed);
    const tree = new Tree(Math.floor(bytes / NODE_BYTES));
    for (;;) {
      for (let i = 0; i < ROUNDS; i += LOADS_A_NODE * tree.depth) {
        tree.lookUp(random.below(tree.nrLeaves), random.below(MOST_KEYS), sink);
      }
      yield;
    }
  },
);

interface Level {
  readonly nrNodes: number;
  readonly address: number;
  /** Leaves below each node; 1 for a leaf. */
  readonly nrLeaves: number;
}

export class Tree {
  readonly nrLeaves: number;
  /** The root first. */
  readonly #levels: readonly Level[];

  /** The largest tree of at most so many nodes. */
  constructor(nrNodes: number) {
    // Above n leaves are at least (n − 1) / 255 nodes.
    let nrLeaves = Math.floor((MOST_KEYS * nrNodes + 1) / MOST_CHILDREN);
    while (sum(levelSizes(nrLeaves)) > nrNodes) nrLeaves--;
    this.nrLeaves = nrLeaves;
    const sizes = levelSizes(nrLeaves);
    this.#levels = sizes.map((nrNodes, i) => ({
      nrNodes,
      address: DATA_BASE + sum(sizes.slice(0, i)) * NODE_BYTES,
      nrLeaves: MOST_CHILDREN ** (sizes.length - 1 - i),
    }));
  }

  get depth(): number {
    return this.#levels.length;
  }

  /** The loads of a look-up of the key at this place of this leaf. */
  lookUp(leaf: number, place: number, sink: ReferenceSink): void {
    const levels = this.#levels;
    for (let i = 0; i < levels.length; i++) {
      const node = Math.floor(leaf / levels[i].nrLeaves);
      const address = levels[i].address + node * NODE_BYTES;
      if (i === levels.length - 1) return search(address, MOST_KEYS, place, sink);
      const { nrNodes, nrLeaves } = levels[i + 1];
      const nrChildren = Math.min(MOST_CHILDREN, nrNodes - node * MOST_CHILDREN);
      search(address, nrChildren - 1, Math.floor(leaf / nrLeaves) % MOST_CHILDREN, sink);
    }
  }
}

/** The loads in a node: so many of its keys are below the key looked for. */
function search(address: number, nrKeys: number, nrBelow: number, sink: ReferenceSink): void {
  sink.refer(address, KIND_READ, WORD_BYTES);
  let from = 0;
  let end = nrKeys;
  while (from < end) {
    const middle = (from + end) >>> 1;
    sink.refer(address + KEYS_OFFSET + middle * WORD_BYTES, KIND_READ, WORD_BYTES);
    if (middle < nrBelow) from = middle + 1;
    else end = middle;
  }
  sink.refer(address + CHILDREN_OFFSET + nrBelow * WORD_BYTES, KIND_READ, WORD_BYTES);
}

/** Nodes a level, the root's first. */
function levelSizes(nrLeaves: number): number[] {
  const sizes = [nrLeaves];
  while (sizes[0] > 1) sizes.unshift(Math.ceil(sizes[0] / MOST_CHILDREN));
  return sizes;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
