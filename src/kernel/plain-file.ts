/**
 * A file of 4K pages in memory (mm/shmem.c), as far as huge pages meet one: it cannot be mapped.
 */
import { PAGE_4K } from "../address.ts";
import { F_SEAL_SEAL } from "./seals.ts";

export class PlainInode {
  /** Bytes. */
  size = 0;
  seals = F_SEAL_SEAL;
  nrLinks = 0;
  /** By index. */
  readonly #pages = new Map<number, Uint8Array>();

  get nrPages(): number {
    return this.#pages.size;
  }

  truncate(size: number): void {
    this.size = size;
    this.punch(size, Infinity);
  }

  /** Bytes of [from, to) become zeros, whole pages holes. */
  punch(from: number, to: number): void {
    for (const [index, page] of this.#pages) {
      const start = Math.max(0, from - index * PAGE_4K);
      const end = Math.min(PAGE_4K, to - index * PAGE_4K);
      if (start === 0 && end === PAGE_4K) this.#pages.delete(index);
      else if (start < end) page.fill(0, start, end);
    }
  }

  /** Pages for [from, to); the size stays. */
  allocate(from: number, to: number): void {
    for (let at = from; at < to; at += PAGE_4K - (at % PAGE_4K)) this.#page(at);
  }

  read(offset: number): number {
    return this.#pages.get(Math.floor(offset / PAGE_4K))?.[offset % PAGE_4K] ?? 0;
  }

  write(offset: number, byte: number): void {
    this.#page(offset)[offset % PAGE_4K] = byte;
    this.size = Math.max(this.size, offset + 1);
  }

  #page(offset: number): Uint8Array {
    const index = Math.floor(offset / PAGE_4K);
    let page = this.#pages.get(index);
    if (!page) this.#pages.set(index, (page = new Uint8Array(PAGE_4K)));
    return page;
  }
}
