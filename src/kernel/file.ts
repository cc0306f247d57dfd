/** Open files and their descriptors (fs/file.c, fs/open.c, fs/namei.c). */
import { PAGE_4K } from "../address.ts";
import type { Errno } from "./errno.ts";
import { Inode } from "./hugetlbfs.ts";
import type { Mount } from "./mount.ts";
import { PlainInode } from "./plain-file.ts";
import type { KernelState } from "./state.ts";

/** struct file: shared by the descriptors that a fork copies. */
export class OpenFile {
  readonly inode: Inode | PlainInode;
  /** FMODE_WRITE */
  readonly isWritable: boolean;
  /** FMODE_PREAD, FMODE_PWRITE */
  readonly isSeekable: boolean;
  #nrDescriptors = 0;

  constructor(inode: Inode | PlainInode, isWritable: boolean, isSeekable = true) {
    this.inode = inode;
    this.isWritable = isWritable;
    this.isSeekable = isSeekable;
  }

  get(): void {
    if (this.#nrDescriptors++ === 0 && this.inode instanceof Inode) this.inode.get();
  }

  put(): void {
    if (--this.#nrDescriptors === 0) this.release();
  }

  /** __fput() */
  protected release(): void {
    if (this.inode instanceof Inode) this.inode.put();
  }
}

const FIRST_DESCRIPTOR = 3;

/** Descriptors of a process (struct files_struct). All are close-on-exec. */
export class Descriptors {
  readonly #files = new Map<number, OpenFile>();

  at(fd: number): OpenFile | undefined {
    return this.#files.get(fd);
  }

  /** The lowest free number. */
  install(file: OpenFile): number {
    let fd = FIRST_DESCRIPTOR;
    while (this.#files.has(fd)) fd++;
    file.get();
    this.#files.set(fd, file);
    return fd;
  }

  close(fd: number): "ok" | "EBADF" {
    const file = this.#files.get(fd);
    if (!file) return "EBADF";
    this.#files.delete(fd);
    file.put();
    return "ok";
  }

  closeAll(): void {
    for (const fd of this.#files.keys()) this.close(fd);
  }

  /** What a fork gives the child. */
  copy(): Descriptors {
    const child = new Descriptors();
    for (const [fd, file] of this.#files) {
      file.get();
      child.#files.set(fd, file);
    }
    return child;
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
  path: string,
  request: OpenRequest,
): OpenFile | Errno {
  const { isReadOnly = false } = request;
  const inode = request.isTemporary
    ? temporary(kernel, path, request)
    : named(kernel, path, request);
  return typeof inode === "string" ? inode : new OpenFile(inode, !isReadOnly);
}

function temporary(kernel: KernelState, path: string, request: OpenRequest): Inode | Errno {
  // O_TMPFILE needs a file that can be written.
  if (request.isReadOnly) return "EINVAL";
  const mount = kernel.mounts.at(path);
  if (!mount) return kernel.mounts.at(directoryOf(path)) ? "ENOTDIR" : "ENOENT";
  return mount.tryCreateInode() ?? "ENOSPC";
}

function named(
  kernel: KernelState,
  path: string,
  request: OpenRequest,
): Inode | PlainInode | Errno {
  if (kernel.mounts.at(path)) return "EISDIR";
  const mount = kernel.mounts.at(directoryOf(path));
  if (mount) return openIn(mount, nameOf(path), request);
  return openPlain(kernel, path, request);
}

function openIn(mount: Mount, name: string, request: OpenRequest): Inode | Errno {
  const found = mount.files.get(name);
  if (found) return found;
  if (!request.isCreated) return "ENOENT";
  const created = mount.tryCreateInode();
  if (!created) return "ENOSPC";
  mount.link(name, created);
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

export function unlink(kernel: KernelState, path: string): "ok" | Errno {
  const mount = kernel.mounts.at(directoryOf(path));
  if (mount) return mount.unlink(nameOf(path));
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
