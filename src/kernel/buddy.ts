/**
 * The buddy allocator (mm/page_alloc.c): blocks of 2^order frames, order 0 (4K) to 18 (1G), split
 * on demand and merged with their buddy when freed. Free 1G blocks that were never split cost one
 * entry each, however large RAM is.
 */
import { PAGE_1G, PAGE_4K } from "../address.ts";
import { InternalError } from "../errors.ts";

const ORDER_MAX = 18;

/** A free list (struct free_area): blocks by address; the one that was added last goes first. */
class FreeList {
  readonly #blocks: number[] = [];
  /** Where in `#blocks` a block is. */
  readonly #indexes = new Map<number, number>();

  get size(): number {
    return this.#blocks.length;
  }

  has(block: number): boolean {
    return this.#indexes.has(block);
  }

  add(block: number): void {
    this.#indexes.set(block, this.#blocks.length);
    this.#blocks.push(block);
  }

  take(): number | undefined {
    const block = this.#blocks.pop();
    if (block !== undefined) this.#indexes.delete(block);
    return block;
  }

  /** False: it is not there. */
  delete(block: number): boolean {
    const index = this.#indexes.get(block);
    if (index === undefined) return false;
    const last = this.take();
    if (last === undefined || last === block) return true;
    // The last one takes its place.
    this.#blocks[index] = last;
    this.#indexes.set(last, index);
    this.#indexes.delete(block);
    return true;
  }
}

export class Buddy {
  /** By order: the addresses of the free blocks. */
  readonly #free: readonly FreeList[];
  #freeBytes = 0;

  /** Manages RAM from `start` to `end`, physical addresses in bytes, multiples of 4K. */
  constructor(start: number, end: number) {
    this.#free = Array.from({ length: ORDER_MAX + 1 }, () => new FreeList());
    // From the top down: what is added last, the lowest, goes first.
    for (let at = end; at > start;) {
      let order = ORDER_MAX;
      while (at % bytesOf(order) !== 0 || at - bytesOf(order) < start) order--;
      at -= bytesOf(order);
      this.#free[order].add(at);
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
    const block = this.#free[from]?.take();
    if (block === undefined) return undefined;
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
