/** mlock (mm/mlock.c). Huge memory it only populates: that cannot be swapped anyway. */
import { PAGE_4K, roundDown, roundUp } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { modifyVma } from "./munmap.ts";
import { populate } from "./page-fault.ts";
import type { KernelState } from "./state.ts";
import { VM_LOCKED, withFlags } from "./vm-flags.ts";

export function mlock(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
): "ok" | Errno {
  const start = roundDown(address, PAGE_4K);
  const end = roundUp(address + length, PAGE_4K);
  const applied = applyLockFlags(kernel, space, start, end, true);
  if (applied !== "ok" || start === end) return applied;
  let nrPages = 0;
  for (const vma of space.overlapping(start, end)) {
    const from = Math.max(start, vma.start);
    const done = populate(kernel, space, vma, from, Math.min(end, vma.end));
    nrPages += done.nrPages;
    if (!done.isComplete) {
      return nrPages === 0
        ? kernel.profile.mlockFirstPageFails
        : kernel.profile.mlockLaterPageFails;
    }
  }
  return "ok";
}

export function munlock(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
): "ok" | Errno {
  const start = roundDown(address, PAGE_4K);
  return applyLockFlags(kernel, space, start, roundUp(address + length, PAGE_4K), false);
}

/** apply_vma_lock_flags(): what precedes a hole stays changed. */
function applyLockFlags(
  kernel: KernelState,
  space: AddressSpace,
  start: number,
  end: number,
  isLocked: boolean,
): "ok" | Errno {
  for (let at = start; at < end;) {
    const vma = space.find(at);
    if (!vma) return "ENOMEM";
    const stop = Math.min(end, vma.end);
    const flags = withFlags(vma.flags, VM_LOCKED, isLocked);
    if (!vma.inode && flags !== vma.flags) modifyVma(kernel, space, at, stop, { flags });
    at = stop;
  }
  return "ok";
}
