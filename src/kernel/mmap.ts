/** mmap: placement, the checks in the kernel's order, reservation (mm/mmap.c, ksys_mmap_pgoff()). */
import { PAGE_4K, roundUp } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import type { Hstate } from "./hstate.ts";
import { Inode } from "./hugetlbfs.ts";
import { munmap, openVma } from "./munmap.ts";
import { populate } from "./page-fault.ts";
import { getUnmappedArea } from "./placement.ts";
import { reserveForMmap } from "./reservation.ts";
import type { KernelState } from "./state.ts";
import type { Protection, Vma } from "./vma.ts";
import {
  VM_ACCOUNT,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_NOHUGEPAGE,
  VM_NORESERVE,
  withFlags,
} from "./vm-flags.ts";

export interface MmapRequest {
  /** Bytes; rounded up to the page. */
  readonly length: number;
  readonly protection: Protection;
  /** MAP_SHARED; otherwise MAP_PRIVATE. Shared anonymous memory is modelled for huge pages. */
  readonly isShared?: boolean;
  /** Bytes of the huge page (MAP_HUGETLB); undefined: 4K pages. */
  readonly hugePageBytes?: number;
  /** MAP_NORESERVE */
  readonly isNoreserve?: boolean;
  /** MAP_POPULATE; MAP_LOCKED implies it. */
  readonly isPopulated?: boolean;
  /** MAP_LOCKED */
  readonly isLocked?: boolean;
  /** MAP_STACK */
  readonly isStack?: boolean;
  /** MAP_GROWSDOWN, of 4K pages alone. */
  readonly growsDown?: boolean;
  /** Bytes; of huge memory the first index that it maps of its new file follows from it. */
  readonly offset?: number;
  /** A hint, or with `placement` the address itself. */
  readonly at?: number;
  readonly placement?: "hint" | "fixed" | "fixed_noreplace";
  /** MAP_32BIT: in the second GiB. */
  readonly is32Bit?: boolean;
}

/** loff_t ends at 2^63. */
const OFFSET_END = 2 ** 63;

/** The address of the new mapping, or the error's name. */
export function mmap(
  kernel: KernelState,
  space: AddressSpace,
  request: MmapRequest,
): number | Errno {
  const { offset = 0, placement = "hint", growsDown = false } = request;
  if (offset % PAGE_4K !== 0) return "EINVAL";
  const hstate = hstateOf(kernel, request.hugePageBytes);
  if (hstate === "EINVAL" || request.length === 0) return "EINVAL";
  const bytes = hstate?.pageBytes ?? PAGE_4K;
  if (hstate && !kernel.profile.roundsHugeLength && request.length % bytes !== 0) return "EINVAL";
  const length = roundUp(request.length, bytes);
  const start = getUnmappedArea(kernel.profile, space, {
    length,
    pageBytes: bytes,
    at: request.at ?? 0,
    isFixed: placement !== "hint",
    is32Bit: request.is32Bit ?? false,
  });
  if (typeof start !== "number") return start;
  if (placement === "fixed_noreplace" && !space.isFree(start, start + length)) return "EEXIST";
  // file_mmap_ok(); memory without a file has no end.
  if (hstate && offset + length >= OFFSET_END) return "EOVERFLOW";
  if (hstate && growsDown) return "EINVAL";
  const replaced = placement === "fixed" ? filesIn(kernel, space, start, start + length) : [];
  for (const inode of replaced) inode.get();
  const result = mapRegion(kernel, space, request, hstate, start, start + length);
  for (const inode of replaced) inode.put();
  return result;
}

function hstateOf(kernel: KernelState, bytes: number | undefined): Hstate | undefined | "EINVAL" {
  return bytes === undefined ? undefined : (kernel.hstates.get(bytes) ?? "EINVAL");
}

/** Files that a fixed mapping is put over: since fput() is deferred they outlive the call. */
function filesIn(kernel: KernelState, space: AddressSpace, start: number, end: number): Inode[] {
  if (!kernel.profile.defersFput) return [];
  return space.overlapping(start, end).flatMap(({ inode }) => inode ?? []);
}

/** mmap_region(): what was there goes, pages and reservation, before the new one's is asked for. */
function mapRegion(
  kernel: KernelState,
  space: AddressSpace,
  request: MmapRequest,
  hstate: Hstate | undefined,
  start: number,
  end: number,
): number | Errno {
  const { protection, isShared = false, offset = 0 } = request;
  if (request.placement === "fixed") {
    const unmapped = munmap(kernel, space, start, end - start);
    if (unmapped !== "ok") return unmapped;
  }
  if (hstate && offset % hstate.pageBytes !== 0) return "EINVAL";
  // A writable mapping extends the file to its end (hugetlbfs_file_mmap()).
  const size = protection.write ? offset + (end - start) : end - start;
  const vma: Vma = {
    start,
    end,
    protection,
    isShared,
    flags: flagsOf(kernel, request),
    inode: hstate && new Inode(hstate, size),
    offset: hstate ? offset : start,
    isOwner: false,
    reservation: undefined,
    isUnmapped: false,
    anonVma: undefined,
  };
  if (vma.inode && !reserveForMmap(kernel, vma, vma.inode)) return "ENOMEM";
  openVma(kernel, space, vma);
  space.insert(vma);
  const merged = space.merge(vma);
  if (request.isPopulated || request.isLocked) populate(kernel, space, merged, start, end);
  return start;
}

/** calc_vm_flag_bits(), accountable_mapping(). */
function flagsOf(kernel: KernelState, request: MmapRequest): number {
  const isHuge = request.hugePageBytes !== undefined;
  const { isNoreserve = false, isStack = false } = request;
  let flags = withFlags(0, VM_NORESERVE, isNoreserve);
  flags = withFlags(flags, VM_NOHUGEPAGE, isStack && kernel.profile.stackIsNoHuge);
  if (isHuge) return flags;
  flags = withFlags(flags, VM_ACCOUNT, request.protection.write && !isNoreserve);
  flags = withFlags(flags, VM_LOCKED, request.isLocked ?? false);
  return withFlags(flags, VM_GROWSDOWN, request.growsDown ?? false);
}
