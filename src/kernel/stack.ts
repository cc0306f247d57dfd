/** Mappings that grow down (mm/mmap.c: expand_stack(), expand_downwards()). */
import { PAGE_4K, roundDown } from "../address.ts";
import { type AddressSpace, STACK_GUARD_GAP } from "./address-space.ts";
import { prepareAnonVma } from "./anonymous.ts";
import { MMAP_MIN } from "./placement.ts";
import { mayExpand, mayLockMore } from "./rlimit.ts";
import type { KernelState } from "./state.ts";
import { type Vma, isAccessible } from "./vma.ts";
import { VM_GROWSDOWN, VM_LOCKED } from "./vm-flags.ts";

/** RLIMIT_STACK as it usually is. */
const STACK_MAX = 8 * 2 ** 20;

/** The mapping above `address`, which nothing maps, grown down to it; undefined if it cannot. */
export function expandStack(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
): Vma | undefined {
  const vma = space.firstEndingAfter(address);
  const start = roundDown(address, PAGE_4K);
  if (!vma || !(vma.flags & VM_GROWSDOWN) || start < MMAP_MIN) return undefined;
  if (vma.end - start > STACK_MAX) return undefined;
  const below = space.lastEndingBy(start);
  if (below && isInTheWay(below) && start - below.end < STACK_GUARD_GAP) return undefined;
  // acct_stack_growth()
  const bytes = vma.start - start;
  if (!mayExpand(kernel, space, vma, bytes)) return undefined;
  if (vma.flags & VM_LOCKED && !mayLockMore(kernel, space, bytes)) return undefined;
  prepareAnonVma(space, vma);
  space.setRange(vma, start, vma.end);
  return vma;
}

/** Memory that no access reaches, and another stack, may be near. */
function isInTheWay({ flags, protection }: Vma): boolean {
  return isAccessible(protection) && !(flags & VM_GROWSDOWN);
}
