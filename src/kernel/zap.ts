/**
 * Entries of a range go (mm/memory.c: unmap_page_range(), mm/hugetlb.c: __unmap_hugepage_range()).
 */
import type { AddressSpace } from "./address-space.ts";
import { bytesOf } from "./folio.ts";
import { Gather } from "./gather.ts";
import type { Mark } from "./page-marks.ts";
import { restoreOnZap } from "./reservation.ts";
import { unshareTables } from "./shared-tables.ts";
import { type KernelState, invalidate, folioOf } from "./state.ts";
import type { Vma } from "./vma.ts";

/**
 * Empties the entries of [start, end) in `vma` (unmap_page_range(), __unmap_hugepage_range()). What
 * they pointed at is in use until `gather` is finished.
 */
export function zap(
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
    const folio = folioOf(kernel, leaf);
    if (!folio) return;
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
 * stay protected for a userfaultfd, unless they are gone for good (ZAP_FLAG_DROP_MARKER), and
 * guards stay whatever happens.
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
