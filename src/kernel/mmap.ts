/**
 * mmap: placement, the checks in the kernel's order, reservation (mm/mmap.c, ksys_mmap_pgoff()).
 */
import { PAGE_4K, roundUp } from "../address.ts";
import { OptionError } from "../errors.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { OFFSET_END, OpenFile } from "./file.ts";
import { Inode } from "./hugetlbfs.ts";
import { munmap } from "./munmap.ts";
import { openVma } from "./pieces.ts";
import { populate } from "./page-fault.ts";
import { getUnmappedArea } from "./placement.ts";
import { reserveForMmap } from "./reservation.ts";
import type { Process } from "./process.ts";
import { mappedWithin, mayExpand, mayLock, mayLockMore } from "./rlimit.ts";
import type { KernelState } from "./state.ts";
import type { Protection, Vma } from "./vma.ts";
import {
  VM_ACCOUNT,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_MAYWRITE,
  VM_NOHUGEPAGE,
  VM_NORESERVE,
  VM_SHARED,
  withFlags,
} from "./vm-flags.ts";
import { WRITE_SEALS } from "./seals.ts";

export interface MmapRequest {
  /** Bytes; rounded up to the page. */
  readonly length: number;
  readonly protection: Protection;
  /** MAP_SHARED; otherwise MAP_PRIVATE. Shared anonymous memory is modelled for huge pages. */
  readonly isShared?: boolean;
  /** Neither MAP_SHARED nor MAP_PRIVATE: an error, in its turn. */
  readonly isUntyped?: boolean;
  /** MAP_SHARED_VALIDATE, as what a shared mapping is asked for. */
  readonly isValidated?: boolean;
  /** Descriptor of the file; undefined: anonymous memory. */
  readonly fd?: number;
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

/** A file of huge pages, as it was opened. */
interface MappedFile {
  readonly inode: Inode;
  /** FMODE_WRITE */
  readonly isWritable: boolean;
}

/** ksys_mmap_pgoff(): the address of the new mapping, or the error's name. */
export function mmap(kernel: KernelState, process: Process, request: MmapRequest): number | Errno {
  if ((request.offset ?? 0) % PAGE_4K !== 0) return "EINVAL";
  const file = fileOf(kernel, process, request);
  return typeof file === "string" ? file : mmapFile(kernel, process.space, request, file);
}

/** The file that is mapped: huge memory without one gets its own (hugetlb_file_setup()). */
function fileOf(
  kernel: KernelState,
  process: Process,
  { fd, hugePageBytes, length }: MmapRequest,
): MappedFile | undefined | Errno {
  if (fd !== undefined) {
    const file = process.descriptors.at(fd);
    if (!file) return "EBADF";
    if (!(file instanceof OpenFile)) return "ENODEV";
    const { inode, isWritable } = file;
    if (inode instanceof Inode) return { inode, isWritable };
    if (hugePageBytes !== undefined) return "EINVAL";
    throw new OptionError("fd", "a mapping of a file of 4K pages is not modelled");
  }
  if (hugePageBytes === undefined) return undefined;
  const hstate = kernel.hstates.get(hugePageBytes);
  if (!hstate || length === 0) return "EINVAL";
  return { inode: new Inode(hstate, roundUp(length, hugePageBytes)), isWritable: true };
}

/** do_mmap(): of a file of huge pages, or without one. */
export function mmapFile(
  kernel: KernelState,
  space: AddressSpace,
  request: MmapRequest,
  file: MappedFile | undefined,
): number | Errno {
  const { offset = 0, placement = "hint", protection, isShared = false } = request;
  const inode = file?.inode;
  if (request.length === 0) return "EINVAL";
  const pageBytes = inode?.hstate.pageBytes ?? PAGE_4K;
  if (inode && !kernel.profile.roundsHugeLength && request.length % pageBytes !== 0) {
    return "EINVAL";
  }
  const length = roundUp(request.length, pageBytes);
  const start = getUnmappedArea(kernel.profile, space, {
    length,
    pageBytes,
    at: request.at ?? 0,
    isFixed: placement !== "hint",
    is32Bit: request.is32Bit ?? false,
  });
  if (typeof start !== "number") return start;
  if (placement === "fixed_noreplace" && !space.isFree(start, start + length)) return "EEXIST";
  const isLocked = request.isLocked || (space.defaultFlags & VM_LOCKED) !== 0;
  if (request.isLocked && !mayLock(kernel, space)) return "EPERM";
  if (isLocked && !mayLockMore(kernel, space, length)) return "EAGAIN";
  // file_mmap_ok(); memory without a file has no end.
  if (inode && offset + length >= OFFSET_END) return "EOVERFLOW";
  if (request.isUntyped) return "EINVAL";
  if (inode && request.isValidated) {
    if (!kernel.profile.hasSharedValidate) return "EINVAL";
    // LEGACY_MAP_MASK: flags that are younger than it are not known to be heard.
    if (placement === "fixed_noreplace") return "EOPNOTSUPP";
  }
  if (file && isShared && protection.write && !file.isWritable) return "EACCES";
  if (inode && request.growsDown) return "EINVAL";
  const replaced = placement === "fixed" ? filesIn(kernel, space, start, start + length) : [];
  for (const old of replaced) old.get();
  const result = mapRegion(kernel, space, request, file, start, start + length);
  for (const old of replaced) old.put();
  return result;
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
  file: MappedFile | undefined,
  start: number,
  end: number,
): number | Errno {
  const { protection, isShared = false, offset = 0 } = request;
  const inode = file?.inode;
  const flags = flagsOf(kernel, request, file);
  const lockFlags = space.defaultFlags | (request.isLocked ? VM_LOCKED : 0);
  const replaced = mappedWithin(space, start, end);
  if (!mayExpand(kernel, space, { protection, isShared, flags }, end - start, replaced)) {
    return "ENOMEM";
  }
  if (request.placement === "fixed") {
    const unmapped = munmap(kernel, space, start, end - start);
    if (unmapped !== "ok") return kernel.profile.fixedCannotUnmap;
  }
  const seals = inode && isShared ? inode.seals & WRITE_SEALS : 0;
  // memfd_check_seals_mmap()
  if (seals && protection.write) return "EPERM";
  if (inode && offset % inode.hstate.pageBytes !== 0) return "EINVAL";
  const vma: Vma = {
    start,
    end,
    protection,
    isShared,
    flags: (inode ? flags : flags | lockFlags) & ~(seals ? VM_MAYWRITE : 0),
    inode,
    offset: inode ? offset : start,
    isOwner: false,
    reservation: undefined,
    isUnmapped: false,
    policy: undefined,
    anonVma: undefined,
    userfaultfd: undefined,
  };
  if (inode && !reserveForMmap(kernel, vma, inode)) return "ENOMEM";
  // A writable mapping, private ones included, extends the file to its end (hugetlbfs_file_mmap()).
  if (inode && protection.write) inode.size = Math.max(inode.size, offset + (end - start));
  openVma(kernel, space, vma);
  space.insert(vma);
  const merged = space.merge(vma);
  // Huge memory forgets that it was to be locked, and so when: it is populated at once.
  if (request.isPopulated || lockFlags & VM_LOCKED) populate(kernel, space, merged, start, end);
  return start;
}

/** calc_vm_flag_bits(), accountable_mapping(). */
function flagsOf(kernel: KernelState, request: MmapRequest, file: MappedFile | undefined): number {
  const { isWritable = true } = file ?? {};
  const { isNoreserve = false, isStack = false, isShared = false } = request;
  let flags = withFlags(0, VM_NORESERVE, isNoreserve);
  flags = withFlags(flags, VM_SHARED, isShared && isWritable);
  flags = withFlags(flags, VM_MAYWRITE, !isShared || isWritable);
  flags = withFlags(flags, VM_NOHUGEPAGE, isStack && kernel.profile.stackIsNoHuge);
  if (file) return flags;
  flags = withFlags(flags, VM_ACCOUNT, request.protection.write && !isNoreserve);
  return withFlags(flags, VM_GROWSDOWN, request.growsDown ?? false);
}
