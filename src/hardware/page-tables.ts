/**
 * Page tables as a kernel changes them: by range, in wasm. Invalidating what CPUs have cached is
 * the caller's duty. Frames for tables come from the caller and go back to it.
 */
import {
  LEAF_ACCESSED,
  LEAF_BYTES,
  LEAF_DIRTY,
  LEAF_KEPT,
  LEAF_LEVEL_MASK,
  LEAF_WRITABLE,
  RIGHTS_NONE,
  RIGHTS_U,
  RIGHTS_W,
  RIGHTS_X,
  STATUS_DONE,
  STATUS_LEAF_IN_THE_WAY,
  STATUS_NEEDS_TABLE,
  STATUS_OUTPUT_FULL,
} from "../../assembly/layout.ts";
import { type LeafLevel, USER_END } from "../address.ts";
import { type Core, EXCHANGE_WORDS, needsBacking } from "../core.ts";
import { InternalError, ResourceError } from "../errors.ts";

/** What a leaf allows; `none` keeps the leaf and denies everything (PROT_NONE). */
export interface Rights {
  readonly writable: boolean;
  readonly executable: boolean;
  readonly user: boolean;
  readonly none?: boolean;
}

/** A leaf: the page at `address` is the frame at `physicalAddress`. */
export interface Leaf {
  readonly address: number;
  readonly physicalAddress: number;
  readonly level: LeafLevel;
  readonly writable: boolean;
  readonly accessed: boolean;
  readonly dirty: boolean;
  /** Kept by the kernel, denied to all. */
  readonly kept: boolean;
}

/** Where frames of 4K for tables come from and go. */
export interface TableFrames {
  /** Physical address of a free frame other than 0; undefined if there is none. */
  allocate(): number | undefined;
  free(address: number): void;
}

const LEAF_WORDS = LEAF_BYTES / 8;
const CAPACITY = Math.floor(EXCHANGE_WORDS / LEAF_WORDS);

export class PageTables {
  readonly #core: Core;
  readonly #frames: TableFrames;

  constructor(core: Core, frames: TableFrames) {
    this.#core = core;
    this.#frames = frames;
  }

  /** An empty top-level table. Throws ResourceError if there is no frame. */
  createRoot(): number {
    this.#give();
    return this.#core.exports.takeTable();
  }

  /** Frees a root and its tables. Precondition: it maps nothing. */
  destroyRoot(root: number): void {
    this.freeTables(root, 0, USER_END);
    this.#frames.free(root);
  }

  /** Maps `count` pages of `level` from `address` to consecutive frames from `physicalAddress`. */
  install(
    root: number,
    address: number,
    level: LeafLevel,
    physicalAddress: number,
    rights: Rights,
    count = 1,
  ): void {
    const { exports } = this.#core;
    const code = encodeRights(rights);
    let done = 0;
    const bytes = 2 ** (12 + 9 * (level - 1));
    while (done < count) {
      const status = exports.install(
        root,
        address + done * bytes,
        level,
        physicalAddress + done * bytes,
        count - done,
        code,
      );
      if (status === STATUS_DONE) return;
      done = (exports.nextAddress() - address) / bytes;
      this.#resolve(status);
    }
  }

  /** The leaf that maps `address`, if any. */
  lookup(root: number, address: number): Leaf | undefined {
    return this.#core.exports.lookup(root, address) ? this.#leaf(0) : undefined;
  }

  /** Empties the leaves of [start, end); `visit` sees each. */
  remove(root: number, start: number, end: number, visit: (leaf: Leaf) => void): void {
    this.#range(start, visit, (from) => this.#core.exports.remove(root, from, end, CAPACITY));
  }

  /** Gives the leaves of [start, end) other rights; accessed and dirty flags stay. */
  protect(root: number, start: number, end: number, rights: Rights): void {
    const code = encodeRights(rights);
    this.#range(start, undefined, (from) => this.#core.exports.protect(root, from, end, code));
  }

  /** fork: copies the leaves of [start, end) to `child`, write-protected on both sides. */
  share(
    root: number,
    child: number,
    start: number,
    end: number,
    visit: (leaf: Leaf) => void,
  ): void {
    this.#range(start, visit, (from) => this.#core.exports.share(root, child, from, end, CAPACITY));
  }

  /** Visits the leaves of [start, end). */
  list(root: number, start: number, end: number, visit: (leaf: Leaf) => void): void {
    this.#range(start, visit, (from) => this.#core.exports.list(root, from, end, CAPACITY));
  }

  /** Makes the tables down to the one that holds the entry of `address` at `level`. */
  ensure(root: number, address: number, level: LeafLevel): void {
    for (;;) {
      const status = this.#core.exports.ensureTable(root, address, level);
      if (status === STATUS_DONE) return;
      this.#resolve(status);
    }
  }

  /**
   * Physical address of the table that holds the entry of `address` at `level`, if there is one.
   */
  tableAt(root: number, address: number, level: LeafLevel): number | undefined {
    return this.#core.exports.tableAt(root, address, level) || undefined;
  }

  /** Makes `table`, another root's, that table of this root too. Precondition: it has none. */
  link(root: number, address: number, level: LeafLevel, table: number): void {
    for (;;) {
      const status = this.#core.exports.linkTable(root, address, level, table);
      if (status === STATUS_DONE) return;
      this.#resolve(status);
    }
  }

  /** Takes that table out of this root. It is not freed. */
  unlink(root: number, address: number, level: LeafLevel): void {
    this.#core.exports.unlinkTable(root, address, level);
  }

  /** Frees the tables that serve only [floor, ceiling), between which nothing is mapped. */
  freeTables(root: number, floor: number, ceiling: number): void {
    const { exports } = this.#core;
    exports.freeTables(root, floor, ceiling);
    while (exports.nrTablesInStock() > 0) this.#frames.free(exports.takeTable());
  }

  #range(
    start: number,
    visit: ((leaf: Leaf) => void) | undefined,
    run: (from: number) => number,
  ): void {
    const { exports } = this.#core;
    for (let from = start; ;) {
      const status = run(from);
      const next = exports.nextAddress();
      // `visit` may call in here again, so the records are read before.
      const leaves = visit
        ? Array.from({ length: exports.nrLeaves() }, (_, i) => this.#leaf(i))
        : [];
      if (status !== STATUS_DONE) this.#resolve(status);
      for (const leaf of leaves) visit?.(leaf);
      if (status === STATUS_DONE) return;
      from = next;
    }
  }

  #leaf(index: number): Leaf {
    const words = this.#core.exchangeF64;
    const flags = words[index * LEAF_WORDS + 2];
    return {
      address: words[index * LEAF_WORDS],
      physicalAddress: words[index * LEAF_WORDS + 1],
      level: (flags & LEAF_LEVEL_MASK) as LeafLevel,
      writable: (flags & LEAF_WRITABLE) !== 0,
      accessed: (flags & LEAF_ACCESSED) !== 0,
      dirty: (flags & LEAF_DIRTY) !== 0,
      kept: (flags & LEAF_KEPT) !== 0,
    };
  }

  /** Makes it possible to go on after `status`, or throws. */
  #resolve(status: number): void {
    needsBacking(status);
    if (status === STATUS_NEEDS_TABLE) this.#give();
    else if (status === STATUS_LEAF_IN_THE_WAY) {
      throw new InternalError("a range of a page table holds whole leaves of one size");
    } else if (status !== STATUS_OUTPUT_FULL) {
      throw new InternalError(`status ${status} of a table operation is known`);
    }
  }

  #give(): void {
    const frame = this.#frames.allocate();
    if (frame === undefined) throw new ResourceError("RAM: no frame is free for a page table");
    needsBacking(this.#core.exports.giveTable(frame));
  }
}

function encodeRights(rights: Rights): number {
  if (rights.none) return RIGHTS_NONE;
  return (
    (rights.writable ? RIGHTS_W : 0) |
    (rights.user ? RIGHTS_U : 0) |
    (rights.executable ? RIGHTS_X : 0)
  );
}
