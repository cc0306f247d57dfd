/**
 * Who may take which page of a pool (mm/hugetlb.c: hugetlb_reserve_pages(), vma_has_reserves(),
 * alloc_hugetlb_folio(), hugetlb_vm_op_close()).
 */
import { chargePage, reservationPayer } from "./cgroup.ts";
import type { Folio } from "./folio.ts";
import type { Inode } from "./hugetlbfs.ts";
import { chooseNodes } from "./mempolicy.ts";
import { uncharge } from "./page-counter.ts";
import { RegionMap } from "./region-map.ts";
import type { KernelState } from "./state.ts";
import { type Vma, fileIndex } from "./vma.ts";
import { VM_NORESERVE } from "./vm-flags.ts";

/** What mmap reserves for a new mapping; false is ENOMEM. Sets OWNER and the reservation. */
export function reserveForMmap(kernel: KernelState, vma: Vma, inode: Inode): boolean {
  const { profile } = kernel;
  const isNoreserve = (vma.flags & VM_NORESERVE) !== 0;
  if (isNoreserve && (profile.hearsNoreserve || profile.privateReservation === "none")) return true;
  // A segment's pages were reserved when it was made.
  if (inode.isSegment) return true;
  const from = fileIndex(vma, inode, vma.start);
  const to = fileIndex(vma, inode, vma.end);
  const payer = reservationPayer(kernel.current, inode.hstate);
  if (vma.isShared) return inode.reserve(from, to, payer);
  if (profile.privateReservation === "none") return true;
  if (!inode.reservePages(to - from, payer)) return false;
  vma.isOwner = true;
  vma.reservation =
    profile.privateReservation === "map"
      ? { kind: "map", consumed: new RegionMap(), payer }
      : { kind: "count", pages: to - from };
  return true;
}

/** Who asks for a page: a mapping's fault, or fallocate for a file. */
type Asker = Pick<Vma, "isShared" | "flags" | "isOwner" | "reservation" | "policy">;

/** hugetlbfs_fallocate()'s pseudo_vma: what it takes is what a shared mapping would. */
const FILE: Asker = {
  isShared: true,
  flags: 0,
  isOwner: false,
  reservation: undefined,
  policy: undefined,
};

/**
 * vma_needs_reservation(): whether no page is kept for this index by the map that it belongs to.
 */
export function needsReservation(asker: Asker, inode: Inode, index: number): boolean {
  if (asker.isShared) return !inode.reservations.has(index);
  const { reservation } = asker;
  if (!reservation) return true;
  return reservation.kind === "map" ? reservation.consumed.has(index) : reservation.pages === 0;
}

/**
 * vma_has_reserves(): whether the page may be one of the reserved. `isKept`: the map or the mount's
 * minimum keeps one for it.
 */
function mayUseReserved(kernel: KernelState, asker: Asker, isKept: boolean): boolean {
  const { profile } = kernel;
  const isNoreserve = (asker.flags & VM_NORESERVE) !== 0;
  if (asker.isShared) {
    if (isNoreserve && profile.sharedNoreserveTakesReserved) return true;
    return isKept && !profile.sharedFaultNeedsAvailable;
  }
  if (profile.minimumServesAll) return isKept;
  return isKept && asker.isOwner;
}

/** vma_commit_reservation(): the index has had its page. */
function consume(asker: Asker, inode: Inode, index: number): void {
  const { reservation } = asker;
  if (asker.isShared) inode.reservations.add(index, index + 1);
  else if (reservation?.kind === "map") reservation.consumed.add(index, index + 1);
  else if (reservation && reservation.pages > 0) {
    asker.reservation = { kind: "count", pages: reservation.pages - 1 };
  }
}

/**
 * A page for a fault of `vma` at `address`, its contents not yet set; undefined if there is none,
 * in the pool or within the limits of the mount and the group. `avoidsReserve`: the owner's
 * copy-on-write, which never uses its reservation.
 */
export function allocateHuge(
  kernel: KernelState,
  vma: Vma,
  inode: Inode,
  address: number,
  avoidsReserve: boolean,
): Folio | undefined {
  return allocate(kernel, vma, inode, fileIndex(vma, inode, address), avoidsReserve);
}

/**
 * restore_reserve_on_error(): a page that `allocateHuge` gave is not used after all. `wasKept`: the
 * map had kept one for it.
 */
export function returnUnused(
  vma: Vma,
  inode: Inode,
  address: number,
  folio: Folio,
  wasKept: boolean,
): void {
  const index = fileIndex(vma, inode, address);
  const { reservation } = vma;
  if (vma.isShared && !wasKept) inode.reservations.remove(index, index + 1);
  if (wasKept && reservation?.kind === "map") reservation.consumed.remove(index, index + 1);
  folio.restoresReservation = wasKept;
  inode.hstate.free(folio);
}

/** A page for an index of a file that no fault asked for. */
export function allocateForFile(
  kernel: KernelState,
  inode: Inode,
  index: number,
): Folio | undefined {
  return allocate(kernel, FILE, inode, index, false);
}

/** alloc_hugetlb_folio() */
function allocate(
  kernel: KernelState,
  asker: Asker,
  inode: Inode,
  index: number,
  avoidsReserve: boolean,
): Folio | undefined {
  const { profile } = kernel;
  const { hstate, superblock } = inode;
  const isInMap = !needsReservation(asker, inode, index);
  const asksQuota = avoidsReserve ? profile.ownerCowAsksQuota : !isInMap;
  const { subpool } = superblock;
  const fromPool = asksQuota && subpool ? subpool.tryGet(1) : 1;
  if (fromPool === undefined) return undefined;
  const fromMinimum = fromPool === 0 && (!avoidsReserve || profile.minimumServesAll);
  const isKept = (isInMap && !avoidsReserve) || fromMinimum;
  const isReserved = mayUseReserved(kernel, asker, isKept);
  const charges = chargePage(kernel.current, hstate, !asksQuota);
  const choice = chooseNodes(kernel.nodes, kernel.current, asker.policy, index);
  let frame = charges && hstate.dequeue(isReserved, choice);
  const isSurplus = frame === undefined;
  if (charges) frame ??= hstate.allocateSurplus(choice);
  if (!charges || frame === undefined) {
    if (charges) uncharge(charges);
    if (asksQuota) subpool?.undoPage(fromPool);
    return undefined;
  }
  if (isKept && (isReserved || asker.isShared)) hstate.consumeReservation();
  if (!avoidsReserve) consume(asker, inode, index);
  if (kernel.events.isHeard) {
    const from = isSurplus ? "surplus" : isReserved ? "reservation" : "pool";
    kernel.events.emit({ kind: "allocate", frame, bytes: hstate.pageBytes, from });
  }
  return kernel.folios.create(frame, hstate.level, subpool, charges);
}

/**
 * __unmap_hugepage_range(): an anonymous page of the owner is zapped. Where the profile says so its
 * index counts as not consumed from now on, and R rises when the folio is freed. Precondition: the
 * entry is already gone from `folio.mapCount`.
 */
export function restoreOnZap(
  kernel: KernelState,
  vma: Vma,
  inode: Inode,
  address: number,
  folio: Folio,
): void {
  const { zapRestoresReservation: when } = kernel.profile;
  if (when === "never" || inode.hstate.hasSurplus || folio.isInPageCache) return;
  if (!vma.isOwner || vma.reservation?.kind !== "map") return;
  // A defect: "always" also restores for a page that others still map, so R falls short of one
  // until they are gone.
  if (when !== "always" && folio.mapCount > 0) return;
  // A page that is pinned is not free yet, either.
  if (when === "last use" && folio.nrReferences > 0) return;
  const index = fileIndex(vma, inode, address);
  vma.reservation.consumed.remove(index, index + 1);
  folio.restoresReservation = true;
}

/** hugetlb_vm_op_close(): the owner gives back what it has not consumed of this piece. */
export function closeReservation(vma: Vma, inode: Inode): void {
  const { reservation } = vma;
  if (!vma.isOwner || !reservation) return;
  const from = fileIndex(vma, inode, vma.start);
  const to = fileIndex(vma, inode, vma.end);
  if (reservation.kind === "count") {
    inode.unreservePages(reservation.pages);
    return;
  }
  reservation.payer?.uncharge(to - from);
  inode.unreservePages(to - from - reservation.consumed.count(from, to));
}

/**
 * clear_vma_resv_huge_pages(): a private mapping has neither reservation nor OWNER nor UNMAPPED any
 * more, for a copy of it has them now.
 */
export function clearReservation(vma: Vma): void {
  vma.isOwner = false;
  vma.reservation = undefined;
  vma.isUnmapped = false;
}
