/**
 * Who may take which page of a pool (mm/hugetlb.c: hugetlb_reserve_pages(), vma_has_reserves(),
 * alloc_hugetlb_folio(), hugetlb_vm_op_close()).
 */
import type { Folio } from "./folio.ts";
import type { Inode } from "./hugetlbfs.ts";
import { RegionMap } from "./region-map.ts";
import type { KernelState } from "./state.ts";
import { type Vma, fileIndex } from "./vma.ts";
import { VM_NORESERVE } from "./vm-flags.ts";

/** What mmap reserves for a new mapping; false is ENOMEM. Sets OWNER and the reservation. */
export function reserveForMmap(kernel: KernelState, vma: Vma, inode: Inode): boolean {
  const { profile } = kernel;
  if (
    vma.flags & VM_NORESERVE &&
    (profile.hearsNoreserve || profile.privateReservation === "none")
  ) {
    return true;
  }
  const from = fileIndex(vma, inode, vma.start);
  const to = fileIndex(vma, inode, vma.end);
  if (vma.isShared) return inode.reserve(from, to);
  if (profile.privateReservation === "none") return true;
  if (!inode.hstate.reserve(to - from)) return false;
  vma.isOwner = true;
  vma.reservation =
    profile.privateReservation === "map"
      ? { kind: "map", consumed: new RegionMap() }
      : { kind: "count", pages: to - from };
  return true;
}

/** vma_has_reserves(): whether a page of the pool is kept for this index of this mapping. */
function hasReservation(kernel: KernelState, vma: Vma, inode: Inode, index: number): boolean {
  if (vma.isShared) {
    if (kernel.profile.sharedFaultNeedsAvailable) return false;
    return inode.reservations.has(index);
  }
  if (!vma.isOwner || !vma.reservation) return false;
  return vma.reservation.kind === "map"
    ? !vma.reservation.consumed.has(index)
    : vma.reservation.pages > 0;
}

/** Whether taking the page lowers R although the mapping was not let at the reserved pages. */
function consumesAnyway(kernel: KernelState, vma: Vma, inode: Inode, index: number): boolean {
  return vma.isShared && kernel.profile.sharedFaultNeedsAvailable && inode.reservations.has(index);
}

/** vma_commit_reservation(): the index has had its page. */
function consume(vma: Vma, inode: Inode, index: number): void {
  if (vma.isShared) inode.reservations.add(index, index + 1);
  else if (vma.reservation?.kind === "map") vma.reservation.consumed.add(index, index + 1);
  else if (vma.reservation && vma.reservation.pages > 0) {
    vma.reservation = { kind: "count", pages: vma.reservation.pages - 1 };
  }
}

/**
 * A page for a fault of `vma` at `address`, its contents not yet set; undefined if there is none.
 * `avoidsReserve`: the owner's copy-on-write, which never uses its reservation.
 */
export function allocateHuge(
  kernel: KernelState,
  vma: Vma,
  inode: Inode,
  address: number,
  avoidsReserve: boolean,
): Folio | undefined {
  const { hstate } = inode;
  const index = fileIndex(vma, inode, address);
  const isReserved = !avoidsReserve && hasReservation(kernel, vma, inode, index);
  const takesOthers =
    vma.isShared && (vma.flags & VM_NORESERVE) !== 0 && kernel.profile.sharedNoreserveTakesReserved;
  let frame = hstate.dequeue(isReserved || takesOthers);
  const isSurplus = frame === undefined;
  frame ??= hstate.allocateSurplus();
  if (frame === undefined) return undefined;
  if (isReserved || (!avoidsReserve && consumesAnyway(kernel, vma, inode, index))) {
    hstate.consumeReservation();
  }
  if (!avoidsReserve) consume(vma, inode, index);
  if (kernel.events.isHeard) {
    const from = isSurplus ? "surplus" : isReserved ? "reservation" : "pool";
    kernel.events.emit({ kind: "allocate", frame, bytes: hstate.pageBytes, from });
  }
  return kernel.folios.create(frame, hstate.level);
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
  // Defect D1: "always" also restores for a page that others still map, so R falls short of one
  // until they are gone.
  if (when === "last mapping" && folio.mapCount > 0) return;
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
  inode.hstate.unreserve(
    reservation.kind === "map"
      ? to - from - reservation.consumed.count(from, to)
      : reservation.pages,
  );
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
