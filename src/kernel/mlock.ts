/** mlock and its kin (mm/mlock.c). Huge memory they only populate: that is never swapped anyway. */
import { PAGE_4K, roundDown, roundUp } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { modifyVma } from "./pieces.ts";
import { populate } from "./page-fault.ts";
import { isWithinMemlock, lockedBytes, mappedBytes, mappedWithin, mayLock } from "./rlimit.ts";
import type { KernelState } from "./state.ts";
import type { Vma } from "./vma.ts";
import { VM_LOCKED, VM_LOCKED_MASK } from "./vm-flags.ts";

/** do_mlock(); `isOnFault`: mlock2 with MLOCK_ONFAULT, which populates huge memory all the same. */
export function mlock(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
  isOnFault = false,
): "ok" | Errno {
  if (isOnFault && !kernel.profile.hasLockOnFault) return "ENOSYS";
  if (!mayLock(kernel, space)) return "EPERM";
  const start = roundDown(address, PAGE_4K);
  const end = roundUp(address + length, PAGE_4K);
  if (!isWithinMemlock(kernel, space, () => lockedWith(space, start, end))) return "ENOMEM";
  const flags = isOnFault ? VM_LOCKED_MASK : VM_LOCKED;
  const applied = applyLockFlags(kernel, space, start, end, flags);
  if (applied !== "ok" || start === end) return applied;
  return populateLocked(kernel, space, start, end);
}

/** What will be locked: what is locked in the range already is not counted twice. */
function lockedWith(space: AddressSpace, start: number, end: number): number {
  const isLocked = ({ flags }: Vma): boolean => (flags & VM_LOCKED) !== 0;
  return lockedBytes(space) + (end - start) - mappedWithin(space, start, end, isLocked);
}

/** __mm_populate(), which does not ignore errors. */
function populateLocked(
  kernel: KernelState,
  space: AddressSpace,
  start: number,
  end: number,
): "ok" | Errno {
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
  return applyLockFlags(kernel, space, start, roundUp(address + length, PAGE_4K), 0);
}

/** apply_vma_lock_flags(): what precedes a hole stays changed. */
function applyLockFlags(
  kernel: KernelState,
  space: AddressSpace,
  start: number,
  end: number,
  flags: number,
): "ok" | Errno {
  for (let at = start; at < end;) {
    const vma = space.find(at);
    if (!vma) return "ENOMEM";
    const stop = Math.min(end, vma.end);
    setLockFlags(kernel, space, vma, at, stop, flags);
    at = stop;
  }
  return "ok";
}

/** mlock_fixup() */
function setLockFlags(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  stop: number,
  lockFlags: number,
): void {
  const flags = (vma.flags & ~VM_LOCKED_MASK) | lockFlags;
  if (!vma.inode && flags !== vma.flags) modifyVma(kernel, space, start, stop, { flags });
}

export type LockWhat = "current" | "future" | "onfault";

export function mlockall(
  kernel: KernelState,
  space: AddressSpace,
  what: ReadonlySet<LockWhat>,
): "ok" | Errno {
  const isOnFault = what.has("onfault");
  const isCurrent = what.has("current");
  if (!isCurrent && !what.has("future")) return "EINVAL";
  if (isOnFault && !kernel.profile.hasLockOnFault) return "EINVAL";
  if (!mayLock(kernel, space)) return "EPERM";
  if (isCurrent && !isWithinMemlock(kernel, space, () => mappedBytes(space))) return "ENOMEM";
  const flags = isOnFault ? VM_LOCKED_MASK : VM_LOCKED;
  space.defaultFlags = what.has("future") ? flags : 0;
  if (!isCurrent) return "ok";
  lockAll(kernel, space, flags);
  // mm_populate(): as far as it goes.
  for (const vma of space.vmas) populate(kernel, space, vma, vma.start, vma.end);
  return "ok";
}

export function munlockall(kernel: KernelState, space: AddressSpace): "ok" {
  space.defaultFlags = 0;
  lockAll(kernel, space, 0);
  return "ok";
}

/** apply_mlockall_flags() */
function lockAll(kernel: KernelState, space: AddressSpace, lockFlags: number): void {
  let at = 0;
  for (let vma = space.firstEndingAfter(at); vma; vma = space.firstEndingAfter(at)) {
    at = vma.end;
    setLockFlags(kernel, space, vma, vma.start, at, lockFlags);
  }
}
