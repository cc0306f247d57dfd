/**
 * A file's size and pages change (fs/hugetlbfs/inode.c: hugetlb_vmtruncate(),
 * hugetlbfs_fallocate(), hugetlbfs_punch_hole()).
 */
import { roundDown, roundUp } from "../address.ts";
import type { Errno } from "./errno.ts";
import { OFFSET_END, type OpenFile } from "./file.ts";
import { end } from "./fork.ts";
import { Inode } from "./hugetlbfs.ts";
import { zapSingle } from "./zap.ts";
import { PlainInode } from "./plain-file.ts";
import type { Process } from "./process.ts";
import { allocateForFile } from "./reservation.ts";
import type { KernelState } from "./state.ts";
import { F_SEAL_GROW, F_SEAL_SHRINK, WRITE_SEALS } from "./seals.ts";

/** Takes away what lies behind the new size, private copies included. */
export function ftruncate(
  kernel: KernelState,
  process: Process,
  file: OpenFile,
  size: number,
): "ok" | Errno {
  const { inode } = file;
  if (!file.isWritable || size < 0) return "EINVAL";
  if (!isSizeAllowed(kernel, process, inode, size)) return "EFBIG";
  if (inode instanceof Inode && size % inode.hstate.pageBytes !== 0) return "EINVAL";
  if (size < inode.size && inode.seals & F_SEAL_SHRINK) return "EPERM";
  if (size > inode.size && inode.seals & F_SEAL_GROW) return "EPERM";
  setSize(kernel, inode, size);
  return "ok";
}

/** do_truncate(). Precondition: of a huge file `size` is a multiple of the page. */
export function setSize(kernel: KernelState, inode: Inode | PlainInode, size: number): void {
  if (inode instanceof PlainInode) inode.truncate(size);
  else truncate(kernel, inode, size);
}

/** inode_newsize_ok(): false is EFBIG, and SIGXFSZ where it was RLIMIT_FSIZE. */
function isSizeAllowed(
  kernel: KernelState,
  process: Process,
  { size }: Inode | PlainInode,
  newSize: number,
): boolean {
  if (newSize > size && newSize > process.limits.fsize) {
    exceedFileLimit(kernel, process);
    return false;
  }
  return newSize < OFFSET_END;
}

/** What goes beyond RLIMIT_FSIZE ends the process: SIGXFSZ. */
export function exceedFileLimit(kernel: KernelState, process: Process): void {
  const { pid, name } = process;
  if (kernel.events.isHeard) kernel.events.emit({ kind: "signal", pid, name, signal: "SIGXFSZ" });
  end(kernel, process, { kind: "killed", signal: "SIGXFSZ" });
}

/** hugetlb_vmtruncate() */
function truncate(kernel: KernelState, inode: Inode, size: number): void {
  inode.size = size;
  unmapRange(kernel, inode, size, OFFSET_END, true);
  inode.truncatePages(size / inode.hstate.pageBytes);
}

/** hugetlb_vmdelete_list(): empties every mapping of [from, to), bytes of the file. */
function unmapRange(
  kernel: KernelState,
  inode: Inode,
  from: number,
  to: number,
  isForGood = false,
): void {
  for (const [vma, space] of kernel.reverseMap.mappings(inode, from, to)) {
    const start = vma.start + Math.max(0, from - vma.offset);
    const end = Math.min(vma.end, vma.start + (to - vma.offset));
    if (start < end) zapSingle(kernel, space, vma, start, end, isForGood);
  }
}

/** `keep` and `punch` keep the size; `punchonly` is PUNCH_HOLE without KEEP_SIZE. */
export type FallocateMode = "alloc" | "keep" | "punch" | "punchonly" | "zero" | "collapse";

export function fallocate(
  kernel: KernelState,
  process: Process,
  file: OpenFile,
  mode: FallocateMode,
  offset: number,
  length: number,
): "ok" | Errno {
  if (length <= 0) return "EINVAL";
  if (mode === "punchonly") return "EOPNOTSUPP";
  if (!file.isWritable) return "EBADF";
  if (offset + length > OFFSET_END) return "EFBIG";
  if (mode === "zero" || mode === "collapse") return "EOPNOTSUPP";
  const { inode } = file;
  if (inode instanceof PlainInode) return fallocatePlain(inode, mode, offset, offset + length);
  if (mode === "punch") return punchHole(kernel, inode, offset, length);
  if (!isSizeAllowed(kernel, process, inode, offset + length)) return "EFBIG";
  return preallocate(kernel, inode, offset, length, mode === "keep");
}

/** More is not worth having in a file of 4K pages (ENOSPC): tmpfs has half of RAM. */
const PLAIN_MAX = 2 ** 30;

/** shmem_fallocate() */
function fallocatePlain(
  inode: PlainInode,
  mode: "alloc" | "keep" | "punch",
  from: number,
  to: number,
): "ok" | Errno {
  if (mode === "punch") {
    if (inode.seals & WRITE_SEALS) return "EPERM";
    inode.punch(from, to);
    return "ok";
  }
  if (inode.seals & F_SEAL_GROW && to > inode.size) return "EPERM";
  if (to - from > PLAIN_MAX) return "ENOSPC";
  inode.allocate(from, to);
  if (mode === "alloc") inode.size = Math.max(inode.size, to);
  return "ok";
}

/** Whole pages go; of pages that are hit in part the part is zeroed. */
export function punchHole(
  kernel: KernelState,
  inode: Inode,
  offset: number,
  length: number,
): "ok" | Errno {
  if (inode.seals & WRITE_SEALS) return "EPERM";
  const { pageBytes } = inode.hstate;
  const end = offset + length;
  const [holeStart, holeEnd] = [roundUp(offset, pageBytes), roundDown(end, pageBytes)];
  if (offset < holeStart) zeroPartialPage(kernel, inode, offset, Math.min(end, holeStart));
  if (holeEnd > holeStart) unmapRange(kernel, inode, holeStart, holeEnd);
  if (end > holeEnd && end > holeStart) zeroPartialPage(kernel, inode, holeEnd, end);
  inode.punch(holeStart / pageBytes, holeEnd / pageBytes);
  return "ok";
}

/** hugetlbfs_zero_partial_page(). Precondition: [from, to) lies in one page. */
function zeroPartialPage(kernel: KernelState, inode: Inode, from: number, to: number): void {
  const { pageBytes } = inode.hstate;
  const folio = inode.pages.get(Math.floor(from / pageBytes));
  if (folio) kernel.machine.ram.zero(folio.frame + (from % pageBytes), to - from);
}

/** From the page that `offset` lies in to the one before the end, each with a page of its own. */
function preallocate(
  kernel: KernelState,
  inode: Inode,
  offset: number,
  length: number,
  keepsSize: boolean,
): "ok" | Errno {
  const { pageBytes } = inode.hstate;
  const end = offset + length;
  if (inode.seals & F_SEAL_GROW && end > inode.size) return "EPERM";
  for (let index = Math.floor(offset / pageBytes); index * pageBytes < end; index++) {
    if (inode.pages.has(index)) continue;
    const folio = allocateForFile(kernel, inode, index);
    if (!folio) return "ENOSPC";
    kernel.machine.ram.zeroFrame(folio.frame, folio.level);
    inode.addPage(index, folio);
  }
  if (!keepsSize) inode.size = Math.max(inode.size, end);
  return "ok";
}
