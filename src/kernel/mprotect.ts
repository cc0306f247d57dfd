/** mprotect (mm/mprotect.c): mapping by mapping; what precedes a failure stays changed. */
import { PAGE_4K, roundUp } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { modifyVma } from "./pieces.ts";
import { populate } from "./page-fault.ts";
import { mayExpand } from "./rlimit.ts";
import { unshareTables } from "./shared-tables.ts";
import { type KernelState, invalidate } from "./state.ts";
import { type Protection, type Vma, isSameProtection, leafRights } from "./vma.ts";
import { VM_ACCOUNT, VM_LOCKED, VM_MAYWRITE, VM_NORESERVE, VM_UFFD_WP } from "./vm-flags.ts";

export function mprotect(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
  protection: Protection,
): "ok" | Errno {
  if (address % PAGE_4K !== 0) return "EINVAL";
  const end = address + roundUp(length, PAGE_4K);
  for (let at = address; at < end;) {
    const vma = space.find(at);
    if (!vma) return "ENOMEM";
    const stop = Math.min(end, vma.end);
    const result = protectPart(kernel, space, vma, at, stop, protection);
    if (result !== "ok") return result;
    at = stop;
  }
  return "ok";
}

/** mprotect_fixup(). Precondition: [start, stop) lies in `vma`. */
function protectPart(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  stop: number,
  protection: Protection,
): "ok" | Errno {
  if (protection.write && !(vma.flags & VM_MAYWRITE)) return "EACCES";
  if (isSameProtection(vma.protection, protection)) return "ok";
  const after = { ...vma, protection };
  const bytes = stop - start;
  // Only what becomes data by this is refused.
  const isRefused = protection.write && !mayExpand(kernel, space, after, bytes);
  if (isRefused && mayExpand(kernel, space, vma, bytes)) return "ENOMEM";
  // Locked memory that becomes writable gets its own pages now, not when it is written.
  const breaksLocked = (vma.flags & VM_LOCKED) !== 0 && !vma.protection.write && protection.write;
  const change = { protection, flags: accounted(kernel, vma, protection) };
  const changed = modifyVma(kernel, space, start, stop, change);
  if (!changed) return "EINVAL";
  // Private pages are made writable by a write fault, which sees whether they are shared.
  const isProtected = (changed.flags & VM_UFFD_WP) !== 0;
  const rights = leafRights(changed, changed.isShared && !isProtected && protection.write);
  unshareTables(kernel, space, start, stop);
  kernel.tables.protect(space.root, start, stop, rights);
  invalidate(kernel, space, start, stop);
  if (breaksLocked) populate(kernel, space, changed, start, stop);
  return "ok";
}

/** VM_ACCOUNT is set by the first right to write, and goes while no page is its own. */
function accounted(kernel: KernelState, vma: Vma, { write }: Protection): number {
  if (vma.inode) return vma.flags;
  if (write) return vma.flags & VM_NORESERVE ? vma.flags : vma.flags | VM_ACCOUNT;
  const isKept = vma.anonVma !== undefined || !kernel.profile.mprotectUnaccounts;
  return isKept ? vma.flags : vma.flags & ~VM_ACCOUNT;
}
