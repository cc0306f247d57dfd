/** madvise (mm/madvise.c): every mapped part is done; a hole makes it ENOMEM at the end. */
import { PAGE_4K, roundDown, roundUp } from "../address.ts";
import { ADVICE_OF_2_6, type Advice, FLAG_CHANGES, type FlagAdvice } from "./advice.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { installGuards } from "./guard.ts";
import { populateForMadvise } from "./get-user-pages.ts";
import { modifyVma } from "./pieces.ts";
import { zapSingle } from "./zap.ts";
import type { KernelState } from "./state.ts";
import { punchHole } from "./truncate.ts";
import { type Vma, offsetOf, pageBytes } from "./vma.ts";
import { VM_LOCKED, VM_MAYWRITE, VM_SHARED } from "./vm-flags.ts";

export function madvise(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
  advice: Advice,
): "ok" | Errno {
  // Poisoned memory is not modelled: as in a kernel without CONFIG_MEMORY_FAILURE.
  if (advice === "hwpoison" || advice === "soft_offline") return "EINVAL";
  if (!isKnown(kernel, advice)) return "EINVAL";
  if (address % PAGE_4K !== 0) return "EINVAL";
  const end = address + roundUp(length, PAGE_4K);
  const isPopulate = advice === "populate_read" || advice === "populate_write";
  if (isPopulate && !kernel.profile.populatesBehindHoles) {
    return populateForMadvise(kernel, space, address, end, advice === "populate_write");
  }
  let hasHole = false;
  for (let at = address; at < end;) {
    const vma = space.firstEndingAfter(at);
    if (!vma || vma.start >= end) return "ENOMEM";
    if (vma.start > at) hasHole = true;
    const start = Math.max(at, vma.start);
    const stop = Math.min(end, vma.end);
    const result = adviseOne(kernel, space, vma, start, stop, advice);
    if (result !== "ok") return result;
    at = stop;
  }
  return hasHole ? "ENOMEM" : "ok";
}

/** madvise_behavior_valid() */
function isKnown({ profile }: KernelState, advice: Advice): boolean {
  if (advice === "guard_install") return profile.hasGuardRegions;
  return profile.hasNewAdvice || ADVICE_OF_2_6.has(advice);
}

/** madvise_vma_behavior(). Precondition: [start, stop) lies in `vma`. */
function adviseOne(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  stop: number,
  advice: Exclude<Advice, "hwpoison" | "soft_offline">,
): "ok" | Errno {
  const isLocked = (vma.flags & VM_LOCKED) !== 0;
  switch (advice) {
    case "dontneed":
    case "dontneed_locked":
      return dontneed(kernel, space, vma, start, stop, isLocked && advice === "dontneed");
    case "populate_read":
    case "populate_write":
      return populateForMadvise(kernel, space, start, stop, advice === "populate_write");
    case "remove":
      return remove(kernel, vma, start, stop, isLocked);
    // Nothing is short of memory, so what may be freed, or should be paged out, stays.
    case "free":
    case "cold":
    case "pageout":
      return isLocked || vma.inode ? "EINVAL" : "ok";
    case "willneed":
      return !vma.inode && kernel.profile.willneedNeedsFile ? "EBADF" : "ok";
    // Transparent huge pages are off.
    case "collapse":
      return "EINVAL";
    case "guard_install":
      if (isLocked || vma.inode) return "EINVAL";
      installGuards(kernel, space, vma, start, stop);
      return "ok";
    default:
      return changeFlags(kernel, space, vma, start, stop, advice);
  }
}

/** madvise_dontneed_free_valid_vma(): of huge pages only whole ones, from an aligned start. */
function dontneed(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  stop: number,
  isForbidden: boolean,
): "ok" | Errno {
  if (vma.inode && !kernel.profile.hasHugeDontneed) return "EINVAL";
  if (start % pageBytes(vma) !== 0 || isForbidden) return "EINVAL";
  zapSingle(kernel, space, vma, start, roundDown(stop, pageBytes(vma)));
  return "ok";
}

/** madvise_remove(): punches a hole into the file. */
function remove(
  kernel: KernelState,
  vma: Vma,
  start: number,
  stop: number,
  isLocked: boolean,
): "ok" | Errno {
  if (isLocked || !vma.inode || !kernel.profile.hasHugeRemove) return "EINVAL";
  if (!(vma.flags & VM_SHARED) || !(vma.flags & VM_MAYWRITE)) return "EACCES";
  return punchHole(kernel, vma.inode, offsetOf(vma, start), stop - start);
}

function changeFlags(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  stop: number,
  advice: FlagAdvice,
): "ok" | Errno {
  if (advice === "wipeonfork" && vma.inode) return "EINVAL";
  // vma_ksm_compatible(): what cannot be merged ignores the advice.
  if (advice === "mergeable" && vma.inode) return "ok";
  const [cleared, set] = FLAG_CHANGES[advice];
  const flags = (vma.flags & ~cleared) | set;
  if (flags === vma.flags) return "ok";
  return modifyVma(kernel, space, start, stop, { flags }) ? "ok" : "EINVAL";
}
