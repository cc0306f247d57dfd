/** An address space (struct mm_struct): its mappings in order, where a new one fits, its table. */
import { PAGE_4K, USER_END, roundDown, roundUp } from "../address.ts";
import { type Vma, canMerge, pageBytes, splitVma } from "./vma.ts";
import { VM_GROWSDOWN } from "./vm-flags.ts";

/** One past the last address that can be mapped: not the last page of the lower half. */
export const TASK_SIZE = USER_END - PAGE_4K;
/** stack_guard_gap: kept free below a mapping that grows down. */
export const STACK_GUARD_GAP = 256 * PAGE_4K;

/** vm_start_gap(): what lies below belongs to nobody. */
function startWithGap(vma: Vma): number {
  return vma.flags & VM_GROWSDOWN ? vma.start - STACK_GUARD_GAP : vma.start;
}

export class AddressSpace {
  /** Physical address of the top-level table. */
  readonly root: number;
  /** 1 to 4095; 0: shares none, its entries are dropped at each switch. */
  readonly pcid: number;
  /** The process that runs in it. */
  readonly pid: number;
  /** CPUs that may cache its translations (mm_cpumask()). */
  readonly ranOn = new Set<number>();
  /** By address. */
  readonly #vmas: Vma[] = [];

  constructor(root: number, pcid: number, pid: number) {
    this.root = root;
    this.pcid = pcid;
    this.pid = pid;
  }

  get vmas(): readonly Vma[] {
    return this.#vmas;
  }

  /** The mapping that contains `address`. */
  find(address: number): Vma | undefined {
    const vma = this.firstEndingAfter(address);
    return vma && vma.start <= address ? vma : undefined;
  }

  /** The lowest mapping that ends above `address`. */
  firstEndingAfter(address: number): Vma | undefined {
    return this.#vmas[this.#indexEndingAfter(address)];
  }

  /** The highest mapping that ends at or below `address`. */
  lastEndingBy(address: number): Vma | undefined {
    const i = this.#indexEndingAfter(address);
    return i > 0 ? this.#vmas[i - 1] : undefined;
  }

  /** The mappings that meet [start, end), in order. */
  overlapping(start: number, end: number): Vma[] {
    const found: Vma[] = [];
    for (let i = this.#indexEndingAfter(start); i < this.#vmas.length; i++) {
      if (this.#vmas[i].start >= end) break;
      found.push(this.#vmas[i]);
    }
    return found;
  }

  /** Whether every byte of [start, end) is mapped. */
  covers(start: number, end: number): boolean {
    let at = start;
    for (const vma of this.overlapping(start, end)) {
      if (vma.start > at) return false;
      at = vma.end;
    }
    return at >= end;
  }

  /** Precondition: its range is free. */
  insert(vma: Vma): void {
    this.#vmas.splice(this.#indexEndingAfter(vma.start), 0, vma);
  }

  delete(vma: Vma): void {
    this.#vmas.splice(this.#vmas.indexOf(vma), 1);
  }

  /** Makes `address` a border between mappings; the upper piece, if there is one. False: EINVAL. */
  splitAt(address: number): { readonly upper?: Vma } | false {
    const vma = this.find(address);
    if (!vma || vma.start === address) return {};
    // hugetlb_vm_op_split()
    if (address % pageBytes(vma) !== 0) return false;
    const upper = splitVma(vma, address);
    this.insert(upper);
    return { upper };
  }

  /** vma_merge(): makes `vma` one with each neighbour with which it can be; the one it is now. */
  merge(vma: Vma): Vma {
    const i = this.#vmas.indexOf(vma);
    const below = i > 0 ? this.#vmas[i - 1] : undefined;
    const whole = below && canMerge(below, vma) ? this.#join(i - 1) : vma;
    return this.mergeUp(whole);
  }

  /** As `merge`, with the upper neighbour alone. */
  mergeUp(vma: Vma): Vma {
    const i = this.#vmas.indexOf(vma);
    const above = this.#vmas[i + 1];
    return above && canMerge(vma, above) ? this.#join(i) : vma;
  }

  /** Mapping `i` takes in the next one. */
  #join(i: number): Vma {
    const [vma, next] = [this.#vmas[i], this.#vmas[i + 1]];
    vma.end = next.end;
    vma.anonVma ??= next.anonVma;
    this.#vmas.splice(i + 1, 1);
    return vma;
  }

  /** Whether nothing is mapped in [start, end), and something could be. */
  isFree(start: number, end: number): boolean {
    return start >= 0 && end <= TASK_SIZE && this.overlapping(start, end).length === 0;
  }

  /** `isFree`, and no stack could grow into it. */
  isFreeForHint(start: number, end: number): boolean {
    if (!this.isFree(start, end)) return false;
    const above = this.firstEndingAfter(start);
    return !above || end <= startWithGap(above);
  }

  /**
   * unmapped_area_topdown(): where the highest gap in [low, high) that holds `length` at
   * `alignment` holds it. A gap has to be longer by the alignment less a page, wherever it lies.
   */
  findHighest(length: number, alignment: number, low: number, high: number): number | undefined {
    const needed = length + alignment - PAGE_4K;
    let end = high;
    for (let i = this.#vmas.length; i >= 0; i--) {
      const start = Math.max(low, i > 0 ? this.#vmas[i - 1].end : low);
      if (end - start >= needed) return roundDown(end - length, alignment);
      if (i > 0) end = Math.min(end, startWithGap(this.#vmas[i - 1]));
    }
    return undefined;
  }

  /** unmapped_area(): the same of the lowest gap. */
  findLowest(length: number, alignment: number, low: number, high: number): number | undefined {
    const needed = length + alignment - PAGE_4K;
    let start = low;
    for (let i = 0; i <= this.#vmas.length; i++) {
      const above = this.#vmas[i];
      const end = above ? Math.min(high, startWithGap(above)) : high;
      if (end - start >= needed) return roundUp(start, alignment);
      if (above) start = Math.max(start, above.end);
    }
    return undefined;
  }

  /** Borders of the hole around [start, end), in which tables serve nothing (free_pgtables()). */
  holeAround(start: number, end: number): { readonly floor: number; readonly ceiling: number } {
    const i = this.#indexEndingAfter(start);
    return {
      floor: i > 0 ? this.#vmas[i - 1].end : 0,
      ceiling: i < this.#vmas.length ? Math.max(end, this.#vmas[i].start) : USER_END,
    };
  }

  #indexEndingAfter(address: number): number {
    let low = 0;
    let high = this.#vmas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#vmas[middle].end <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
