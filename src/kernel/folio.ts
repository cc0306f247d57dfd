/** What the kernel knows of a frame in use: one folio for a page of 4K, 2M or 1G. */
import { type LeafLevel, pageBytesOf } from "../address.ts";
import { InternalError } from "../errors.ts";
import type { PageCounter } from "./page-counter.ts";
import type { Subpool } from "./subpool.ts";

export interface Folio {
  /** Physical address of its first byte. */
  readonly frame: number;
  readonly level: LeafLevel;
  /** Identifies the folio among all that ever were. */
  readonly life: number;
  /** Entries of page tables that point at it. */
  mapCount: number;
  /** References of those who do not map it: pipes and I/O. It is not freed while there are any. */
  nrReferences: number;
  /** Those of them that may write at any time (FOLL_PIN): fork must not share the page. */
  nrPins: number;
  /** Of an anonymous page: no fork has shared it (PageAnonExclusive()). */
  isExclusive: boolean;
  /** Whether a page cache holds it; otherwise it is anonymous. */
  isInPageCache: boolean;
  /** The mount's quota that it counts in. */
  readonly subpool: Subpool | undefined;
  /** Counters of groups that it is charged to. */
  readonly charges: readonly PageCounter[];
  /** When it is freed, R rises by one (folio_test_hugetlb_restore_reserve()). */
  restoresReservation: boolean;
}

/** A page that is held: 4K, or the whole huge page around them. */
export interface HeldPage {
  /** Undefined: the frame of zeros, which nobody frees. */
  readonly folio: Folio | undefined;
  /** Physical address of the 4K. */
  readonly frame: number;
}

export class FolioTable {
  readonly #byFrame = new Map<number, Folio>();
  readonly #alive = new Set<number>();
  #lives = 0;

  create(
    frame: number,
    level: LeafLevel,
    subpool?: Subpool,
    charges: readonly PageCounter[] = [],
  ): Folio {
    if (this.#byFrame.has(frame)) throw new InternalError("a frame in use is not allocated");
    const folio: Folio = {
      frame,
      level,
      life: ++this.#lives,
      mapCount: 0,
      nrReferences: 0,
      nrPins: 0,
      isExclusive: true,
      isInPageCache: false,
      subpool,
      charges,
      restoresReservation: false,
    };
    this.#byFrame.set(frame, folio);
    this.#alive.add(folio.life);
    return folio;
  }

  /** Precondition: the frame is in use. */
  at(frame: number): Folio {
    const folio = this.#byFrame.get(frame);
    if (!folio) throw new InternalError("a mapped frame is in use");
    return folio;
  }

  delete(folio: Folio): void {
    if (folio.mapCount !== 0) throw new InternalError("a mapped frame is not freed");
    if (folio.nrReferences !== 0) throw new InternalError("a frame in use is not freed");
    this.#byFrame.delete(folio.frame);
    this.#alive.delete(folio.life);
  }

  isAlive(life: number): boolean {
    return this.#alive.has(life);
  }

  values(): Iterable<Folio> {
    return this.#byFrame.values();
  }
}

export function bytesOf(folio: Folio): number {
  return pageBytesOf(folio.level);
}
