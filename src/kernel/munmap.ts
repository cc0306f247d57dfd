/**
 * munmap: pages go first, then mappings and what they hold (mm/vma.c: vms_complete_munmap_vmas()).
 */
import { PAGE_4K, roundUp } from "../address.ts";
import { type AddressSpace, TASK_SIZE } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { Gather } from "./gather.ts";
import type { KernelState } from "./state.ts";
import type { Vma } from "./vma.ts";
import { closeVma, splitAt } from "./pieces.ts";
import { zap } from "./zap.ts";

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
