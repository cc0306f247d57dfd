/**
 * Kernel profiles: where the kernels differ, as data. A rule that is the same in all of them is in
 * the code; one that is not is a field here, consulted at the place where the kernels part.
 *
 * 6.1, 6.12 and 6.18 are checked against recordings of those kernels (`test/recorded`). The 2.6
 * columns were read in those kernels' sources (mm/hugetlb.c, arch/x86/mm/fault.c, mm/mlock.c) and
 * have not been run. `fixed` is 6.18 without its known defects.
 */
import { OptionError } from "../errors.ts";
import type { Errno } from "./errno.ts";

export interface Profile {
  readonly name: string;
  /** What mmap reserves for a private mapping: nothing, a count in the VMA, or a region map. */
  readonly privateReservation: "none" | "count" | "map";
  /** Whether MAP_NORESERVE is heard; the first reserving kernel did not. */
  readonly hearsNoreserve: boolean;
  /** When the owner's copy-on-write finds no page. */
  readonly ownerCowFails: "kill" | "steal";
  /** What ends a process whose fault finds no page: VM_FAULT_OOM or VM_FAULT_SIGBUS. */
  readonly noPageSignal: "SIGKILL" | "SIGBUS";
  /** When zapping the owner's private page gives its reservation back (never while S > 0). */
  readonly zapRestoresReservation: "never" | "last mapping" | "always";
  /** Defect D2: a robbed child's child is not marked UNMAPPED. */
  readonly forkForgetsUnmapped: boolean;
  /** Defect D3: the steal looks for the page at the owner's address instead of each mapping's own. */
  readonly stealLooksAt: "owner's address" | "own address";
  /** unmap_ref_private() shifted the file offset twice, and found no mapping at some offsets. */
  readonly stealShiftsOffsetTwice: boolean;
  /** A fault of a shared mapping: uses its reservation, or fails when F == R although reserved. */
  readonly sharedFaultNeedsAvailable: boolean;
  /** A shared NORESERVE fault takes any free page, reserved or not. */
  readonly sharedNoreserveTakesReserved: boolean;
  /** The owner's copy-on-write asks for the mount's quota; the first kernels forgot to. */
  readonly ownerCowAsksQuota: boolean;
  /** A page that the mount's minimum keeps serves any fault, not the owner's and shared ones alone. */
  readonly minimumServesAll: boolean;
  /** What a seal keeps from being written can be mapped shared to be read (6.7). */
  readonly sealedMapsReadOnly: boolean;
  /** F_SEAL_EXEC (6.3) */
  readonly hasSealExec: boolean;
  /** fork copies the entries of shared mappings too, instead of leaving them to be faulted in. */
  readonly forkCopiesShared: boolean;
  /** MADV_DONTNEED on hugetlb is allowed (5.18). */
  readonly hasHugeDontneed: boolean;
  /** mremap moves hugetlb mappings (5.16). */
  readonly hasHugeMove: boolean;
  /**
   * Defect D4: when part of a private huge mapping moves, what stays behind loses its reservation
   * for ever, OWNER and UNMAPPED.
   */
  readonly moveForgetsRest: boolean;
  /** mremap to a fixed address with equal lengths moves every mapping of the range (6.17). */
  readonly movesManyMappings: boolean;
  /** mremap judges the target, and what would move, before it unmaps anything (6.17). */
  readonly mremapChecksFirst: boolean;
  /** A file dies when the system call returns in which its last user went, not at once (3.6). */
  readonly defersFput: boolean;
  /** MADV_WIPEONFORK (4.14) */
  readonly hasWipeOnFork: boolean;
  /** MAP_STACK: VM_NOHUGEPAGE (6.7). */
  readonly stackIsNoHuge: boolean;
  /** 4K memory whose length is a multiple of 2M is placed at a multiple of 2M (6.7). */
  readonly alignsAnonymous: boolean;
  /** A huge length is rounded up by mmap, or must be a multiple of the huge page. */
  readonly roundsHugeLength: boolean;
  /** How a huge mmap hint that is not aligned is made so. */
  readonly hintIsRounded: "up" | "down";
  /** errno of mlock when the first page, or a later one, cannot be had. */
  readonly mlockFails: { readonly first: Errno; readonly later: Errno };
  /** pagemap shows a page whose table is shared as not exclusive. */
  readonly pagemapKnowsSharedTables: boolean;
  /** smaps shows a 1G page that one process maps as Shared_Hugetlb. */
  readonly smapsShows1GShared: boolean;
}

const FIXED: Profile = {
  name: "fixed",
  privateReservation: "map",
  hearsNoreserve: true,
  ownerCowFails: "steal",
  noPageSignal: "SIGBUS",
  zapRestoresReservation: "last mapping",
  forkForgetsUnmapped: false,
  stealLooksAt: "own address",
  stealShiftsOffsetTwice: false,
  sharedFaultNeedsAvailable: false,
  sharedNoreserveTakesReserved: false,
  ownerCowAsksQuota: true,
  minimumServesAll: true,
  sealedMapsReadOnly: true,
  hasSealExec: true,
  forkCopiesShared: false,
  hasHugeDontneed: true,
  hasHugeMove: true,
  moveForgetsRest: false,
  movesManyMappings: true,
  mremapChecksFirst: true,
  defersFput: true,
  hasWipeOnFork: true,
  stackIsNoHuge: true,
  alignsAnonymous: true,
  roundsHugeLength: true,
  hintIsRounded: "up",
  mlockFails: { first: "ENOMEM", later: "ENOMEM" },
  pagemapKnowsSharedTables: true,
  smapsShows1GShared: false,
};

const V6_18: Profile = {
  ...FIXED,
  name: "6.18",
  zapRestoresReservation: "always",
  forkForgetsUnmapped: true,
  stealLooksAt: "owner's address",
  moveForgetsRest: true,
};

const V6_12: Profile = {
  ...V6_18,
  name: "6.12",
  zapRestoresReservation: "last mapping",
  minimumServesAll: false,
  movesManyMappings: false,
  mremapChecksFirst: false,
  hintIsRounded: "down",
  smapsShows1GShared: true,
};

const V6_1: Profile = {
  ...V6_12,
  name: "6.1",
  zapRestoresReservation: "never",
  pagemapKnowsSharedTables: false,
  sealedMapsReadOnly: false,
  hasSealExec: false,
  smapsShows1GShared: false,
  stackIsNoHuge: false,
  alignsAnonymous: false,
};

const V2_6_27: Profile = {
  ...V6_1,
  name: "2.6.27",
  noPageSignal: "SIGKILL",
  stealShiftsOffsetTwice: true,
  sharedNoreserveTakesReserved: true,
  ownerCowAsksQuota: false,
  forkCopiesShared: true,
  hasHugeDontneed: false,
  hasHugeMove: false,
  defersFput: false,
  hasWipeOnFork: false,
  roundsHugeLength: false,
  hintIsRounded: "up",
};

const SEED: Profile = {
  ...V2_6_27,
  name: "2.6.27-seed",
  privateReservation: "count",
  hearsNoreserve: false,
  sharedFaultNeedsAvailable: true,
};

const V2_6_26: Profile = {
  ...V2_6_27,
  name: "2.6.26",
  privateReservation: "none",
  ownerCowFails: "kill",
  mlockFails: { first: "EFAULT", later: "EPERM" },
};

/** Oldest first; `fixed` last. */
const PROFILES: readonly Profile[] = [V2_6_26, SEED, V2_6_27, V6_1, V6_12, V6_18, FIXED];

/** The newest real kernel: what a script that names none runs on. */
export const DEFAULT_PROFILE = "6.18";

export const profileNames: readonly string[] = PROFILES.map(({ name }) => name);

/** Throws OptionError if there is no profile of that name. */
export function profile(name: string): Profile {
  const found = PROFILES.find((candidate) => candidate.name === name);
  if (!found) {
    throw new OptionError("kernel", `no profile "${name}"; there are ${profileNames.join(", ")}`);
  }
  return found;
}
