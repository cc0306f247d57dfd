/** mlock (mm/mlock.c). Of huge pages it only populates: they cannot be swapped anyway. */
import { PAGE_4K, roundDown, roundUp } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { populate } from "./page-fault.ts";
import type { KernelState } from "./state.ts";

export function mlock(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
): "ok" | Errno {
  const start = roundDown(address, PAGE_4K);
  const end = roundUp(address + length, PAGE_4K);
  if (!space.covers(start, end)) return "ENOMEM";
  let nrPages = 0;
  for (const vma of space.overlapping(start, end)) {
    const from = Math.max(start, vma.start);
    const done = populate(kernel, space, vma, from, Math.min(end, vma.end));
    nrPages += done.nrPages;
    if (!done.isComplete) {
      return nrPages === 0 ? kernel.profile.mlockFails.first : kernel.profile.mlockFails.later;
    }
  }
  return "ok";
}

export function munlock(space: AddressSpace, address: number, length: number): "ok" | Errno {
  const start = roundDown(address, PAGE_4K);
  return space.covers(start, roundUp(address + length, PAGE_4K)) ? "ok" : "ENOMEM";
}
