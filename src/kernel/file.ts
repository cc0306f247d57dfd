/** Files of inodes, and their names (fs/open.c, fs/namei.c). */
import { PAGE_4K } from "../address.ts";
import { MAY_READ, MAY_SEARCH, MAY_WRITE, isPermitted, ownedBy } from "./credentials.ts";
import { File } from "./descriptors.ts";
import type { Errno } from "./errno.ts";
import { Inode } from "./hugetlbfs.ts";
import type { Mount } from "./mount.ts";
import { PlainInode } from "./plain-file.ts";
import type { Process } from "./process.ts";
import type { KernelState } from "./state.ts";

/** loff_t ends at 2^63. */
export const OFFSET_END = 2 ** 63;

/** An inode, opened. */
export class OpenFile extends File {
  readonly inode: Inode | PlainInode;
  /** FMODE_WRITE */
  readonly isWritable: boolean;
  /** FMODE_PREAD, FMODE_PWRITE */
  readonly isSeekable: boolean;

  constructor(inode: Inode | PlainInode, isWritable: boolean, isSeekable = true) {
    super();
    this.inode = inode;
    this.isWritable = isWritable;
    this.isSeekable = isSeekable;
  }

  protected override acquire(): void {
    if (this.inode instanceof Inode) this.inode.get();
  }

  protected override release(): void {
    if (this.inode instanceof Inode) this.inode.put();
  }
}

export interface OpenRequest {
  /** O_RDONLY; otherwise O_RDWR. */
  readonly isReadOnly?: boolean;
  /** O_CREAT */
  readonly isCreated?: boolean;
  /** O_TRUNC */
  readonly isTruncated?: boolean;
  /** O_TMPFILE: the path is the directory's. */
  readonly isTemporary?: boolean;
}

/** The open file, not yet in a table. */
export function openFile(
  kernel: KernelState,
  process: Process,
  path: string,
  request: OpenRequest,
): OpenFile | Errno {
  const { isReadOnly = false } = request;
  const inode = request.isTemporary
    ? temporary(kernel, process, path, request)
    : named(kernel, process, path, request);
  return typeof inode === "string" ? inode : new OpenFile(inode, !isReadOnly);
}

function temporary(
  kernel: KernelState,
  process: Process,
  path: string,
  request: OpenRequest,
): Inode | Errno {
  // O_TMPFILE needs a file that can be written.
  if (request.isReadOnly) return "EINVAL";
  const mount = kernel.mounts.at(path);
  if (!mount) return kernel.mounts.at(directoryOf(path)) ? "ENOTDIR" : "ENOENT";
  return createIn(mount, process);
}

/** A file without a name, of the process's. */
function createIn(mount: Mount, process: Process): Inode | Errno {
  if (!isPermitted(process, mount.permissions, MAY_WRITE | MAY_SEARCH)) return "EACCES";
  const created = mount.tryCreateInode();
  if (!created) return "ENOSPC";
  created.permissions = ownedBy(process, 0o644);
  return created;
}

function named(
  kernel: KernelState,
  process: Process,
  path: string,
  request: OpenRequest,
): Inode | PlainInode | Errno {
  if (kernel.mounts.at(path)) return "EISDIR";
  const mount = kernel.mounts.at(directoryOf(path));
  if (mount) return openIn(mount, process, nameOf(path), request);
  return openPlain(kernel, path, request);
}

function openIn(mount: Mount, process: Process, name: string, request: OpenRequest): Inode | Errno {
  if (!isPermitted(process, mount.permissions, MAY_SEARCH)) return "EACCES";
  const found = mount.files.get(name);
  const wanted = request.isReadOnly ? MAY_READ : MAY_READ | MAY_WRITE;
  if (found) return isPermitted(process, found.permissions, wanted) ? found : "EACCES";
  if (!request.isCreated) return "ENOENT";
  const created = createIn(mount, process);
  if (typeof created !== "string") mount.link(name, created);
  return created;
}

/** Where no hugetlbfs is mounted there are / and /tmp. */
function openPlain(kernel: KernelState, path: string, request: OpenRequest): PlainInode | Errno {
  if (!["/", "/tmp"].includes(directoryOf(path))) return "ENOENT";
  const found = kernel.plainFiles.get(path);
  if (found || !request.isCreated) return found ?? "ENOENT";
  const created = new PlainInode();
  created.nrLinks = 1;
  kernel.plainFiles.set(path, created);
  return created;
}

/** What fstat says. */
export interface Stat {
  /** Bytes. */
  readonly size: number;
  /** Of 512 bytes. */
  readonly nrBlocks: number;
  readonly nrLinks: number;
  readonly blockBytes: number;
}

export function stat({ inode }: OpenFile): Stat {
  const isHuge = inode instanceof Inode;
  const blockBytes = isHuge ? inode.hstate.pageBytes : PAGE_4K;
  const nrPages = isHuge ? inode.pages.size : inode.nrPages;
  const { size, nrLinks } = inode;
  return { size, nrBlocks: (nrPages * blockBytes) / 512, nrLinks, blockBytes };
}

export function unlink(kernel: KernelState, process: Process, path: string): "ok" | Errno {
  const mount = kernel.mounts.at(directoryOf(path));
  if (mount) {
    if (!isPermitted(process, mount.permissions, MAY_SEARCH)) return "EACCES";
    if (!mount.files.has(nameOf(path))) return "ENOENT";
    if (!isPermitted(process, mount.permissions, MAY_WRITE)) return "EACCES";
    return mount.unlink(nameOf(path));
  }
  const plain = kernel.plainFiles.get(path);
  if (!plain) return "ENOENT";
  plain.nrLinks--;
  kernel.plainFiles.delete(path);
  return "ok";
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
