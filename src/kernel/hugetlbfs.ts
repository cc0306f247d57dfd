/** Files of huge pages (fs/hugetlbfs/inode.c): size, page cache, and who has reserved what. */
import type { Folio } from "./folio.ts";
import type { Hstate } from "./hstate.ts";
import { RegionMap } from "./region-map.ts";

export class Inode {
  readonly hstate: Hstate;
  /** i_size in bytes. */
  size: number;
  /** Of shared mappings: indexes that are reserved or instantiated. */
  readonly reservations = new RegionMap();
  /** The page cache, by index in huge pages. */
  readonly pages = new Map<number, Folio>();
  /** Mappings, open descriptors, and system calls that have not returned yet. */
  #nrUsers = 0;

  constructor(hstate: Hstate, size: number) {
    this.hstate = hstate;
    this.size = size;
  }

  /** hugetlb_reserve_pages(), shared: false is ENOMEM. Indexes reserved before add nothing. */
  reserve(from: number, to: number): boolean {
    const added = to - from - this.reservations.count(from, to);
    if (!this.hstate.reserve(added)) return false;
    this.reservations.add(from, to);
    return true;
  }

  /** One more user. */
  get(): void {
    this.#nrUsers++;
  }

  /** One user less; the inode dies with the last. */
  put(): void {
    if (--this.#nrUsers === 0) this.#evict();
  }

  /** hugetlbfs_evict_inode(): pages and reservations go. Precondition: nothing maps them. */
  #evict(): void {
    const nrPages = this.pages.size;
    const nrIndexes = this.reservations.count(0, Number.MAX_SAFE_INTEGER);
    for (const folio of this.pages.values()) {
      folio.isInPageCache = false;
      this.hstate.free(folio);
    }
    this.pages.clear();
    // hugetlb_unreserve_pages(): what was instantiated held no reservation any more.
    this.hstate.unreserve(nrIndexes - nrPages);
  }
}
