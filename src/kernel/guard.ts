/**
 * Guard regions: pages of 4K memory that fault for ever, without a mapping of their own
 * (mm/madvise.c: madvise_guard_install(); PTE_MARKER_GUARD). Only unmapping takes them away.
 */
import { PAGE_4K } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import { prepareAnonVma } from "./anonymous.ts";
import { zapSingle } from "./zap.ts";
import type { KernelState } from "./state.ts";
import type { Vma } from "./vma.ts";
import { VM_MAYBE_GUARD } from "./vm-flags.ts";

/** What was there goes. Precondition: [start, end) lies in `vma`, which has pages of 4K. */
export function installGuards(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  end: number,
): void {
  prepareAnonVma(space, vma);
  vma.flags |= VM_MAYBE_GUARD;
  zapSingle(kernel, space, vma, start, end);
  for (let page = start; page < end; page += PAGE_4K) space.marks.set(page, "guard");
}
