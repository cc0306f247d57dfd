/** mremap (mm/mremap.c): huge mappings shrink and move, reservation and OWNER with them. */
import { PAGE_4K, USER_END, roundUp } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { munmap, openVma, splitAt } from "./munmap.ts";
import { type KernelState, invalidate } from "./state.ts";
import { type Vma, leafRights, pageBytes } from "./vma.ts";

export interface MremapRequest {
  readonly address: number;
  readonly oldLength: number;
  readonly newLength: number;
  readonly mayMove?: boolean;
  /** MREMAP_FIXED: the new address. */
  readonly fixedAt?: number;
}

/** The address from now on, or the error's name. */
export function mremap(
  kernel: KernelState,
  space: AddressSpace,
  request: MremapRequest,
): number | Errno {
  const { address, fixedAt } = request;
  if (address % PAGE_4K !== 0 || request.newLength === 0) return "EINVAL";
  if (fixedAt !== undefined && !request.mayMove) return "EINVAL";
  const vma = space.find(address);
  if (!vma) return "EFAULT";
  const bytes = pageBytes(vma);
  if (address % bytes !== 0 || request.oldLength === 0) return "EINVAL";
  const oldLength = roundUp(request.oldLength, bytes);
  const newLength = roundUp(request.newLength, bytes);
  if (vma.inode && newLength > oldLength) return "EINVAL";
  if (fixedAt !== undefined) {
    if (fixedAt % bytes !== 0 || fixedAt + newLength > USER_END) return "EINVAL";
    if (fixedAt < address + oldLength && address < fixedAt + newLength) return "EINVAL";
    if (vma.inode && !kernel.profile.hasHugeMove) return "EINVAL";
    const unmapped = munmap(kernel, space, fixedAt, newLength);
    if (unmapped !== "ok") return unmapped;
  }
  if (newLength < oldLength) {
    const unmapped = munmap(kernel, space, address + newLength, oldLength - newLength);
    if (unmapped !== "ok") return unmapped;
  }
  const kept = Math.min(oldLength, newLength);
  if (fixedAt === undefined && newLength <= oldLength) return address;
  // From here on: a move, or growth of 4K memory.
  if (address + kept > vma.end) return "EFAULT";
  if (fixedAt === undefined) {
    if (address + oldLength === vma.end && space.isFree(vma.end, address + newLength)) {
      vma.end = address + newLength;
      space.merge(vma.start, vma.end);
      return address;
    }
    if (!request.mayMove) return "ENOMEM";
  }
  const target = fixedAt ?? space.findGap(newLength, bytes, false);
  if (target === undefined) return "ENOMEM";
  return move(kernel, space, address, kept, newLength, target);
}

/** move_vma(): the piece's entries, reservation and flags are at the new address from now on. */
function move(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
  newLength: number,
  target: number,
): number | Errno {
  if (!splitAt(kernel, space, address) || !splitAt(kernel, space, address + length)) {
    return "EINVAL";
  }
  const old = space.find(address);
  if (!old) return "EFAULT";
  const moved: Vma = { ...old, start: target, end: target + newLength };
  openVma(kernel, space, moved);
  space.insert(moved);
  kernel.tables.remove(space.root, address, address + length, (leaf) => {
    const rights = leaf.kept ? leafRights(moved, false) : leafRights(moved, leaf.writable);
    const at = target + (leaf.address - address);
    kernel.tables.install(space.root, at, leaf.level, leaf.physicalAddress, rights);
  });
  invalidate(kernel, space, address, address + length);
  // What the old piece held is the new one's (clear_vma_resv_huge_pages()).
  space.delete(old);
  if (old.inode) {
    kernel.reverseMap.delete(old.inode, old);
    old.inode.nrUsers--;
  }
  const hole = space.holeAround(address, address + length);
  kernel.tables.freeTables(space.root, hole.floor, hole.ceiling);
  space.merge(target, target + newLength);
  return target;
}
