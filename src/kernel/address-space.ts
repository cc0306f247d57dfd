/** An address space (struct mm_struct): its mappings in order, where a new one fits, its table. */
import { USER_END, roundDown } from "../address.ts";
import { type Vma, canMerge, pageBytes, splitVma } from "./vma.ts";

/** mmap_base without randomisation: new mappings go below it, top down. */
const MMAP_BASE = 0x7fff_f7ff_f000;
const MMAP_LOWEST = 0x1_0000;
const MMAP_32BIT_LOWEST = 0x4000_0000;
const MMAP_32BIT_END = 0x8000_0000;

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
    const vma = this.#vmas[this.#firstEndingAfter(address)];
    return vma && vma.start <= address ? vma : undefined;
  }

  /** The mappings that meet [start, end), in order. */
  overlapping(start: number, end: number): Vma[] {
    const found: Vma[] = [];
    for (let i = this.#firstEndingAfter(start); i < this.#vmas.length; i++) {
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
    this.#vmas.splice(this.#firstEndingAfter(vma.start), 0, vma);
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

  /** Merges 4K mappings with their neighbours around [start, end) where they can be one. */
  merge(start: number, end: number): void {
    let i = Math.max(0, this.#firstEndingAfter(start) - 1);
    while (i + 1 < this.#vmas.length && this.#vmas[i].start <= end) {
      const vma = this.#vmas[i];
      const next = this.#vmas[i + 1];
      if (!canMerge(vma, next)) {
        i++;
        continue;
      }
      vma.end = next.end;
      vma.anonVma ??= next.anonVma;
      this.#vmas.splice(i + 1, 1);
    }
  }

  isFree(start: number, end: number): boolean {
    return start >= 0 && end <= USER_END && this.overlapping(start, end).length === 0;
  }

  /**
   * vm_unmapped_area(): the highest gap that holds `length` at `alignment`. A gap has to be longer
   * by the alignment less a page, wherever it lies.
   */
  findGap(length: number, alignment: number, is32Bit: boolean): number | undefined {
    const lowest = is32Bit ? MMAP_32BIT_LOWEST : MMAP_LOWEST;
    let end = is32Bit ? MMAP_32BIT_END : MMAP_BASE;
    const needed = length + alignment - 0x1000;
    for (let i = this.#vmas.length; i >= 0; i--) {
      const below = i > 0 ? this.#vmas[i - 1] : undefined;
      const start = Math.max(lowest, below ? below.end : lowest);
      if (end - start >= needed) return roundDown(end - length, alignment);
      if (below) end = Math.min(end, below.start);
    }
    return undefined;
  }

  /** Borders of the hole around [start, end), in which tables serve nothing (free_pgtables()). */
  holeAround(start: number, end: number): { readonly floor: number; readonly ceiling: number } {
    const i = this.#firstEndingAfter(start);
    return {
      floor: i > 0 ? this.#vmas[i - 1].end : 0,
      ceiling: i < this.#vmas.length ? Math.max(end, this.#vmas[i].start) : USER_END,
    };
  }

  #firstEndingAfter(address: number): number {
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
