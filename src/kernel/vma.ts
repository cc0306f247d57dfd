/** A mapping of an address space (struct vm_area_struct), and how its reservation splits. */
import { PAGE_4K } from "../address.ts";
import type { Rights } from "../hardware/page-tables.ts";
import type { Inode } from "./hugetlbfs.ts";
import { type Mempolicy, isSamePolicy } from "./mempolicy.ts";
import type { PageCounter } from "./page-counter.ts";
import type { RegionMap } from "./region-map.ts";
import { VM_MAYBE_GUARD } from "./vm-flags.ts";

export interface Protection {
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
}

/** What a private mapping's owner holds: pages not consumed yet are reserved for it. */
type Reservation =
  | {
      readonly kind: "map";
      readonly consumed: RegionMap;
      /** Whom it is charged to, page by page of the mapping; undefined: the root. */
      readonly payer: PageCounter | undefined;
    }
  /** A count in the VMA, copied by a split: the first reserving kernel's defect. */
  | { readonly kind: "count"; readonly pages: number };

/** Whom anonymous 4K pages belong to; two mappings have the same one if it is the same object. */
export interface AnonVma {
  /** Made by a fork: it has the parent's behind it (vma_had_uncowed_parents()). */
  readonly isForked: boolean;
}

export interface Vma {
  start: number;
  end: number;
  protection: Protection;
  /** VM_MAYSHARE */
  readonly isShared: boolean;
  /** VM_ bits. */
  flags: number;
  /** The huge file it maps; undefined: private anonymous memory of 4K pages. */
  readonly inode: Inode | undefined;
  /** Offset of `start` in the file in bytes; without a file, its address when mapped (vm_pgoff). */
  offset: number;
  /** HPAGE_RESV_OWNER: mapped by the process that called mmap, with a reservation. */
  isOwner: boolean;
  reservation: Reservation | undefined;
  /** HPAGE_RESV_UNMAPPED: pages were taken from it. */
  isUnmapped: boolean;
  /** What mbind asked for; undefined: the task's policy counts. */
  policy: Mempolicy | undefined;
  /** Of a private mapping; undefined until a page is its own. */
  anonVma: AnonVma | undefined;
  /** The userfaultfd that it is registered with (vm_userfaultfd_ctx). */
  userfaultfd: object | undefined;
}

/** Bytes of the pages it maps. */
export function pageBytes(vma: Vma): number {
  return vma.inode ? vma.inode.hstate.pageBytes : PAGE_4K;
}

/** vma_hugecache_offset(): index of an address in the file, in the file's huge pages. */
export function fileIndex(vma: Vma, inode: Inode, address: number): number {
  return Math.floor(offsetOf(vma, address) / inode.hstate.pageBytes);
}

/** Offset of an address of the mapping, as `Vma.offset` is that of its start. */
export function offsetOf(vma: Vma, address: number): number {
  return vma.offset + (address - vma.start);
}

/** vma_is_accessible() */
export function isAccessible({ read, write, execute }: Protection): boolean {
  return read || write || execute;
}

/**
 * Rights of a leaf in this mapping: at most the mapping's (maybe_mkwrite()); private pages become
 * writable by their fault alone.
 */
export function leafRights(vma: Vma, isWritable: boolean): Rights {
  const { write, execute } = vma.protection;
  return {
    user: true,
    writable: isWritable && write,
    executable: execute,
    none: !isAccessible(vma.protection),
  };
}

export function isSameProtection(a: Protection, b: Protection): boolean {
  return a.read === b.read && a.write === b.write && a.execute === b.execute;
}

/** What of the mapping lies at and above `address`, as a mapping of its own (split_vma()). */
export function upperPiece(vma: Vma, address: number): Vma {
  return { ...vma, start: address, offset: offsetOf(vma, address) };
}

/** Whether `next`, which follows `vma`, can be one with it (can_vma_merge_after()). */
export function canMerge(vma: Vma, next: Vma): boolean {
  return (
    vma.end === next.start &&
    isSameProtection(vma.protection, next.protection) &&
    isMergeableBesideProtection(vma, next)
  );
}

/** Precondition: `next` follows `vma`. Huge mappings never merge. */
function isMergeableBesideProtection(vma: Vma, next: Vma): boolean {
  return (
    vma.inode === undefined &&
    next.inode === undefined &&
    (vma.flags & ~VM_MAYBE_GUARD) === (next.flags & ~VM_MAYBE_GUARD) &&
    vma.userfaultfd === next.userfaultfd &&
    offsetOf(vma, vma.end) === next.offset &&
    isSamePolicy(vma.policy, next.policy) &&
    isMergeableAnonVma(vma.anonVma, next.anonVma)
  );
}

/** is_mergeable_anon_vma(): one of them may have none yet, if the other was not made by a fork. */
function isMergeableAnonVma(a: AnonVma | undefined, b: AnonVma | undefined): boolean {
  if (a === undefined || b === undefined) return !a?.isForked && !b?.isForked;
  return a === b;
}

/**
 * find_mergeable_anon_vma(): the neighbour's anon_vma, where the two could merge if their
 * protection were the same. Precondition: `vma` has none.
 */
export function reusableAnonVma(
  lower: Vma | undefined,
  upper: Vma | undefined,
): AnonVma | undefined {
  if (!lower || !upper || !isMergeableBesideProtection(lower, upper)) return undefined;
  return lower.anonVma ?? upper.anonVma;
}
