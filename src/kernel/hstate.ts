/**
 * The pool of one huge page size (mm/hugetlb.c: struct hstate). T total, F free, R reserved,
 * S surplus; persistent = T − S. R can fall below zero under a defective profile; it is shown as
 * the unsigned 64-bit number that a kernel shows.
 */
import { formatBytes, pageBytesOf } from "../address.ts";
import { OptionError } from "../errors.ts";
import type { Buddy } from "./buddy.ts";
import type { EventStream } from "./event.ts";
import type { Folio, FolioTable } from "./folio.ts";
import { uncharge } from "./page-counter.ts";

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

export class Hstate {
  readonly level: 2 | 3;
  readonly pageBytes: number;
  readonly #order: number;
  readonly #buddy: Buddy;
  readonly #folios: FolioTable;
  readonly #events: EventStream;
  /** Frames of the free pages; the last one freed is used first, as the kernel's lists do. */
  readonly #freeFrames: number[] = [];
  #total = 0;
  #reserved = 0;
  #surplus = 0;
  #overcommit = 0;

  constructor(level: 2 | 3, buddy: Buddy, folios: FolioTable, events: EventStream) {
    this.level = level;
    this.pageBytes = pageBytesOf(level);
    this.#order = 9 * (level - 1);
    this.#buddy = buddy;
    this.#folios = folios;
    this.#events = events;
  }

  get counters(): PoolCounters {
    return {
      total: this.#total,
      free: this.#freeFrames.length,
      reserved: this.#reserved,
      surplus: this.#surplus,
      overcommit: this.#overcommit,
    };
  }

  get hasSurplus(): boolean {
    return this.#surplus > 0;
  }

  /**
   * available_huge_pages(): whether an unreserved fault may take a page. F − R is unsigned, so that
   * more reserved than free counts as available.
   */
  get #hasAvailable(): boolean {
    return this.#freeFrames.length - this.#reserved !== 0;
  }

  // ---- Reservation

  /** hugetlb_acct_memory(+n): reserves n pages, with surplus ones if need be; false is ENOMEM. */
  reserve(nrPages: number): boolean {
    if (nrPages === 0) return true;
    const needed = this.#reserved + nrPages - this.#freeFrames.length;
    const gathered: number[] = [];
    while (gathered.length < needed) {
      const frame = this.#surplusFrame();
      if (frame === undefined) {
        for (const surplus of gathered) this.#releaseSurplus(surplus);
        return false;
      }
      gathered.push(frame);
    }
    this.#freeFrames.push(...gathered);
    this.#reserved += nrPages;
    if (gathered.length) this.#emitSurplus(gathered.length);
    this.#emitReserve(nrPages);
    // allowed_mems_nr(): with R below zero `needed` was too small.
    if (nrPages > this.#freeFrames.length) {
      this.unreserve(nrPages);
      return false;
    }
    return true;
  }

  /** hugetlb_acct_memory(−n): return_unused_surplus_pages() frees what surplus is not needed now. */
  unreserve(nrPages: number): void {
    if (nrPages === 0) return;
    this.#reserved -= nrPages;
    this.#emitReserve(-nrPages);
    let nrFreed = 0;
    for (let left = Math.min(nrPages, this.#surplus); left > 0; left--) {
      const frame = this.#freeFrames.pop();
      if (frame === undefined) break;
      this.#releaseSurplus(frame);
      nrFreed++;
    }
    if (nrFreed) this.#emitSurplus(-nrFreed);
  }

  // ---- Pages

  /**
   * A page from the free list (dequeue_hugetlb_folio_vma()). `mayUseReserved`: the caller holds a
   * reservation, or is allowed to disregard others'.
   */
  dequeue(mayUseReserved: boolean): number | undefined {
    return mayUseReserved || this.#hasAvailable ? this.#freeFrames.pop() : undefined;
  }

  /** A surplus page for a fault (alloc_surplus_hugetlb_folio()). */
  allocateSurplus(): number | undefined {
    return this.#surplusFrame();
  }

  /**
   * Takes a page for a moment (alloc_hugetlb_folio_vma()): an unreserved one of the pool, or one
   * that is never counted in it, which no gigantic one is. Gives the function that returns it;
   * undefined: there is none.
   */
  takeTemporary(): (() => void) | undefined {
    const pooled = this.dequeue(false);
    if (pooled !== undefined) return () => this.#putBack(pooled);
    const frame = this.level === 2 ? this.#buddy.allocate(this.#order) : undefined;
    return frame === undefined ? undefined : () => this.#buddy.free(frame, this.#order);
  }

  /** The reservation that a page was held for is used up. */
  consumeReservation(): void {
    this.#reserved--;
  }

  /** free_huge_folio(): to the pool, or, while there is surplus, out of it. */
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

  /** set_max_huge_pages(): makes the persistent pool as near to `count` as can be. */
  resize(count: number): void {
    while (this.#surplus > 0 && count > this.#persistent) this.#surplus--;
    while (count > this.#persistent) {
      const frame = this.#buddy.allocate(this.#order);
      if (frame === undefined) break;
      this.#total++;
      this.#freeFrames.push(frame);
    }
    const inUse = this.#total - this.#freeFrames.length;
    const needed = Math.max(count, this.#reserved + inUse);
    while (needed < this.#persistent) {
      const frame = this.#freeFrames.pop();
      if (frame === undefined) break;
      this.#total--;
      this.#buddy.free(frame, this.#order);
    }
    while (count < this.#persistent) this.#surplus++;
    if (this.#events.isHeard) {
      const pages = this.#persistent;
      this.#events.emit({ kind: "resize", asked: count, pages, bytes: this.pageBytes });
    }
  }

  /** Affects later allocations only. Precondition: not gigantic. */
  setOvercommit(limit: number): void {
    this.#overcommit = limit;
  }

  /** `hugepages=N` at boot: all of them or an error. */
  allocateAtBoot(count: number): void {
    this.resize(count);
    if (this.#total < count) {
      throw new OptionError(
        "hugePages",
        `${count} pages of ${formatBytes(this.pageBytes)} do not fit in RAM: ${this.#total} do`,
      );
    }
  }

  get #persistent(): number {
    return this.#total - this.#surplus;
  }

  #surplusFrame(): number | undefined {
    if (this.#surplus >= this.#overcommit) return undefined;
    const frame = this.#buddy.allocate(this.#order);
    if (frame === undefined) return undefined;
    this.#total++;
    this.#surplus++;
    return frame;
  }

  /** To the pool, or, while there is surplus, out of it; whether it left. */
  #putBack(frame: number): boolean {
    const leaves = this.#surplus > 0;
    if (leaves) this.#releaseSurplus(frame);
    else this.#freeFrames.push(frame);
    return leaves;
  }

  #releaseSurplus(frame: number): void {
    this.#total--;
    this.#surplus--;
    this.#buddy.free(frame, this.#order);
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
