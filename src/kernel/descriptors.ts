/** Descriptors of a process, and what they name (struct files_struct, struct file; fs/file.c). */
import type { HeldPage } from "./folio.ts";

/** struct file: shared by the descriptors that a fork copies. */
export abstract class File {
  #nrDescriptors = 0;

  get(): void {
    if (this.#nrDescriptors++ === 0) this.acquire();
  }

  put(): void {
    if (--this.#nrDescriptors === 0) this.release();
  }

  /** Each page that it holds, once a reference. */
  get heldPages(): readonly HeldPage[] {
    return [];
  }

  /** The first descriptor is made. */
  protected acquire(): void {}

  /** The last descriptor is gone. */
  protected abstract release(): void;
}

const FIRST_DESCRIPTOR = 3;

/** All are close-on-exec. */
export class Descriptors {
  readonly #files = new Map<number, File>();

  at(fd: number): File | undefined {
    return this.#files.get(fd);
  }

  /** The lowest free number. */
  install(file: File): number {
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

  files(): Iterable<File> {
    return this.#files.values();
  }
}
