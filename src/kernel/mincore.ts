/** mincore (mm/mincore.c). */
import { PAGE_4K, roundDown, roundUp } from "../address.ts";
import { type AddressSpace, TASK_SIZE } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import type { Inode } from "./hugetlbfs.ts";
import type { KernelState } from "./state.ts";
import { type Vma, fileIndex, pageBytes } from "./vma.ts";

/** Resident pages of 4K in the range, all of which must be mapped. */
export function mincore(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
): number | Errno {
  if (address % PAGE_4K !== 0) return "EINVAL";
  const end = address + roundUp(length, PAGE_4K);
  if (!space.covers(address, end)) return "ENOMEM";
  let nr = 0;
  for (const vma of space.overlapping(address, end)) {
    const bytes = pageBytes(vma);
    // A huge page may begin before the range and end behind it.
    const count = (page: number): void => {
      nr += Math.max(0, Math.min(end, page + bytes) - Math.max(address, page)) / PAGE_4K;
    };
    const start = Math.max(vma.start, roundDown(address, bytes));
    const stop = Math.min(vma.end, roundUp(end, bytes));
    kernel.tables.list(space.root, start, stop, (leaf) => count(leaf.address));
    if (!vma.inode || !vma.isShared) continue;
    const hole = { kernel, space, vma, inode: vma.inode, start, end: stop };
    if (kernel.profile.mincoreMixesIndexes) {
      nr += countMixed(hole, Math.max(vma.start, address), Math.min(vma.end, end));
    } else {
      cachedInHoles(hole).forEach(count);
    }
  }
  return nr;
}

/** Whole pages of a shared mapping, some of which may have no table for their entry. */
interface Range {
  readonly kernel: KernelState;
  readonly space: AddressSpace;
  readonly vma: Vma;
  readonly inode: Inode;
  readonly start: number;
  readonly end: number;
}

/** mincore_unmapped_range(): where not even a table for its entry is, the page cache is asked. */
function cachedInHoles(range: Range): number[] {
  const { vma, inode, start, end } = range;
  return inode
    .cachedIn(fileIndex(vma, inode, start), fileIndex(vma, inode, end))
    .map((index) => addressOf(range, index))
    .filter((page) => !hasTable(range, page));
}

/**
 * The same before 6.7: the page cache knew a huge page by its index in huge pages, and was asked
 * for as many of them, from there on, as there are pages of 4K from `from` to `to` in each.
 */
function countMixed(range: Range, from: number, to: number): number {
  const { vma, inode, start, end } = range;
  const { pageBytes: bytes } = inode.hstate;
  const [first, last] = [fileIndex(vma, inode, start), fileIndex(vma, inode, end)];
  let nr = 0;
  for (const index of inode.cachedIn(first, last + bytes / PAGE_4K)) {
    const lowest = Math.max(first, index - bytes / PAGE_4K + 1);
    for (let asked = lowest; asked <= index && asked < last; asked++) {
      const page = addressOf(range, asked);
      const nrAsked = (Math.min(to, page + bytes) - Math.max(from, page)) / PAGE_4K;
      if (index - asked < nrAsked && !hasTable(range, page)) nr++;
    }
  }
  return nr;
}

function addressOf({ vma, inode }: Range, index: number): number {
  return vma.start + index * inode.hstate.pageBytes - vma.offset;
}

function hasTable({ kernel, space, inode }: Range, page: number): boolean {
  const { pageBytes: bytes, level } = inode.hstate;
  const reach = bytes * 512;
  // Where a process has its stack there are tables, though the stack is not modelled.
  if (roundDown(page, reach) === roundDown(TASK_SIZE, reach)) return true;
  return kernel.tables.tableAt(space.root, page, level) !== undefined;
}
