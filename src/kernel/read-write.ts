/** read and write of files (fs/hugetlbfs/inode.c: hugetlbfs_read_iter()): there is no write. */
import type { Errno } from "./errno.ts";
import type { OpenFile } from "./file.ts";
import { end } from "./fork.ts";
import { F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_WRITE, Inode } from "./hugetlbfs.ts";
import type { Process } from "./process.ts";
import type { KernelState } from "./state.ts";

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

/** 8 bytes. */
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
  if (offset >= process.limits.fsize) {
    end(kernel, process, { kind: "killed", signal: "SIGXFSZ" });
    return "EFBIG";
  }
  // shmem_write_begin()
  if (inode.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) return "EPERM";
  if (inode.seals & F_SEAL_GROW && offset + 8 > inode.size) return "EPERM";
  for (let i = 0; i < 8; i++) inode.write(offset + i, Number((value >> BigInt(8 * i)) & 0xffn));
  return "ok";
}
