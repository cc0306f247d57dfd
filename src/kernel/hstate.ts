/**
 * The pool of one huge page size (mm/hugetlb.c: struct hstate). T total, F free, R reserved,
 * S surplus; persistent = T − S. R can fall below zero under a defective profile; it is shown as
 * the unsigned 64-bit number that a kernel shows.
 */
import { formatBytes, pageBytesOf } from "../address.ts";
import { OptionError } from "../errors.ts";
import type { EventStream } from "./event.ts";
import type { Folio, FolioTable } from "./folio.ts";
import { type PolicyHolder, boundNodes } from "./mempolicy.ts";
import { type NodeChoice, type NodeMask, type Nodes, NodeCursor } from "./nodes.ts";
import { uncharge } from "./page-counter.ts";
import type { Profile } from "./profile.ts";

export interface PoolCounters {
  /** T: pages in the pool, in use or not. */
  readonly total: number;
  /** F */
  readonly free: number;
  /** R; negative where a kernel's unsigned counter has wrapped. */
  readonly reserved: number;
  /** S: pages above the persistent pool, given back on their last use. */
  readonly surplus: number;
  readonly overcommit: number;
}

/** The same of one node; reservations are no node's. */
export type NodeCounters = Pick<PoolCounters, "total" | "free" | "surplus">;

/** A node's share of the pool: h->…_node[nid], h->hugepage_freelists[nid]. */
interface NodePool {
  /** Frames of the free pages; the last one freed is used first, as the kernel's lists do. */
  readonly freeFrames: number[];
  total: number;
  surplus: number;
}

/** Below zero where `Profile.shrinkTakesSurplus` took too many. */
function persistentOf({ total, surplus }: NodePool): number {
  return total - surplus;
}

export class Hstate {
  readonly level: 2 | 3;
  readonly pageBytes: number;
  readonly #order: number;
  readonly #profile: Profile;
  readonly #nodes: Nodes;
  readonly #folios: FolioTable;
  readonly #events: EventStream;
  readonly #current: () => PolicyHolder;
  /** By node. */
  readonly #pools: readonly NodePool[];
  readonly #nextToAllocate: NodeCursor;
  readonly #nextToFree: NodeCursor;
  #reserved = 0;
  #overcommit = 0;

  /** `current`: the task for which the kernel works. */
  constructor(
    level: 2 | 3,
    profile: Profile,
    nodes: Nodes,
    folios: FolioTable,
    events: EventStream,
    current: () => PolicyHolder,
  ) {
    this.level = level;
    this.pageBytes = pageBytesOf(level);
    this.#order = 9 * (level - 1);
    this.#profile = profile;
    this.#nodes = nodes;
    this.#folios = folios;
    this.#events = events;
    this.#current = current;
    this.#pools = Array.from({ length: nodes.count }, () => {
      return { freeFrames: [], total: 0, surplus: 0 };
    });
    this.#nextToAllocate = new NodeCursor(nodes.count);
    this.#nextToFree = new NodeCursor(nodes.count);
  }

  get counters(): PoolCounters {
    return {
      total: this.#total,
      free: this.#free,
      reserved: this.#reserved,
      surplus: this.#surplus,
      overcommit: this.#overcommit,
    };
  }

  /** Undefined for a node that there is not. */
  nodeCounters(node: number): NodeCounters | undefined {
    const pool = this.#pools.at(node);
    if (!pool) return undefined;
    return { total: pool.total, free: pool.freeFrames.length, surplus: pool.surplus };
  }

  get hasSurplus(): boolean {
    return this.#surplus > 0;
  }

  get #total(): number {
    return this.#sum(({ total }) => total);
  }

  get #free(): number {
    return this.#sum(({ freeFrames }) => freeFrames.length);
  }

  get #surplus(): number {
    return this.#sum(({ surplus }) => surplus);
  }

  get #persistent(): number {
    return this.#sum(persistentOf);
  }

  #sum(of: (pool: NodePool) => number): number {
    let sum = 0;
    for (const pool of this.#pools) sum += of(pool);
    return sum;
  }

  /**
   * available_huge_pages(): whether an unreserved fault may take a page. F − R is unsigned, so that
   * more reserved than free counts as available.
   */
  get #hasAvailable(): boolean {
    return this.#free - this.#reserved !== 0;
  }

  // ---- Reservation

  /** hugetlb_acct_memory(+n): reserves n pages, with surplus ones if need be; false is ENOMEM. */
  reserve(nrPages: number): boolean {
    if (nrPages === 0) return true;
    const needed = this.#reserved + nrPages - this.#free;
    const gathered: number[] = [];
    while (gathered.length < needed) {
      const frame = this.allocateSurplus(this.#choiceForSurplus());
      if (frame === undefined) {
        for (const surplus of gathered) this.#releaseSurplus(surplus);
        return false;
      }
      gathered.push(frame);
    }
    for (const frame of gathered) this.#poolOf(frame).freeFrames.push(frame);
    this.#reserved += nrPages;
    if (gathered.length) this.#emitSurplus(gathered.length);
    this.#emitReserve(nrPages);
    if (nrPages > this.#nrAllowed()) {
      this.unreserve(nrPages);
      return false;
    }
    return true;
  }

  /** gather_surplus_pages(): where what a reservation lacks comes from. */
  #choiceForSurplus(): NodeChoice {
    const task = this.#current();
    const near = this.#nodes.nodeOfCpu(task.cpu);
    if (!this.#profile.surplusHeedsBind) return this.#nodes.anyFrom(near);
    return { near, mask: boundNodes(this.#nodes, task), isPreference: false };
  }

  /**
   * allowed_mems_nr(): free pages of the nodes that the task is bound to; reserved ones count, and
   * the policy of the mapping does not.
   */
  #nrAllowed(): number {
    const mask = boundNodes(this.#nodes, this.#current());
    let nr = 0;
    for (const [node, { freeFrames }] of this.#pools.entries()) {
      if (mask & (1 << node)) nr += freeFrames.length;
    }
    return nr;
  }

  /**
   * hugetlb_acct_memory(−n): return_unused_surplus_pages() frees what surplus is not needed now.
   */
  unreserve(nrPages: number): void {
    if (nrPages === 0) return;
    this.#reserved -= nrPages;
    this.#emitReserve(-nrPages);
    let nrFreed = 0;
    for (let left = Math.min(nrPages, this.#surplus); left > 0; left--) {
      const frame = this.#removeFree(this.#nodes.all, ({ surplus }) => surplus > 0);
      if (frame === undefined) break;
      this.#releaseSurplus(frame);
      nrFreed++;
    }
    if (nrFreed) this.#emitSurplus(-nrFreed);
  }

  // ---- Pages

  /**
   * A page from the free lists (dequeue_hugetlb_folio_vma()). `mayUseReserved`: the caller holds a
   * reservation, or is allowed to disregard others'.
   */
  dequeue(mayUseReserved: boolean, choice: NodeChoice): number | undefined {
    if (!mayUseReserved && !this.#hasAvailable) return undefined;
    return this.#nodes.search(choice, (node) => this.#pools[node].freeFrames.pop());
  }

  /** A surplus page (alloc_surplus_hugetlb_folio()). */
  allocateSurplus(choice: NodeChoice): number | undefined {
    if (this.#surplus >= this.#overcommit) return undefined;
    const frame = this.#nodes.allocate(this.#order, choice);
    if (frame === undefined) return undefined;
    const pool = this.#poolOf(frame);
    pool.total++;
    pool.surplus++;
    return frame;
  }

  /**
   * Takes a page for a moment (alloc_hugetlb_folio_vma()): an unreserved one of the pool, or one
   * that is never counted in it, which no gigantic one is. Gives the function that returns it;
   * undefined: there is none.
   */
  takeTemporary(choice: NodeChoice): (() => void) | undefined {
    const pooled = this.dequeue(false, choice);
    if (pooled !== undefined) return () => this.#putBack(pooled);
    const frame = this.level === 2 ? this.#nodes.allocate(this.#order, choice) : undefined;
    return frame === undefined ? undefined : () => this.#nodes.free(frame, this.#order);
  }

  /** The reservation that a page was held for is used up. */
  consumeReservation(): void {
    this.#reserved--;
  }

  /** free_huge_folio(): to the pool, or, while its node has surplus, out of it. */
  free(folio: Folio): void {
    this.#folios.delete(folio);
    uncharge(folio.charges);
    // Where the quota's minimum would fall short, the page stays reserved for it.
    const restoresReservation = folio.restoresReservation || folio.subpool?.put(1) === 0;
    if (restoresReservation) this.#reserved++;
    const leaves = this.#putBack(folio.frame);
    if (this.#events.isHeard) {
      this.#events.emit({
        kind: "free",
        frame: folio.frame,
        bytes: this.pageBytes,
        to: leaves ? "buddy" : "pool",
        restoresReservation,
      });
    }
  }

  // ---- The administrator

  /**
   * set_max_huge_pages(): makes the persistent pool as near to `count` as can be, all nodes in
   * turn; with `node`, that one's share.
   */
  resize(count: number, node?: number): void {
    const mask = node === undefined ? this.#nodes.all : 1 << node;
    const goal = node === undefined ? count : this.#goalFor(this.#pools[node], count);
    while (this.#surplus > 0 && goal > this.#persistent) {
      if (!this.#adjustSurplus(this.#nextToAllocate, mask, -1)) break;
    }
    while (goal > this.#persistent && this.#grow(this.#nextToAllocate, mask));
    const kept = this.#reserved + this.#total - this.#free;
    // Unsigned: below zero it keeps them all.
    const needed = kept < 0 ? Infinity : Math.max(goal, kept);
    while (needed < this.#persistent) {
      const frame = this.#removeFree(mask, (pool) => {
        return this.#profile.shrinkTakesSurplus || persistentOf(pool) > 0;
      });
      if (frame === undefined) break;
      this.#poolOf(frame).total--;
      this.#nodes.free(frame, this.#order);
    }
    while (goal < this.#persistent && this.#adjustSurplus(this.#nextToFree, mask, 1));
    if (this.#events.isHeard) {
      const pages = node === undefined ? this.#persistent : persistentOf(this.#pools[node]);
      this.#events.emit({ kind: "resize", asked: count, pages, bytes: this.pageBytes });
    }
  }

  /** The count of all nodes with which this one has `count`. */
  #goalFor(pool: NodePool, count: number): number {
    const goal = this.#profile.nodeCountHasSurplus
      ? count + this.#total - pool.total
      : count + this.#persistent - persistentOf(pool);
    // Where other nodes have more surplus than pages, the kernel takes the sum for an overflow.
    return goal < count ? Infinity : goal;
  }

  /** adjust_pool_surplus(): one page more, or less, is surplus; false: it can be none. */
  #adjustSurplus(cursor: NodeCursor, mask: NodeMask, delta: 1 | -1): boolean {
    for (const node of cursor.visit(mask)) {
      const pool = this.#pools[node];
      if (delta < 0 ? pool.surplus === 0 : pool.surplus >= pool.total) continue;
      pool.surplus += delta;
      return true;
    }
    return false;
  }

  /** alloc_pool_huge_folio(): one page from the next node that has one. */
  #grow(cursor: NodeCursor, mask: NodeMask): boolean {
    for (const node of cursor.visit(mask)) {
      const frame = this.#nodes.allocateOn(node, this.#order);
      if (frame === undefined) continue;
      this.#pools[node].total++;
      this.#pools[node].freeFrames.push(frame);
      return true;
    }
    return false;
  }

  /** remove_pool_hugetlb_folio(): a free page of the next node that has one and is `eligible`. */
  #removeFree(mask: NodeMask, eligible: (pool: NodePool) => boolean): number | undefined {
    for (const node of this.#nextToFree.visit(mask)) {
      const pool = this.#pools[node];
      const frame = eligible(pool) ? pool.freeFrames.pop() : undefined;
      if (frame !== undefined) return frame;
    }
    return undefined;
  }

  /** Affects later allocations only. Precondition: not gigantic. */
  setOvercommit(limit: number): void {
    this.#overcommit = limit;
  }

  /** `hugepages=N` at boot: all of them or an error. */
  allocateAtBoot(count: number): void {
    const nrChunks = this.#nrBootChunks();
    if (nrChunks === undefined) {
      this.resize(count);
    } else {
      const pagesOfChunk = Math.max(1, Math.floor(count / nrChunks));
      for (let start = 0; start < count; start += pagesOfChunk) {
        const cursor = new NodeCursor(this.#nodes.count);
        const end = Math.min(count, start + pagesOfChunk);
        for (let i = start; i < end && this.#grow(cursor, this.#nodes.all); i++);
      }
    }
    if (this.#total < count) {
      throw new OptionError(
        "hugePages",
        `${count} pages of ${formatBytes(this.pageBytes)} do not fit in RAM: ${this.#total} do`,
      );
    }
  }

  /**
   * hugetlb_pages_alloc_boot(): undefined where it is done in one, and growth goes on from there.
   */
  #nrBootChunks(): number | undefined {
    const { bootChunks } = this.#profile;
    if (this.level === 3 || bootChunks === "one") return undefined;
    const { count, nrCpus } = this.#nodes;
    return bootChunks === "2 per node" ? 2 * count : Math.max(1, Math.floor(nrCpus / 4));
  }

  #poolOf(frame: number): NodePool {
    return this.#pools[this.#nodes.nodeOf(frame)];
  }

  /** To the pool, or, while its node has surplus, out of it; whether it left. */
  #putBack(frame: number): boolean {
    const pool = this.#poolOf(frame);
    // A defect: the page leaves although what min_size keeps is short of it.
    const isNeeded = this.#reserved > this.#free && !this.#profile.surplusForgetsMinimum;
    const leaves = pool.surplus > 0 && !isNeeded;
    if (leaves) this.#releaseSurplus(frame);
    else pool.freeFrames.push(frame);
    return leaves;
  }

  #releaseSurplus(frame: number): void {
    const pool = this.#poolOf(frame);
    pool.total--;
    pool.surplus--;
    this.#nodes.free(frame, this.#order);
  }

  #emitReserve(pages: number): void {
    if (this.#events.isHeard) {
      this.#events.emit({ kind: "reserve", pages, bytes: this.pageBytes });
    }
  }

  #emitSurplus(pages: number): void {
    if (this.#events.isHeard) {
      this.#events.emit({ kind: "surplus", pages, bytes: this.pageBytes });
    }
  }
}
