/**
 * Mappings begin, are split at a border, change in part and end (mm/vma.c), with what they hold of
 * a file (mm/hugetlb.c: hugetlb_vm_op_open(), hugetlb_vm_op_split(), hugetlb_vm_op_close()).
 */
import { PAGE_1G } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import { closeReservation } from "./reservation.ts";
import { unshareTables } from "./shared-tables.ts";
import type { KernelState } from "./state.ts";
import type { Vma } from "./vma.ts";

/** hugetlb_vm_op_close(): its reservation returns. */
export function closeVma(kernel: KernelState, vma: Vma): void {
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
 * vma_modify(): gives [start, stop) of one mapping other protection, flags or policy; the mapping
 * that it belongs to now, or undefined where a border lies inside a huge page (EINVAL).
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
