/**
 * Write to a huge page that is mapped read-only (mm/hugetlb.c: hugetlb_wp(), unmap_ref_private()):
 * reuse, copy, or steal.
 */
import type { Leaf } from "../hardware/page-tables.ts";
import type { AddressSpace } from "./address-space.ts";
import { prepareAnonVma } from "./anonymous.ts";
import { FAULT_HANDLED, type FaultOutcome, noPage, stuck } from "./fault-outcome.ts";
import type { Folio } from "./folio.ts";
import type { Inode } from "./hugetlbfs.ts";
import { zapSingle } from "./zap.ts";
import { allocateHuge } from "./reservation.ts";
import { type KernelState, freeIfUnused, invalidate, mapFolio, printk } from "./state.ts";
import { type Vma, leafRights } from "./vma.ts";

/** Precondition: `leaf` is the page of `vma` that was written to, and is not writable. */
export function copyOnWrite(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  inode: Inode,
  leaf: Leaf,
): FaultOutcome {
  const old = kernel.folios.at(leaf.physicalAddress);
  if (vma.isShared || isReusable(kernel, old)) {
    return reuse(kernel, space, vma, inode, leaf);
  }
  // Reservations are for first faults: the owner's copy of its own page must not use one.
  const isOwnersCopy = vma.isOwner && !old.isInPageCache;
  const copy = allocateHuge(kernel, vma, inode, leaf.address, isOwnersCopy);
  if (copy) {
    prepareAnonVma(space, vma);
    kernel.machine.ram.copyFrame(copy.frame, old.frame, copy.level);
    if (kernel.events.isHeard) {
      const bytes = inode.hstate.pageBytes;
      kernel.events.emit({ kind: "copy", from: old.frame, to: copy.frame, bytes });
    }
    mapFolio(kernel, space, leaf.address, copy, leafRights(vma, true));
    invalidate(kernel, space, leaf.address, leaf.address + inode.hstate.pageBytes);
    old.mapCount--;
    space.hugetlbBytes -= inode.hstate.pageBytes;
    freeIfUnused(kernel, old);
    return FAULT_HANDLED;
  }
  if (!isOwnersCopy || kernel.profile.ownerCowFails === "kill") return noPage(kernel, space.pid);
  steal(kernel, space, vma, inode, leaf.address, old);
  if (isReusable(kernel, old)) return reuse(kernel, space, vma, inode, leaf);
  return missed(kernel, space.pid, leaf.address);
}

/** Whether an anonymous page is this mapping's alone. */
function isReusable(kernel: KernelState, folio: Folio): boolean {
  const isReferenced = kernel.profile.hugeReuseCountsReferences && folio.nrReferences > 0;
  return folio.mapCount === 1 && !folio.isInPageCache && !isReferenced;
}

function reuse(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  inode: Inode,
  leaf: Leaf,
): FaultOutcome {
  const end = leaf.address + inode.hstate.pageBytes;
  kernel.tables.protect(space.root, leaf.address, end, leafRights(vma, true));
  invalidate(kernel, space, leaf.address, end);
  if (kernel.events.isHeard) {
    kernel.events.emit({ kind: "reuse", pid: space.pid, frame: leaf.physicalAddress });
  }
  return FAULT_HANDLED;
}

/**
 * unmap_ref_private(): takes the page out of every mapping of the same file range that is neither
 * shared nor an owner's, and marks each of those that had it.
 */
function steal(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  inode: Inode,
  address: number,
  folio: Folio,
): void {
  const { profile, events } = kernel;
  if (events.isHeard) events.emit({ kind: "steal", pid: space.pid, frame: folio.frame });
  const offset = address - vma.start + shiftedOffset(profile.stealShiftsOffsetTwice, vma.offset);
  for (const [other, otherSpace] of kernel.reverseMap.mappings(inode, offset, offset + 1)) {
    if (other === vma || other.isShared || other.isOwner) continue;
    const at =
      profile.stealLooksAt === "own address" ? other.start + (offset - other.offset) : address;
    const entry = kernel.tables.lookup(otherSpace.root, at);
    if (entry?.physicalAddress !== folio.frame) continue;
    if (events.isHeard) {
      const name = kernel.processes.get(otherSpace.pid)?.name ?? "";
      events.emit({ kind: "rob", pid: otherSpace.pid, name, address: at });
    }
    zapSingle(kernel, otherSpace, other, at, at + inode.hstate.pageBytes);
    other.isUnmapped = true;
  }
}

/** The file offset in bytes, as the 2.6.27 kernels computed it: their offset was in 4K pages. */
function shiftedOffset(isShiftedTwice: boolean, offset: number): number {
  return isShiftedTwice ? Math.floor(offset / 4096 / 4096) * 4096 : offset;
}

/** Somebody still maps the page and none is free: the kernel tries again for ever, or BUGs. */
function missed(kernel: KernelState, pid: number, address: number): FaultOutcome {
  const isBug = kernel.profile.stealShiftsOffsetTwice;
  if (isBug) printk(kernel, "kernel BUG at mm/hugetlb.c!");
  const why = isBug
    ? "kernel BUG at mm/hugetlb.c: the steal missed a mapping"
    : "the steal cannot find the page in a moved mapping and is retried for ever";
  return stuck(kernel, pid, address, why);
}
