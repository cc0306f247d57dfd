/** An address space (struct mm_struct): its mappings in order, where a new one fits, its table. */
import { PAGE_4K, USER_END, roundDown, roundUp } from "../address.ts";
import { findHole, summarizeHoles } from "./holes.ts";
import { OrderedTree } from "./ordered-tree.ts";
import { PageMarks } from "./page-marks.ts";
import { type AnonVma, type Vma, canMerge, offsetOf, pageBytes, upperPiece } from "./vma.ts";
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
  /**
   * Bytes of huge pages that it has mapped less those it has unmapped (hugetlb_usage). Through a
   * shared table one process maps for another, so that this is no count of its entries.
   */
  hugetlbBytes = 0;
  /** CPUs that may cache its translations (mm_cpumask()). */
  readonly ranOn = new Set<number>();
  /** Those of them that ran another when something was invalidated (mm->context.tlb_gen). */
  readonly behindOn = new Set<number>();
  /** What entries say beside where their pages are. */
  readonly marks = new PageMarks();
  /** VM_LOCKED bits that later mappings get (mm->def_flags). */
  defaultFlags = 0;
  readonly #mergesWithUntouched: boolean;
  /** By address. */
  readonly #vmas = new OrderedTree((a: Vma, b: Vma) => a.start - b.start, summarizeHoles);

  /** `mergesWithUntouched`: Profile.mergesWithUntouched. */
  constructor(root: number, pcid: number, pid: number, mergesWithUntouched: boolean) {
    this.#mergesWithUntouched = mergesWithUntouched;
    this.root = root;
    this.pcid = pcid;
    this.pid = pid;
  }

  /** All of them, by address. */
  get vmas(): readonly Vma[] {
    return this.#vmas.within(() => 0);
  }

  /** The mapping that contains `address`. */
  find(address: number): Vma | undefined {
    const vma = this.firstEndingAfter(address);
    return vma && vma.start <= address ? vma : undefined;
  }

  /** The lowest mapping that ends above `address`. */
  firstEndingAfter(address: number): Vma | undefined {
    return this.#vmas.first(({ end }) => end <= address);
  }

  /** The highest mapping that ends at or below `address`. */
  lastEndingBy(address: number): Vma | undefined {
    return this.#vmas.last(({ end }) => end <= address);
  }

  /** The mappings that meet [start, end), in order. */
  overlapping(start: number, end: number): Vma[] {
    return this.#vmas.within((vma) => (vma.end <= start ? -1 : vma.start >= end ? 1 : 0));
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
    this.#vmas.insert(vma);
  }

  delete(vma: Vma): void {
    this.#vmas.delete(vma);
  }

  /**
   * vma_set_range(): moves the borders of a mapping, and the offset with its start. Precondition:
   * what it takes in is free.
   */
  setRange(vma: Vma, start: number, end: number): void {
    vma.offset = offsetOf(vma, start);
    vma.start = start;
    vma.end = end;
    this.#vmas.refresh(vma);
  }

  /** Makes `address` a border between mappings; the pieces, if one was split. False: EINVAL. */
  splitAt(address: number): { readonly lower: Vma; readonly upper: Vma } | undefined | false {
    const vma = this.find(address);
    if (!vma || vma.start === address) return undefined;
    // hugetlb_vm_op_split()
    if (address % pageBytes(vma) !== 0) return false;
    const upper = upperPiece(vma, address);
    this.setRange(vma, vma.start, address);
    this.insert(upper);
    return { lower: vma, upper };
  }

  /** vma_merge(): makes `vma` one with each neighbour with which it can be; the one it is now. */
  merge(vma: Vma): Vma {
    const { anonVma } = vma;
    const below = this.find(vma.start - 1);
    const joins = below && canMerge(below, vma) && this.#accepts(anonVma, below);
    return this.mergeUp(joins ? this.#join(below, vma) : vma, anonVma);
  }

  /** As `merge`, with the upper neighbour alone; `anonVma` is that of what has changed. */
  mergeUp(vma: Vma, anonVma = vma.anonVma): Vma {
    const above = this.find(vma.end);
    const joins = above && canMerge(vma, above) && this.#accepts(anonVma, above);
    return joins ? this.#join(vma, above) : vma;
  }

  /** What has an anon_vma can become one with a neighbour that has none yet, or cannot. */
  #accepts(anonVma: AnonVma | undefined, neighbour: Vma): boolean {
    return this.#mergesWithUntouched || anonVma === undefined || anonVma === neighbour.anonVma;
  }

  /** `vma` takes in the next one. */
  #join(vma: Vma, next: Vma): Vma {
    this.delete(next);
    this.setRange(vma, vma.start, next.end);
    vma.flags |= next.flags;
    vma.anonVma ??= next.anonVma;
    return vma;
  }

  /** Whether nothing is mapped in [start, end), and something could be. */
  isFree(start: number, end: number): boolean {
    const above = this.firstEndingAfter(start);
    return start >= 0 && end <= TASK_SIZE && (!above || end <= above.start);
  }

  /** `isFree`, and no stack could grow into it. */
  isFreeForHint(start: number, end: number): boolean {
    if (!this.isFree(start, end)) return false;
    const above = this.firstEndingAfter(start);
    return !above || end <= startWithGap(above);
  }

  /**
   * unmapped_area_topdown(): where the highest hole in [low, high) that holds `length` at
   * `alignment` holds it. A hole has to be longer by the alignment less a page, wherever it lies,
   * and the guard gap is asked for of the mapping right above it alone.
   */
  findHighest(length: number, alignment: number, low: number, high: number): number | undefined {
    const needed = length + alignment - PAGE_4K;
    for (let limit = high; ;) {
      const hole = findHole(this.#vmas.root, "highest", needed, low, limit);
      if (!hole) return undefined;
      const above = this.firstEndingAfter(hole.end);
      if (!above || hole.end <= startWithGap(above)) {
        return roundDown(hole.end - length, alignment);
      }
      limit = startWithGap(above);
    }
  }

  /**
   * unmapped_area(): the same of the lowest hole; below a stack as much has to be free from the
   * aligned start on.
   */
  findLowest(length: number, alignment: number, low: number, high: number): number | undefined {
    const needed = length + alignment - PAGE_4K;
    for (let limit = low; ;) {
      const hole = findHole(this.#vmas.root, "lowest", needed, limit, high);
      if (!hole) return undefined;
      const start = roundUp(hole.start, alignment);
      const above = this.firstEndingAfter(hole.end);
      const isStack = above && above.flags & VM_GROWSDOWN;
      if (!isStack || start + needed <= startWithGap(above)) return start;
      limit = above.end;
    }
  }

  /** Borders of the hole around [start, end), in which tables serve nothing (free_pgtables()). */
  holeAround(start: number, end: number): { readonly floor: number; readonly ceiling: number } {
    const above = this.firstEndingAfter(start);
    return {
      floor: this.lastEndingBy(start)?.end ?? 0,
      ceiling: above ? Math.max(end, above.start) : USER_END,
    };
  }
}
