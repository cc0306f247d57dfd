/** mremap (mm/mremap.c): huge mappings shrink and move, reservation and OWNER with them. */
import { PAGE_4K, roundUp } from "../address.ts";
import { type AddressSpace, TASK_SIZE } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { munmap } from "./munmap.ts";
import { openVma, splitAt } from "./pieces.ts";
import { populate } from "./page-fault.ts";
import { type Placement, getUnmappedArea } from "./placement.ts";
import { clearReservation } from "./reservation.ts";
import { mayExpand, mayLockMore } from "./rlimit.ts";
import { unshareTables } from "./shared-tables.ts";
import { type KernelState, invalidate } from "./state.ts";
import { type Vma, leafRights, offsetOf, pageBytes } from "./vma.ts";
import { VM_LOCKED, VM_LOCKED_MASK, VM_UFFD_MASK } from "./vm-flags.ts";

export interface MremapRequest {
  readonly address: number;
  readonly oldLength: number;
  readonly newLength: number;
  readonly mayMove?: boolean;
  /** MREMAP_FIXED: the new address. */
  readonly fixedAt?: number;
  /** MREMAP_DONTUNMAP, of 4K memory: the old mapping stays, empty. */
  readonly keepsOld?: boolean;
}

/** The address from now on, or the error's name. */
export function mremap(
  kernel: KernelState,
  space: AddressSpace,
  asked: MremapRequest,
): number | Errno {
  const { address } = asked;
  const oldLength = roundUp(asked.oldLength, PAGE_4K);
  const newLength = roundUp(asked.newLength, PAGE_4K);
  const request = { ...asked, oldLength, newLength };
  if (address % PAGE_4K !== 0 || newLength === 0) return "EINVAL";
  if (asked.keepsOld && (!asked.mayMove || oldLength !== newLength)) return "EINVAL";
  if (!kernel.profile.mremapChecksFirst && !space.find(address)) return "EFAULT";
  if (!isTargetSane(request)) return "EINVAL";
  const { movesManyMappings } = kernel.profile;
  return movesManyMappings && request.fixedAt !== undefined && oldLength === newLength
    ? remapMove(kernel, space, request, request.fixedAt)
    : remap(kernel, space, request);
}

/** check_mremap_params(): the new length and the target, whatever is mapped. */
function isTargetSane(request: MremapRequest): boolean {
  const { address, oldLength, newLength, mayMove, fixedAt = 0, keepsOld } = request;
  if (newLength > TASK_SIZE) return false;
  if (request.fixedAt === undefined && !keepsOld) return true;
  if (fixedAt > TASK_SIZE - newLength || fixedAt % PAGE_4K !== 0 || !mayMove) return false;
  return address + oldLength <= fixedAt || fixedAt + newLength <= address;
}

/**
 * remap_move(): each mapping of the range moves, and the gaps between them stay. What precedes a
 * failure has moved.
 */
function remapMove(
  kernel: KernelState,
  space: AddressSpace,
  request: MremapRequest,
  fixedAt: number,
): number | Errno {
  const { address } = request;
  const end = address + request.oldLength;
  const pieces = space.overlapping(address, end).map(({ start, end: stop, userfaultfd }) => {
    // vma_multi_allowed()
    const mayBeOneOfMany = userfaultfd === undefined;
    return { start: Math.max(address, start), stop: Math.min(end, stop), mayBeOneOfMany };
  });
  if (pieces[0]?.start !== address) return "EFAULT";
  for (const { start, stop, mayBeOneOfMany } of pieces) {
    if (!mayBeOneOfMany && (start > address || stop < end)) return "EFAULT";
    const length = stop - start;
    const moved = remap(kernel, space, {
      ...request,
      address: start,
      oldLength: length,
      newLength: length,
      fixedAt: fixedAt + (start - address),
    });
    if (typeof moved !== "number") return moved;
  }
  return fixedAt;
}

/** check_prep_vma(), mremap_to() and mremap_at(): of the mapping at the address alone. */
function remap(kernel: KernelState, space: AddressSpace, asked: MremapRequest): number | Errno {
  const { address, fixedAt } = asked;
  const vma = space.find(address);
  if (!vma) return "EFAULT";
  const bytes = pageBytes(vma);
  const oldLength = roundUp(asked.oldLength, bytes);
  const newLength = roundUp(asked.newLength, bytes);
  if (vma.inode) {
    // align_hugetlb()
    if (address % bytes !== 0 || (fixedAt ?? 0) % bytes !== 0) return "EINVAL";
    if (newLength > oldLength) return "EINVAL";
  }
  const request = { ...asked, oldLength, newLength };
  if (fixedAt !== undefined || asked.keepsOld) return remapTo(kernel, space, vma, request);
  return newLength > oldLength
    ? expand(kernel, space, vma, request)
    : shrink(kernel, space, request);
}

/** Why [address, address + oldLength) cannot move or grow, if it cannot (vma_to_resize()). */
function whyNot(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  request: MremapRequest,
): Errno | undefined {
  const { address, oldLength, newLength } = request;
  // Duplicating shared memory by an old length of 0 is for memory that is not modelled.
  if (oldLength === 0) return "EINVAL";
  if (vma.inode && (request.keepsOld || !kernel.profile.hasHugeMove)) return "EINVAL";
  // What a shrink unmaps may lie in other mappings; what is kept may not.
  if (address + Math.min(oldLength, newLength) > vma.end) return "EFAULT";
  const grown = Math.max(0, newLength - oldLength);
  if (vma.flags & VM_LOCKED && grown > 0 && !mayLockMore(kernel, space, grown)) return "EAGAIN";
  const added = request.keepsOld ? oldLength : grown;
  return added > 0 && !mayExpand(kernel, space, vma, added) ? "ENOMEM" : undefined;
}

/** shrink_vma(): the address, its tail unmapped. */
function shrink(kernel: KernelState, space: AddressSpace, request: MremapRequest): number | Errno {
  const { address, oldLength, newLength } = request;
  if (newLength >= oldLength) return address;
  const unmapped = munmap(kernel, space, address + newLength, oldLength - newLength);
  return unmapped === "ok" ? address : unmapped;
}

/** mremap_to(): what is at the target goes first, then the tail of a shrink. */
function remapTo(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  request: MremapRequest,
): number | Errno {
  const { mremapChecksFirst } = kernel.profile;
  const error = mremapChecksFirst ? whyNot(kernel, space, vma, request) : undefined;
  if (error) return error;
  const { address, fixedAt, newLength } = request;
  if (fixedAt !== undefined) {
    const unmapped = munmap(kernel, space, fixedAt, newLength);
    if (unmapped !== "ok") return unmapped;
  }
  const shrunk = shrink(kernel, space, request);
  if (typeof shrunk !== "number") return shrunk;
  const left = space.find(address);
  if (!left) return "EFAULT";
  const late = mremapChecksFirst ? undefined : whyNot(kernel, space, left, request);
  return late ?? moveVma(kernel, space, left, request);
}

/** expand_vma(): in place if there is room behind it, else elsewhere. */
function expand(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  request: MremapRequest,
): number | Errno {
  const error = whyNot(kernel, space, vma, request);
  if (error) return error;
  const { address, oldLength, newLength } = request;
  const end = address + newLength;
  if (address + oldLength === vma.end && space.isFree(vma.end, end)) {
    space.setRange(vma, vma.start, end);
    space.mergeUp(vma);
    if (vma.flags & VM_LOCKED) populateGrown(kernel, space, address + oldLength, end);
    return address;
  }
  if (!request.mayMove) return "ENOMEM";
  return moveVma(kernel, space, vma, request);
}

/** move_vma(): the piece's entries, reservation and flags are at the new address from now on. */
function moveVma(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  request: MremapRequest,
): number | Errno {
  const { address, newLength } = request;
  const length = Math.min(request.oldLength, newLength);
  const target = request.fixedAt ?? getUnmappedArea(kernel.profile, space, anywhere(newLength));
  if (typeof target !== "number") return target;
  const moved: Vma = {
    ...vma,
    start: target,
    end: target + newLength,
    // copy_vma(): where no page is its own yet, it is as if it had been mapped there.
    offset: vma.inode || vma.anonVma ? offsetOf(vma, address) : target,
    // mremap_userfaultfd_prep(): without UFFD_FEATURE_EVENT_REMAP the new place is not registered.
    userfaultfd: undefined,
    flags: vma.flags & ~VM_UFFD_MASK,
  };
  openVma(kernel, space, moved);
  space.insert(moved);
  const merged = space.merge(moved);
  unshareTables(kernel, space, address, address + length);
  kernel.tables.remove(space.root, address, address + length, (leaf) => {
    const rights = leaf.kept ? leafRights(moved, false) : leafRights(moved, leaf.writable);
    const at = target + (leaf.address - address);
    kernel.tables.install(space.root, at, leaf.level, leaf.physicalAddress, rights);
  });
  for (const [page, mark] of space.marks.in(address, address + length)) {
    space.marks.delete(page);
    if (mark !== "write-protected") space.marks.set(target + (page - address), mark);
  }
  invalidate(kernel, space, address, address + length);
  // A defect of fixup_hugetlb_reservations(): of the whole mapping, though a part moves.
  if (kernel.profile.moveForgetsRest) clearReservation(vma);
  if (request.keepsOld) emptied(space, merged, address, length);
  else removeSource(kernel, space, address, length);
  if (moved.flags & VM_LOCKED) populateGrown(kernel, space, target + length, target + newLength);
  return target;
}

const anywhere = (length: number): Placement => {
  return { length, pageBytes: PAGE_4K, at: 0, isFixed: false, is32Bit: false };
};

/** unmap_source_vma(): what the piece held is the moved one's. */
function removeSource(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  length: number,
): void {
  splitAt(kernel, space, address);
  splitAt(kernel, space, address + length);
  const old = space.find(address);
  if (!old) return;
  space.delete(old);
  if (old.inode) {
    kernel.reverseMap.delete(old.inode, old);
    old.inode.put();
  }
  const hole = space.holeAround(address, address + length);
  kernel.tables.freeTables(space.root, hole.floor, hole.ceiling);
}

/** dontunmap_complete(): the old mapping, which may be a part of the new one by now, stays. */
function emptied(space: AddressSpace, moved: Vma, address: number, length: number): void {
  const old = space.find(address);
  if (!old) return;
  old.flags &= ~VM_LOCKED_MASK;
  const isWhole = old.start === address && old.end === address + length;
  if (old !== moved && isWhole) old.anonVma = undefined;
}

/** What grew of locked memory is there at once. */
function populateGrown(kernel: KernelState, space: AddressSpace, start: number, end: number): void {
  const vma = space.find(start);
  if (vma) populate(kernel, space, vma, start, end);
}
