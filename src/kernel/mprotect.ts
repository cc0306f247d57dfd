/** mprotect (mm/mprotect.c): mapping by mapping; what precedes a failure stays changed. */
import { PAGE_4K, USER_END, roundUp } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { splitAt } from "./munmap.ts";
import { type KernelState, invalidate } from "./state.ts";
import { type Protection, leafRights } from "./vma.ts";

export function mprotect(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
  protection: Protection,
): "ok" | Errno {
  if (address % PAGE_4K !== 0) return "EINVAL";
  const end = address + roundUp(length, PAGE_4K);
  if (end > USER_END) return "ENOMEM";
  let result: "ok" | Errno = "ok";
  for (let at = address; at < end;) {
    if (!space.find(at)) {
      result = "ENOMEM";
      break;
    }
    const stop = Math.min(end, space.find(at)?.end ?? end);
    if (!splitAt(kernel, space, at) || !splitAt(kernel, space, stop)) {
      result = "EINVAL";
      break;
    }
    const vma = space.find(at);
    if (!vma) break;
    vma.protection = protection;
    // Private pages are made writable by a write fault, which sees whether they are shared.
    const rights = leafRights(vma, vma.isShared && protection.write);
    kernel.tables.protect(space.root, at, stop, rights);
    invalidate(kernel, space, at, stop);
    at = stop;
  }
  space.merge(address, end);
  return result;
}
