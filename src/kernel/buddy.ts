/**
 * The buddy allocator (mm/page_alloc.c): blocks of 2^order frames, order 0 (4K) to 18 (1G), split
 * on demand and merged with their buddy when freed. Free 1G blocks that were never split cost one
 * set entry each, however large RAM is.
 */
import { PAGE_1G, PAGE_4K } from "../address.ts";
import { InternalError } from "../errors.ts";

const ORDER_MAX = 18;

export class Buddy {
  /** By order: the addresses of the free blocks. */
  readonly #free: readonly Set<number>[];
  #freeBytes = 0;

  /** Manages RAM from `start` to `end`, physical addresses in bytes, multiples of 4K. */
  constructor(start: number, end: number) {
    this.#free = Array.from({ length: ORDER_MAX + 1 }, () => new Set<number>());
    for (let at = start; at < end;) {
      let order = ORDER_MAX;
      while (at % bytesOf(order) !== 0 || at + bytesOf(order) > end) order--;
      this.#free[order].add(at);
      at += bytesOf(order);
    }
    this.#freeBytes = end - start;
  }

  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** The address of a free block of 2^order frames; undefined if there is none. */
  allocate(order: number): number | undefined {
    let from = order;
    while (from <= ORDER_MAX && this.#free[from].size === 0) from++;
    if (from > ORDER_MAX) return undefined;
    const [block] = this.#free[from];
    this.#free[from].delete(block);
    // The upper halves of what is larger than needed stay free.
    while (from > order) this.#free[--from].add(block + bytesOf(from));
    this.#freeBytes -= bytesOf(order);
    return block;
  }

  /** Frees a block that `allocate` gave for this order. */
  free(block: number, order: number): void {
    this.#freeBytes += bytesOf(order);
    let merged = block;
    let at = order;
    if (this.#free[at].has(block)) throw new InternalError("a block is freed once");
    for (; at < ORDER_MAX; at++) {
      const bytes = bytesOf(at);
      const buddy = Math.floor(merged / bytes) % 2 === 0 ? merged + bytes : merged - bytes;
      if (!this.#free[at].delete(buddy)) break;
      merged = Math.min(merged, buddy);
    }
    this.#free[at].add(merged);
  }
}

function bytesOf(order: number): number {
  return order === ORDER_MAX ? PAGE_1G : PAGE_4K * 2 ** order;
}
