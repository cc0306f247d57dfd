/** Files of huge pages (fs/hugetlbfs/inode.c): size, page cache, and who has reserved what. */
import type { Permissions } from "./credentials.ts";
import type { Folio } from "./folio.ts";
import type { Hstate } from "./hstate.ts";
import type { PageCounter } from "./page-counter.ts";
import { RegionMap } from "./region-map.ts";
import { ReservationPayers } from "./reservation-payers.ts";
import { F_SEAL_SEAL } from "./seals.ts";
import type { Subpool } from "./subpool.ts";

/** More than any index. */
const INDEX_END = Number.MAX_SAFE_INTEGER;

/** Where a file lives. */
export interface Superblock {
  /** The mount's quota; undefined: none. */
  readonly subpool: Subpool | undefined;
  /** Called when an inode of it dies. */
  readonly onDeath?: () => void;
}

/** The kernel's own mount, of anonymous memory, memfd and SysV segments: without limits. */
const INTERNAL: Superblock = { subpool: undefined };

export class Inode {
  readonly hstate: Hstate;
  readonly superblock: Superblock;
  /** i_size in bytes. */
  size: number;
  /** F_SEAL_ bits; what is no memfd can have no more. */
  seals = F_SEAL_SEAL;
  /** Whose it is; what has no name is asked of nobody. */
  permissions: Permissions = { uid: 0, gid: 0, mode: 0o644 };
  /** As maps shows it (d_path()). */
  path = "/anon_hugepage (deleted)";
  /** Names in directories. */
  nrLinks = 0;
  /** S_PRIVATE: a SysV segment, whose pages were reserved when it was made. */
  readonly isSegment: boolean;
  /** Of shared mappings: indexes that are reserved or instantiated. */
  readonly reservations = new RegionMap();
  readonly #payers = new ReservationPayers();
  /** The page cache, by index in huge pages. */
  readonly pages = new Map<number, Folio>();
  /** Mappings, open files, names, and system calls that have not returned yet. */
  #nrUsers = 0;

  constructor(hstate: Hstate, size: number, superblock = INTERNAL, isSegment = false) {
    this.hstate = hstate;
    this.size = size;
    this.superblock = superblock;
    this.isSegment = isSegment;
  }

  /** Whether anything but its names keeps it. */
  get isBusy(): boolean {
    return this.#nrUsers > this.nrLinks;
  }

  /**
   * hugetlb_reserve_pages(), shared: false is ENOMEM. Indexes reserved before add nothing, for the
   * pool and for `payer`.
   */
  reserve(from: number, to: number, payer: PageCounter | undefined): boolean {
    const added = to - from - this.reservations.count(from, to);
    if (!this.reservePages(added, payer)) return false;
    if (payer) this.#payers.add(payer, from, to, this.reservations);
    this.reservations.add(from, to);
    return true;
  }

  /** n pages within the payer's limit, of the mount's quota and of the pool; false: not of all. */
  reservePages(n: number, payer: PageCounter | undefined): boolean {
    if (payer && !payer.tryCharge(n)) return false;
    if (this.#reserveUncharged(n)) return true;
    payer?.uncharge(n);
    return false;
  }

  #reserveUncharged(n: number): boolean {
    const { subpool } = this.superblock;
    const fromPool = subpool ? subpool.tryGet(n) : n;
    if (fromPool === undefined) return false;
    if (this.hstate.reserve(fromPool)) return true;
    subpool?.undoReservation(n, fromPool);
    return false;
  }

  /** n reservations of its are not needed any more. */
  unreservePages(n: number): void {
    this.hstate.unreserve(this.superblock.subpool?.put(n) ?? n);
  }

  /** hugetlb_add_to_page_cache() */
  addPage(index: number, folio: Folio): void {
    folio.isInPageCache = true;
    this.pages.set(index, folio);
  }

  /**
   * remove_inode_hugepages() with an end: the pages of [from, to) leave the file and its map. Empty
   * indexes keep their reservations. Precondition: nothing maps them.
   */
  punch(from: number, to: number): void {
    for (const index of this.cachedIn(from, to)) {
      this.#removePage(index);
      this.#forgetReservations(index, index + 1, 1);
    }
  }

  /** remove_inode_hugepages() to the end of the file: pages and reservations. */
  truncatePages(from: number): void {
    const cached = this.cachedIn(from, INDEX_END);
    for (const index of cached) this.#removePage(index);
    this.#forgetReservations(from, INDEX_END, cached.length);
  }

  /** One more user. */
  get(): void {
    this.#nrUsers++;
  }

  /** One user less; with the last it dies (hugetlbfs_evict_inode()): pages and reservations go. */
  put(): void {
    if (--this.#nrUsers > 0) return;
    this.truncatePages(0);
    this.superblock.onDeath?.();
  }

  /** Indexes of [from, to) that have a page: walks the range or the cache, whichever is shorter. */
  cachedIn(from: number, to: number): number[] {
    if (to - from > this.pages.size) {
      const indexes = [...this.pages.keys()].filter((index) => index >= from && index < to);
      return indexes.toSorted((a, b) => a - b);
    }
    const indexes: number[] = [];
    for (let index = from; index < to; index++) if (this.pages.has(index)) indexes.push(index);
    return indexes;
  }

  #removePage(index: number): void {
    const folio = this.pages.get(index);
    if (!folio) return;
    this.pages.delete(index);
    folio.isInPageCache = false;
    // A page that a pipe or I/O refers to goes with its last reference.
    if (folio.nrReferences === 0) this.hstate.free(folio);
  }

  /** hugetlb_unreserve_pages(): what was instantiated held no reservation any more. */
  #forgetReservations(from: number, to: number, nrFreed: number): void {
    const nrIndexes = this.reservations.count(from, to);
    this.reservations.remove(from, to);
    this.#payers.remove(from, to);
    this.unreservePages(nrIndexes - nrFreed);
  }
}
