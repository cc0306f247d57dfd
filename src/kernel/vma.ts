/** A mapping of an address space (struct vm_area_struct), and how its reservation splits. */
import { PAGE_4K } from "../address.ts";
import type { Rights } from "../hardware/page-tables.ts";
import type { Inode } from "./hugetlbfs.ts";
import type { RegionMap } from "./region-map.ts";

export interface Protection {
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
}

/** What a private mapping's owner holds: pages not consumed yet are reserved for it. */
type Reservation =
  | { readonly kind: "map"; readonly consumed: RegionMap }
  /** A count in the VMA, copied by a split: the first reserving kernel's defect. */
  | { readonly kind: "count"; readonly pages: number };

export interface Vma {
  start: number;
  end: number;
  protection: Protection;
  /** VM_MAYSHARE */
  readonly isShared: boolean;
  readonly isNoreserve: boolean;
  /** MADV_DONTFORK */
  isDontFork: boolean;
  /** The huge file it maps; undefined: private anonymous memory of 4K pages. */
  readonly inode: Inode | undefined;
  /** Offset of `start` in the file, in bytes. */
  offset: number;
  /** HPAGE_RESV_OWNER: mapped by the process that called mmap, with a reservation. */
  isOwner: boolean;
  reservation: Reservation | undefined;
  /** HPAGE_RESV_UNMAPPED: pages were taken from it. */
  isUnmapped: boolean;
  /** Identity of the anon_vma of a 4K mapping: pieces with different ones do not merge. */
  anonVma: object | undefined;
}

/** Bytes of the pages it maps. */
export function pageBytes(vma: Vma): number {
  return vma.inode ? vma.inode.hstate.pageBytes : PAGE_4K;
}

/** vma_hugecache_offset(): index of an address in the file, in the file's huge pages. */
export function fileIndex(vma: Vma, inode: Inode, address: number): number {
  return Math.floor((address - vma.start + vma.offset) / inode.hstate.pageBytes);
}

/** Rights of a leaf in this mapping; private pages become writable by their fault alone. */
export function leafRights(vma: Vma, isWritable: boolean): Rights {
  const { read, write, execute } = vma.protection;
  return {
    user: true,
    writable: isWritable,
    executable: execute,
    none: !read && !write && !execute,
  };
}

/** Splits at `address` (split_vma()): `vma` keeps the lower piece; the upper one is returned. */
export function splitVma(vma: Vma, address: number): Vma {
  const upper: Vma = { ...vma, start: address, offset: vma.offset + (address - vma.start) };
  vma.end = address;
  return upper;
}

/** Whether `next`, which follows `vma`, can be one with it (can_vma_merge_after()). */
export function canMerge(vma: Vma, next: Vma): boolean {
  return (
    vma.end === next.start &&
    vma.inode === undefined &&
    next.inode === undefined &&
    vma.protection.read === next.protection.read &&
    vma.protection.write === next.protection.write &&
    vma.protection.execute === next.protection.execute &&
    vma.isNoreserve === next.isNoreserve &&
    vma.isDontFork === next.isDontFork &&
    (vma.anonVma === next.anonVma || vma.anonVma === undefined || next.anonVma === undefined)
  );
}
