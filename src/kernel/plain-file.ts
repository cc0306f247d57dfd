/** A file of 4K pages in memory (mm/shmem.c), as far as huge pages meet one: it cannot be mapped. */
import { PAGE_4K } from "../address.ts";
import { F_SEAL_SEAL } from "./hugetlbfs.ts";

export class PlainInode {
  /** Bytes. */
  size = 0;
  seals = F_SEAL_SEAL;
  nrLinks = 0;
  readonly #bytes = new Map<number, number>();

  /** Pages that are not a hole. */
  get nrPages(): number {
    return new Set([...this.#bytes.keys()].map((at) => Math.floor(at / PAGE_4K))).size;
  }

  truncate(size: number): void {
    for (const at of this.#bytes.keys()) if (at >= size) this.#bytes.delete(at);
    this.size = size;
  }

  read(offset: number): number {
    return this.#bytes.get(offset) ?? 0;
  }

  write(offset: number, byte: number): void {
    this.#bytes.set(offset, byte);
    this.size = Math.max(this.size, offset + 1);
  }
}
