/**
 * read and write of files (hugetlbfs_read_iter()); huge ones cannot be written by a system call.
 */
import type { Errno } from "./errno.ts";
import type { OpenFile } from "./file.ts";
import { Inode } from "./hugetlbfs.ts";
import type { Process } from "./process.ts";
import type { KernelState } from "./state.ts";
import { F_SEAL_GROW, WRITE_SEALS } from "./seals.ts";
import { exceedFileLimit } from "./truncate.ts";

/** Up to 8 bytes; holes read as zeros. */
export function pread(
  kernel: KernelState,
  { inode, isSeekable }: OpenFile,
  offset: number,
): { readonly nrBytes: number; readonly value: bigint } | Errno {
  if (!isSeekable) return "ESPIPE";
  const nrBytes = Math.max(0, Math.min(8, inode.size - offset));
  let value = 0n;
  for (let i = nrBytes - 1; i >= 0; i--) {
    const byte = inode instanceof Inode ? huge(kernel, inode, offset + i) : inode.read(offset + i);
    value = (value << 8n) | BigInt(byte);
  }
  return { nrBytes, value };
}

function huge(kernel: KernelState, inode: Inode, offset: number): number {
  const { pageBytes } = inode.hstate;
  const folio = inode.pages.get(Math.floor(offset / pageBytes));
  return folio ? Number(kernel.machine.ram.load(folio.frame + (offset % pageBytes), 1)) : 0;
}

/** 8 bytes, or what RLIMIT_FSIZE leaves of them. */
export function pwrite(
  kernel: KernelState,
  process: Process,
  file: OpenFile,
  offset: number,
  value: bigint,
): "ok" | Errno {
  const { inode } = file;
  if (!file.isSeekable) return "ESPIPE";
  if (!file.isWritable) return "EBADF";
  if (inode instanceof Inode) return "EINVAL";
  // generic_write_check_limits()
  const nrBytes = Math.min(8, process.limits.fsize - offset);
  if (nrBytes <= 0) {
    exceedFileLimit(kernel, process);
    return "EFBIG";
  }
  // shmem_write_begin()
  if (inode.seals & WRITE_SEALS) return "EPERM";
  if (inode.seals & F_SEAL_GROW && offset + nrBytes > inode.size) return "EPERM";
  for (let i = 0; i < nrBytes; i++)
    inode.write(offset + i, Number((value >> BigInt(8 * i)) & 0xffn));
  return "ok";
}
