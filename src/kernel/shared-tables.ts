/**
 * Processes that map an aligned 1 GiB of a file alike share the table of its 2M pages
 * (mm/hugetlb.c: huge_pmd_share(), huge_pmd_unshare()).
 */
import { PAGE_1G, roundDown } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Inode } from "./hugetlbfs.ts";
import { type KernelState, invalidate } from "./state.ts";
import { type Vma, isSameProtection, offsetOf } from "./vma.ts";
import { VM_LOCKED, VM_UFFD_MINOR, VM_UFFD_WP } from "./vm-flags.ts";

/** The level of the tables that are shared: each serves 1 GiB. */
const LEVEL = 2;

/** Tables that several address spaces have, by address: how many do. */
export type SharedTables = Map<number, number>;

/** Whether the table that serves `address` is another's as well (hugetlb_pmd_shared()). */
export function isTableShared(kernel: KernelState, space: AddressSpace, address: number): boolean {
  return kernel.sharedTables.size > 0 && sharedTableAt(kernel, space, address) !== undefined;
}

function sharedTableAt(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
): number | undefined {
  const table = kernel.tables.tableAt(space.root, address, LEVEL);
  return table !== undefined && kernel.sharedTables.has(table) ? table : undefined;
}

/**
 * huge_pte_alloc(): the table for a huge page at `address`, another's where one will do, a new one
 * where there is none.
 */
export function ensureTable(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  inode: Inode,
  address: number,
): void {
  const { level } = inode.hstate;
  const isShareable = level === LEVEL && canShare(vma, address);
  if (isShareable && kernel.tables.tableAt(space.root, address, level) === undefined) {
    const table = findTable(kernel, vma, inode, address);
    if (table !== undefined) {
      kernel.tables.link(space.root, address, level, table);
      kernel.sharedTables.set(table, (kernel.sharedTables.get(table) ?? 1) + 1);
      return;
    }
  }
  kernel.tables.ensure(space.root, address, level);
}

/** vma_shareable(): whether all of the aligned 1 GiB around is the shared mapping's. */
function canShare(vma: Vma, address: number): boolean {
  // uffd_disable_huge_pmd_share()
  if (vma.flags & (VM_UFFD_WP | VM_UFFD_MINOR)) return false;
  const base = roundDown(address, PAGE_1G);
  return vma.isShared && base >= vma.start && base + PAGE_1G <= vma.end;
}

/** page_table_shareable(): the table of a mapping that has the same place in the file alike. */
function findTable(
  kernel: KernelState,
  vma: Vma,
  inode: Inode,
  address: number,
): number | undefined {
  const offset = offsetOf(vma, address);
  for (const [other, space] of kernel.reverseMap.mappings(inode, offset, offset + 1)) {
    if (other === vma || !isAlike(vma, other)) continue;
    const at = other.start + (offset - other.offset);
    if (!canShare(other, at) || at % PAGE_1G !== address % PAGE_1G) continue;
    const table = kernel.tables.tableAt(space.root, at, LEVEL);
    if (table !== undefined) return table;
  }
  return undefined;
}

function isAlike(a: Vma, b: Vma): boolean {
  const flags = (vma: Vma): number => vma.flags & ~VM_LOCKED;
  return isSameProtection(a.protection, b.protection) && flags(a) === flags(b);
}

/** huge_pmd_unshare(): the 1 GiB around `address` is without a table; false: it is not shared. */
function unshareTable(kernel: KernelState, space: AddressSpace, address: number): boolean {
  const table = sharedTableAt(kernel, space, address);
  if (table === undefined) return false;
  const base = roundDown(address, PAGE_1G);
  kernel.tables.unlink(space.root, address, LEVEL);
  const nrLeft = (kernel.sharedTables.get(table) ?? 0) - 1;
  if (nrLeft > 1) kernel.sharedTables.set(table, nrLeft);
  else kernel.sharedTables.delete(table);
  invalidate(kernel, space, base, base + PAGE_1G);
  return true;
}

/**
 * Unshares the tables of [start, end), for what is done there is to be done to this address space
 * alone. Entries of a table that was shared are gone from it.
 */
export function unshareTables(
  kernel: KernelState,
  space: AddressSpace,
  start: number,
  end: number,
): void {
  if (kernel.sharedTables.size === 0) return;
  for (let at = start; at < end; at = roundDown(at, PAGE_1G) + PAGE_1G) {
    unshareTable(kernel, space, at);
  }
}
