/** What a mapping has beside its protection (include/linux/mm.h: vm_flags). */

/** MAP_GROWSDOWN */
export const VM_GROWSDOWN = 1 << 0;
/** mlock, MAP_LOCKED; never on huge memory. */
export const VM_LOCKED = 1 << 1;
/** MADV_DONTFORK */
export const VM_DONTCOPY = 1 << 2;
/** Counts as memory that the process may come to use. */
export const VM_ACCOUNT = 1 << 3;
export const VM_NORESERVE = 1 << 4;
export const VM_WIPEONFORK = 1 << 5;
/** MAP_STACK, MADV_NOHUGEPAGE */
export const VM_NOHUGEPAGE = 1 << 6;
/** MADV_HUGEPAGE */
export const VM_HUGEPAGE = 1 << 7;
/** MADV_SEQUENTIAL */
export const VM_SEQ_READ = 1 << 8;
/** MADV_RANDOM */
export const VM_RAND_READ = 1 << 9;
/** mlock2: locked pages come with their faults. */
export const VM_LOCKONFAULT = 1 << 10;
/** MADV_DONTDUMP */
export const VM_DONTDUMP = 1 << 11;
/** MADV_MERGEABLE, of 4K memory. */
export const VM_MERGEABLE = 1 << 12;
/** MADV_GUARD_INSTALL was done somewhere in it; does not keep mappings from merging. */
export const VM_MAYBE_GUARD = 1 << 13;

export const VM_LOCKED_MASK = VM_LOCKED | VM_LOCKONFAULT;

/** A shared mapping of a file that is open for writing; `Vma.isShared` is VM_MAYSHARE. */
export const VM_SHARED = 1 << 14;
/** mprotect may make it writable. */
export const VM_MAYWRITE = 1 << 15;

/** Faults that a userfaultfd takes: without a page, or without an entry for the file's page. */
export const VM_UFFD_MISSING = 1 << 20;
export const VM_UFFD_MINOR = 1 << 21;
/** Writes to pages that are protected for a userfaultfd. */
export const VM_UFFD_WP = 1 << 22;
export const VM_UFFD_MASK = VM_UFFD_MISSING | VM_UFFD_MINOR | VM_UFFD_WP;

/** By the letters that smaps shows. */
export const VM_FLAG_OF = {
  sh: VM_SHARED,
  mw: VM_MAYWRITE,
  gd: VM_GROWSDOWN,
  um: VM_UFFD_MISSING,
  gu: VM_MAYBE_GUARD,
  uw: VM_UFFD_WP,
  lo: VM_LOCKED,
  sr: VM_SEQ_READ,
  rr: VM_RAND_READ,
  dc: VM_DONTCOPY,
  lf: VM_LOCKONFAULT,
  ac: VM_ACCOUNT,
  nr: VM_NORESERVE,
  wf: VM_WIPEONFORK,
  dd: VM_DONTDUMP,
  hg: VM_HUGEPAGE,
  nh: VM_NOHUGEPAGE,
  ui: VM_UFFD_MINOR,
  mg: VM_MERGEABLE,
} as const;

/** `flags` with those of `mask` set or cleared. */
export function withFlags(flags: number, mask: number, isSet: boolean): number {
  return isSet ? flags | mask : flags & ~mask;
}
