/** What the kernel reads of a process's memory for a longer copy (copy_from_user()). */
import { pageBytesOf } from "../address.ts";
import type { Leaf } from "../hardware/page-tables.ts";
import type { AddressSpace } from "./address-space.ts";
import { faultIn } from "./page-fault.ts";
import { expandStack } from "./stack.ts";
import type { KernelState } from "./state.ts";
import { isAccessible } from "./vma.ts";

/** The leaf that an access of the kernel may read through. */
function readableLeaf(kernel: KernelState, space: AddressSpace, address: number): Leaf | undefined {
  const leaf = kernel.tables.lookup(space.root, address);
  return leaf?.kept ? undefined : leaf;
}

/** The first address after `address` that another leaf maps. */
const endOf = (leaf: Leaf): number => leaf.address + pageBytesOf(leaf.level);

/** Whether all of the range can be read without a fault (pagefault_disable()). */
export function isUserReadable(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
): boolean {
  return areLeaves(address, length, (at) => readableLeaf(kernel, space, at));
}

/** Faults the range in; false: some of it cannot be read. */
export function faultInUser(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
): boolean {
  return areLeaves(address, length, (at) => {
    const leaf = readableLeaf(kernel, space, at);
    if (leaf) return leaf;
    const vma = space.find(at) ?? expandStack(kernel, space, at);
    if (!vma || !isAccessible(vma.protection)) return undefined;
    const { kind } = faultIn(kernel, space, vma, at, "read");
    return kind === "handled" ? readableLeaf(kernel, space, at) : undefined;
  });
}

/** Whether `leafAt` has a leaf for every address of the range. */
function areLeaves(
  address: number,
  length: number,
  leafAt: (address: number) => Leaf | undefined,
): boolean {
  for (let at = address; at < address + length;) {
    const leaf = leafAt(at);
    if (!leaf) return false;
    at = endOf(leaf);
  }
  return true;
}

/** Copies the range to physical memory. Precondition: it can be read without a fault. */
export function copyUserToFrame(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  to: number,
  length: number,
): void {
  const { ram } = kernel.machine;
  for (let at = address; at < address + length;) {
    const leaf = readableLeaf(kernel, space, at);
    if (!leaf) return;
    const bytes = pageBytesOf(leaf.level);
    const nrBytes = Math.min(endOf(leaf), address + length) - at;
    const from = leaf.physicalAddress + (at - leaf.address);
    const target = to + (at - address);
    if (nrBytes === bytes && target % bytes === 0) ram.copyFrame(target, from, leaf.level);
    else ram.write(target, ram.read(from, nrBytes));
    at += nrBytes;
  }
}
