/** munmap: pages go first, then mappings and what they hold (mm/vma.c, mm/hugetlb.c). */
import { PAGE_1G, PAGE_4K, roundUp } from "../address.ts";
import { type AddressSpace, TASK_SIZE } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { bytesOf } from "./folio.ts";
import { Gather } from "./gather.ts";
import type { Mark } from "./page-marks.ts";
import { closeReservation, restoreOnZap } from "./reservation.ts";
import { unshareTables } from "./shared-tables.ts";
import { type KernelState, invalidate } from "./state.ts";
import type { Vma } from "./vma.ts";

/**
 * Empties the entries of [start, end) in `vma` (unmap_page_range(), __unmap_hugepage_range()). What
 * they pointed at is in use until `gather` is finished.
 */
function zap(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  end: number,
  gather: Gather,
  keptMark: Mark | undefined,
): void {
  unshareTables(kernel, space, start, end);
  let nrGone = 0;
  kernel.tables.remove(space.root, start, end, (leaf) => {
    nrGone++;
    if (leaf.physicalAddress === kernel.zeroFrame) return;
    const folio = kernel.folios.at(leaf.physicalAddress);
    folio.mapCount--;
    if (folio.level > 1) space.hugetlbBytes -= bytesOf(folio);
    if (vma.inode) restoreOnZap(kernel, vma, vma.inode, leaf.address, folio);
    gather.add(folio);
  });
  if (nrGone > 0) invalidate(kernel, space, start, end);
  space.marks.clearAllBut(start, end, keptMark);
}

/**
 * zap_page_range_single(): empties [start, end) of one mapping and frees what was there. Huge pages
 * stay protected for a userfaultfd, unless they are gone for good (ZAP_FLAG_DROP_MARKER), and guards
 * stay whatever happens.
 */
export function zapSingle(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  end: number,
  isForGood = false,
): void {
  const gather = new Gather();
  const ofHuge = isForGood ? undefined : "write-protected";
  zap(kernel, space, vma, start, end, gather, vma.inode ? ofHuge : "guard");
  gather.finish(kernel);
}

/** hugetlb_vm_op_close(): its reservation returns. */
function closeVma(kernel: KernelState, vma: Vma): void {
  const { inode } = vma;
  if (!inode) return;
  kernel.reverseMap.delete(inode, vma);
  closeReservation(vma, inode);
}

/** A mapping, or a piece of one, begins to exist. */
export function openVma(kernel: KernelState, space: AddressSpace, vma: Vma): void {
  if (!vma.inode) return;
  vma.inode.get();
  kernel.reverseMap.add(vma.inode, vma, space);
}

/**
 * Makes `address` a border; false: it lies inside a huge page (EINVAL). A table can only be shared
 * where all of its 1 GiB is one mapping's (hugetlb_split()).
 */
export function splitAt(kernel: KernelState, space: AddressSpace, address: number): boolean {
  if (address % PAGE_1G !== 0) unshareTables(kernel, space, address, address + 1);
  const split = space.splitAt(address);
  if (split === false) return false;
  if (split) {
    const { lower, upper } = split;
    if (lower.inode) kernel.reverseMap.resized(lower.inode, lower);
    openVma(kernel, space, upper);
  }
  return true;
}

/**
 * vma_modify(): gives [start, stop) of one mapping other protection, flags or policy; the mapping that it
 * belongs to now, or undefined where a border lies inside a huge page (EINVAL).
 */
export function modifyVma(
  kernel: KernelState,
  space: AddressSpace,
  start: number,
  stop: number,
  change: Partial<Pick<Vma, "protection" | "flags" | "policy" | "userfaultfd">>,
): Vma | undefined {
  if (!splitAt(kernel, space, start) || !splitAt(kernel, space, stop)) return undefined;
  const piece = space.find(start);
  return piece && space.merge(Object.assign(piece, change));
}

/** Removes whole mappings: all entries of all of them first, then their pages. */
export function removeVmas(kernel: KernelState, space: AddressSpace, vmas: readonly Vma[]): void {
  const gather = new Gather();
  for (const vma of vmas) zap(kernel, space, vma, vma.start, vma.end, gather, undefined);
  gather.finish(kernel);
  for (const vma of vmas) space.delete(vma);
  if (vmas.length > 0) {
    const hole = space.holeAround(vmas[0].start, vmas[vmas.length - 1].end);
    kernel.tables.freeTables(space.root, hole.floor, hole.ceiling);
  }
  for (const vma of vmas) closeVma(kernel, vma);
  // task_work_run(): the last of several deferred fput() is the first.
  const users = kernel.profile.defersFput ? vmas.toReversed() : vmas;
  for (const { inode } of users) inode?.put();
}

/** Length 0 and unaligned addresses are EINVAL, and so is a border inside a huge page. */
export function munmap(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
): "ok" | Errno {
  const end = address + roundUp(length, PAGE_4K);
  if (address % PAGE_4K !== 0 || length === 0 || end > TASK_SIZE) return "EINVAL";
  if (!splitAt(kernel, space, address)) return "EINVAL";
  if (!splitAt(kernel, space, end)) return "EINVAL";
  removeVmas(kernel, space, space.overlapping(address, end));
  return "ok";
}
