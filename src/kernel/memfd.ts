/** Files without a name, and what they can be kept from (mm/memfd.c). */
import type { Errno } from "./errno.ts";
import { OpenFile } from "./file.ts";
import { Inode } from "./hugetlbfs.ts";
import { PlainInode } from "./plain-file.ts";
import type { KernelState } from "./state.ts";
import { VM_MAYWRITE, VM_SHARED } from "./vm-flags.ts";
import {
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
} from "./seals.ts";

const F_SEAL_EXEC = 0x20;
const F_ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;

export interface MemfdRequest {
  /** Bytes of its pages (MFD_HUGETLB); undefined: 4K. */
  readonly hugePageBytes?: number;
  /** MFD_ALLOW_SEALING */
  readonly isSealable?: boolean;
}

/** memfd_create(): the open file, not yet in a table. A size without pool is ENODEV. */
export function createMemfd(kernel: KernelState, request: MemfdRequest): OpenFile | Errno {
  const { hugePageBytes, isSealable = false } = request;
  if (!kernel.profile.hasMemfd) return "ENOSYS";
  const hstate = hugePageBytes === undefined ? undefined : kernel.hstates.get(hugePageBytes);
  if (hugePageBytes !== undefined && !hstate) return "ENODEV";
  const inode = hstate ? new Inode(hstate, 0) : new PlainInode();
  if (inode instanceof Inode) inode.path = "/memfd: (deleted)";
  if (isSealable) inode.seals = 0;
  return new OpenFile(inode, true);
}

/** F_ADD_SEALS (memfd_add_seals()). */
export function addSeals(kernel: KernelState, file: OpenFile, seals: number): "ok" | Errno {
  const { inode } = file;
  const known = kernel.profile.hasSealExec ? F_ALL_SEALS | F_SEAL_EXEC : F_ALL_SEALS;
  if (!file.isWritable) return "EPERM";
  if (seals & ~known) return "EINVAL";
  if (inode.seals & F_SEAL_SEAL) return "EPERM";
  const becomesReadOnly = (seals & F_SEAL_WRITE) !== 0 && !(inode.seals & F_SEAL_WRITE);
  if (becomesReadOnly && inode instanceof Inode && isMappedWritable(kernel, inode)) return "EBUSY";
  inode.seals |= seals;
  return "ok";
}

/** mapping_deny_writable(): whether a mapping can write to it, or could come to. */
function isMappedWritable(kernel: KernelState, inode: Inode): boolean {
  const both = VM_SHARED | VM_MAYWRITE;
  for (const [vma] of kernel.reverseMap.mappings(inode)) {
    if ((vma.flags & both) === both) return true;
  }
  return false;
}
