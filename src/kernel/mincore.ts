/** mincore (mm/mincore.c). */
import { PAGE_4K, roundDown, roundUp } from "../address.ts";
import { traceWalk } from "../hardware/inspect.ts";
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
    if (vma.inode && vma.isShared) {
      cachedInHoles(kernel, space, vma, vma.inode, start, stop).forEach(count);
    }
  }
  return nr;
}

/** mincore_unmapped_range(): where not even a table for its entry is, the page cache is asked. */
function cachedInHoles(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  inode: Inode,
  start: number,
  end: number,
): number[] {
  const { pageBytes: bytes, level } = inode.hstate;
  return inode
    .cachedIn(fileIndex(vma, inode, start), fileIndex(vma, inode, end))
    .map((index) => vma.start + index * bytes - vma.offset)
    .filter((page) => !hasTable(page));

  function hasTable(page: number): boolean {
    const reach = bytes * 512;
    // Where a process has its stack there are tables, though the stack is not modelled.
    if (roundDown(page, reach) === roundDown(TASK_SIZE, reach)) return true;
    return traceWalk(kernel.machine.ram, space.root, page).some((step) => step.level === level);
  }
}
