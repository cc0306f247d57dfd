/** What madvise can be told (include/uapi/asm-generic/mman-common.h: MADV_). */
import {
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_HUGEPAGE,
  VM_MERGEABLE,
  VM_NOHUGEPAGE,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_WIPEONFORK,
} from "./vm-flags.ts";

/** Advice that is kept in a mapping's flags: which it clears, and which it sets. */
export const FLAG_CHANGES = {
  dontfork: [0, VM_DONTCOPY],
  dofork: [VM_DONTCOPY, 0],
  wipeonfork: [0, VM_WIPEONFORK],
  keeponfork: [VM_WIPEONFORK, 0],
  dontdump: [0, VM_DONTDUMP],
  dodump: [VM_DONTDUMP, 0],
  random: [VM_SEQ_READ, VM_RAND_READ],
  sequential: [VM_RAND_READ, VM_SEQ_READ],
  mergeable: [0, VM_MERGEABLE],
  hugepage: [VM_NOHUGEPAGE, VM_HUGEPAGE],
  nohugepage: [VM_HUGEPAGE, VM_NOHUGEPAGE],
} as const;

export type FlagAdvice = keyof typeof FLAG_CHANGES;

export type Advice =
  | FlagAdvice
  | "dontneed"
  | "dontneed_locked"
  | "free"
  | "remove"
  | "willneed"
  | "cold"
  | "pageout"
  | "populate_read"
  | "populate_write"
  | "collapse"
  | "guard_install"
  | "hwpoison"
  | "soft_offline";

/** What the 2.6 kernels know. */
export const ADVICE_OF_2_6: ReadonlySet<Advice> = new Set<Advice>([
  "dontneed",
  "remove",
  "willneed",
  "dontfork",
  "dofork",
  "random",
  "sequential",
]);
