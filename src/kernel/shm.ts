/** System V shared memory of huge pages (ipc/shm.c). */
import { PAGE_4K, roundDown } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import { reservationPayer } from "./cgroup.ts";
import {
  MAY_READ,
  MAY_WRITE,
  type Permissions,
  hasCapability,
  isPermitted,
  ownedBy,
} from "./credentials.ts";
import type { Errno } from "./errno.ts";
import { Inode } from "./hugetlbfs.ts";
import { mmapFile } from "./mmap.ts";
import { munmap } from "./munmap.ts";
import type { Process } from "./process.ts";
import type { KernelState } from "./state.ts";
import type { Vma } from "./vma.ts";

/** SHMMAX as it is by default: no limit but the address space. */
const SHMMAX = 2 ** 64 - 2 ** 24;

export interface Segment {
  readonly id: number;
  readonly inode: Inode;
  /** Who made it, in mode 0600. */
  readonly permissions: Permissions;
  /** As asked for, not rounded. */
  readonly length: number;
  /** Whether IPC_RMID was done. */
  isRemoved: boolean;
}

export interface ShmgetRequest {
  /** Bytes, rounded up to the page. */
  readonly length: number;
  /** Bytes of its pages (SHM_HUGETLB). */
  readonly hugePageBytes: number;
  readonly isNoreserve?: boolean;
}

/** newseg(): the identifier of a new segment, for which pages are reserved now. */
export function shmget(
  kernel: KernelState,
  process: Process,
  request: ShmgetRequest,
): number | Errno {
  const { length, hugePageBytes, isNoreserve = false } = request;
  if (length < 1 || length > SHMMAX) return "EINVAL";
  const hstate = kernel.hstates.get(hugePageBytes);
  if (!hstate) return "EINVAL";
  // can_do_hugetlb_shm(); hugetlb_shm_group is root's.
  if (!hasCapability(process, "CAP_IPC_LOCK")) return "EPERM";
  const nrPages = Math.ceil(length / hugePageBytes);
  const id = kernel.nextSegment++;
  const superblock = { subpool: undefined, onDeath: () => void kernel.segments.delete(id) };
  const inode = new Inode(hstate, nrPages * hugePageBytes, superblock, true);
  // The key of each is IPC_PRIVATE.
  inode.path = "/SYSV00000000 (deleted)";
  const payer = reservationPayer(process, hstate);
  if (!isNoreserve && !inode.reserve(0, nrPages, payer)) return "ENOMEM";
  inode.get();
  kernel.segments.set(id, {
    id,
    inode,
    permissions: ownedBy(process, 0o600),
    length,
    isRemoved: false,
  });
  return id;
}

export interface ShmatRequest {
  readonly id: number;
  /** SHM_RDONLY */
  readonly isReadOnly?: boolean;
  /** SHM_RND: `at` is rounded down to SHMLBA, a page of 4K whatever the segment's pages are. */
  readonly isRounded?: boolean;
  readonly at?: number;
}

/** do_shmat(): where the segment is attached. */
export function shmat(
  kernel: KernelState,
  process: Process,
  request: ShmatRequest,
): number | Errno {
  const { isReadOnly = false, isRounded = false, at = 0 } = request;
  const address = isRounded ? roundDown(at, PAGE_4K) : at;
  if (address % PAGE_4K !== 0) return "EINVAL";
  const segment = kernel.segments.get(request.id);
  if (!segment) return "EINVAL";
  const wanted = isReadOnly ? MAY_READ : MAY_READ | MAY_WRITE;
  if (!isPermitted(process, segment.permissions, wanted, "CAP_IPC_OWNER")) return "EACCES";
  const { space } = process;
  const { inode } = segment;
  if (at !== 0 && space.overlapping(address, address + inode.size).length > 0) return "EINVAL";
  const attached = {
    length: inode.size,
    protection: { read: true, write: !isReadOnly, execute: false },
    isShared: true,
    at: address,
    placement: at === 0 ? "hint" : "fixed",
  } as const;
  return mmapFile(kernel, space, attached, { inode, isWritable: !isReadOnly });
}

/** Detaches what of the segment is still mapped from `address` on; EINVAL: nothing is. */
export function shmdt(kernel: KernelState, space: AddressSpace, address: number): "ok" | Errno {
  if (address % PAGE_4K !== 0) return "EINVAL";
  const isPiece = (vma: Vma): boolean => {
    return vma.inode?.isSegment === true && vma.start - address === vma.offset;
  };
  let first = space.firstEndingAfter(address);
  while (first && !isPiece(first)) first = space.firstEndingAfter(first.end);
  const inode = first?.inode;
  if (!inode) return "EINVAL";
  for (const vma of space.overlapping(address, address + inode.size)) {
    if (vma.inode === inode && isPiece(vma)) munmap(kernel, space, vma.start, vma.end - vma.start);
  }
  return "ok";
}

/** IPC_RMID: it dies when nothing is attached to it any more. */
export function shmrm(kernel: KernelState, process: Process, id: number): "ok" | Errno {
  const segment = kernel.segments.get(id);
  if (!segment) return "EINVAL";
  // ipcctl_obtain_check()
  const isOwner = segment.permissions.uid === process.uid;
  if (!isOwner && !hasCapability(process, "CAP_SYS_ADMIN")) return "EPERM";
  if (!segment.isRemoved) segment.inode.put();
  segment.isRemoved = true;
  return "ok";
}

/** IPC_STAT */
export function shmstat(
  kernel: KernelState,
  process: Process,
  id: number,
): { readonly length: number; readonly nrAttached: number } | Errno {
  const segment = kernel.segments.get(id);
  if (!segment) return "EINVAL";
  if (!isPermitted(process, segment.permissions, MAY_READ, "CAP_IPC_OWNER")) return "EACCES";
  const nrAttached = [...kernel.reverseMap.mappings(segment.inode)].length;
  return { length: segment.length, nrAttached };
}
