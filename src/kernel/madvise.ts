/** madvise (mm/madvise.c): every mapped part is done; a hole makes it ENOMEM at the end. */
import { PAGE_4K, roundDown, roundUp } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { splitAt, zap } from "./munmap.ts";
import type { KernelState } from "./state.ts";
import { pageBytes } from "./vma.ts";

export type Advice = "dontneed" | "dontfork" | "dofork" | "wipeonfork";

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
    const [vma] = space.overlapping(at, end);
    if (!vma) return "ENOMEM";
    if (vma.start > at) hasHole = true;
    const start = Math.max(at, vma.start);
    const stop = Math.min(end, vma.end);
    const result = adviseOne(kernel, space, start, stop, advice);
    if (result !== "ok") return result;
    at = stop;
  }
  space.merge(address, end);
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
    if (start % pageBytes(vma) !== 0) return "EINVAL";
    zap(kernel, space, vma, start, roundDown(stop, pageBytes(vma)));
    return "ok";
  }
  // MADV_WIPEONFORK is for private memory without a file, of 4K pages: not modelled there.
  if (advice === "wipeonfork") return "EINVAL";
  if (!splitAt(kernel, space, start) || !splitAt(kernel, space, stop)) return "EINVAL";
  const piece = space.find(start);
  if (piece) piece.isDontFork = advice === "dontfork";
  return "ok";
}
