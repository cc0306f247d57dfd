/** mbind (mm/mempolicy.c: do_mbind()): gives mappings a memory policy. */
import { PAGE_4K, roundUp } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { type MempolicyMode, createPolicy, isSamePolicy } from "./mempolicy.ts";
import { modifyVma } from "./pieces.ts";
import type { NodeMask } from "./nodes.ts";
import type { KernelState } from "./state.ts";

/**
 * Pages that are there stay where they are. A hole is EFAULT unless there is to be no policy; a
 * border inside a huge page is EINVAL, and what precedes it is done.
 */
export function mbind(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
  mode: MempolicyMode,
  mask: NodeMask,
): "ok" | Errno {
  if (address % PAGE_4K !== 0) return "EINVAL";
  const end = address + roundUp(length, PAGE_4K);
  if (end === address) return "ok";
  const policy = createPolicy(kernel.nodes, mode, mask);
  if (typeof policy === "string") return policy;
  const pieces = space.overlapping(address, end).map((vma) => {
    return { start: Math.max(address, vma.start), stop: Math.min(end, vma.end) };
  });
  // queue_pages_range()
  if (pieces.length === 0 || (policy && !space.covers(address, end))) return "EFAULT";
  for (const { start, stop } of pieces) {
    if (isSamePolicy(space.find(start)?.policy, policy)) continue;
    if (!modifyVma(kernel, space, start, stop, { policy })) return "EINVAL";
  }
  return "ok";
}
