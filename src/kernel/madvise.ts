/** madvise (mm/madvise.c): every mapped part is done; a hole makes it ENOMEM at the end. */
import { PAGE_4K, roundDown, roundUp } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { modifyVma, zapSingle } from "./munmap.ts";
import type { KernelState } from "./state.ts";
import { punchHole } from "./truncate.ts";
import { offsetOf, pageBytes } from "./vma.ts";
import {
  VM_DONTCOPY,
  VM_LOCKED,
  VM_MAYWRITE,
  VM_SHARED,
  VM_WIPEONFORK,
  withFlags,
} from "./vm-flags.ts";

export type Advice = "dontneed" | "remove" | "dontfork" | "dofork" | "wipeonfork";

export function madvise(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
  advice: Advice,
): "ok" | Errno {
  if (address % PAGE_4K !== 0) return "EINVAL";
  const end = address + roundUp(length, PAGE_4K);
  let hasHole = false;
  for (let at = address; at < end;) {
    const vma = space.firstEndingAfter(at);
    if (!vma || vma.start >= end) return "ENOMEM";
    if (vma.start > at) hasHole = true;
    const start = Math.max(at, vma.start);
    const stop = Math.min(end, vma.end);
    const result = adviseOne(kernel, space, start, stop, advice);
    if (result !== "ok") return result;
    at = stop;
  }
  return hasHole ? "ENOMEM" : "ok";
}

/** Precondition: [start, stop) lies in one mapping. */
function adviseOne(
  kernel: KernelState,
  space: AddressSpace,
  start: number,
  stop: number,
  advice: Advice,
): "ok" | Errno {
  const vma = space.find(start);
  if (!vma) return "ok";
  if (advice === "dontneed") {
    // madvise_dontneed_free_valid_vma(): of huge pages only whole ones, from an aligned start.
    if (vma.inode && !kernel.profile.hasHugeDontneed) return "EINVAL";
    if (start % pageBytes(vma) !== 0 || vma.flags & VM_LOCKED) return "EINVAL";
    zapSingle(kernel, space, vma, start, roundDown(stop, pageBytes(vma)));
    return "ok";
  }
  if (advice === "remove") {
    // madvise_remove()
    if (vma.flags & VM_LOCKED || !vma.inode) return "EINVAL";
    if (!(vma.flags & VM_SHARED) || !(vma.flags & VM_MAYWRITE)) return "EACCES";
    return punchHole(kernel, vma.inode, offsetOf(vma, start), stop - start);
  }
  if (advice === "wipeonfork" && (vma.inode || !kernel.profile.hasWipeOnFork)) return "EINVAL";
  const flags = FLAGS_AFTER[advice](vma.flags);
  if (flags === vma.flags) return "ok";
  return modifyVma(kernel, space, start, stop, { flags }) ? "ok" : "EINVAL";
}

const FLAGS_AFTER = {
  dontfork: (flags: number) => withFlags(flags, VM_DONTCOPY, true),
  dofork: (flags: number) => withFlags(flags, VM_DONTCOPY, false),
  wipeonfork: (flags: number) => withFlags(flags, VM_WIPEONFORK, true),
} as const;
