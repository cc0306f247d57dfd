/**
 * Kernel profiles: where the kernels differ, as data. A rule that is the same in all of them is in
 * the code; one that is not is a field (`profile-fields.ts`), consulted at the place where the
 * kernels part.
 *
 * 6.1, 6.12 and 6.18 are checked against recordings of those kernels (`test/recorded`). The 2.6
 * columns were read in those kernels' sources (mm/hugetlb.c, arch/x86/mm/fault.c, mm/mlock.c) and
 * have not been run. `fixed` is 6.18 without its known defects.
 */
import { OptionError } from "../errors.ts";
import type { ProfileValues } from "./profile-fields.ts";

export interface Profile extends ProfileValues {
  readonly name: string;
}

const FIXED: Profile = {
  name: "fixed",
  privateReservation: "map",
  hearsNoreserve: true,
  ownerCowFails: "steal",
  noPageSignal: "SIGBUS",
  zapRestoresReservation: "last use",
  forkForgetsUnmapped: false,
  stealLooksAt: "own address",
  stealShiftsOffsetTwice: false,
  sharedFaultNeedsAvailable: false,
  sharedNoreserveTakesReserved: false,
  ownerCowAsksQuota: true,
  minimumServesAll: true,
  quotaFallback: "exact",
  hasMemfd: true,
  mprotectUnaccounts: true,
  mincoreMixesIndexes: false,
  pinsSpanFiles: true,
  surplusForgetsMinimum: false,
  fixedCannotUnmap: "EINVAL",
  hasSharedValidate: true,
  hasSealExec: true,
  forkCopiesShared: false,
  hasHugeDontneed: true,
  hasHugeMove: true,
  moveForgetsRest: false,
  movesManyMappings: true,
  mremapChecksFirst: true,
  defersFput: true,
  hasHugetlbCgroups: true,
  newCgroupReadsMax: true,
  hasNewAdvice: true,
  hasGuardRegions: true,
  hasHugeRemove: true,
  willneedNeedsFile: false,
  hasLockOnFault: true,
  hasProcmemWrite: true,
  forcesHugeWrites: true,
  hasIoUring: true,
  mergesWithUntouched: true,
  showsLockOnFault: true,
  populatesBehindHoles: false,
  clearsWholeWords: false,
  pinnedCopyIsWritable: false,
  countsRings: true,
  hugeReuseCountsReferences: false,
  stackIsNoHuge: true,
  alignsAnonymous: true,
  roundsHugeLength: true,
  hintIsRounded: "up",
  mlockFirstPageFails: "ENOMEM",
  mlockLaterPageFails: "ENOMEM",
  pagemapKnowsSharedTables: true,
  surplusHeedsBind: true,
  nodeCountHasSurplus: false,
  shrinkTakesSurplus: false,
  bootChunks: "1 per 4 CPUs",
  smapsShows1GShared: false,
  hasUserfaultfd: true,
  hasUserfaultPoison: true,
  hasUserfaultMove: true,
  continuesProtected: true,
  copyChecksSource: true,
  fillPreparesFirst: true,
  copyWithoutPage: "ENOMEM",
  writeProtectSpansMappings: true,
  unregisterChecksOwner: true,
  forkKeepsProtection: false,
  hasMemoryFailure: false,
};

const V6_18: Profile = {
  ...FIXED,
  name: "6.18",
  zapRestoresReservation: "always",
  forkForgetsUnmapped: true,
  quotaFallback: "minimum first",
  surplusForgetsMinimum: true,
  stealLooksAt: "owner's address",
  newCgroupReadsMax: false,
  moveForgetsRest: true,
  copyWithoutPage: "EEXIST",
  shrinkTakesSurplus: true,
};

const V6_12: Profile = {
  ...V6_18,
  name: "6.12",
  bootChunks: "2 per node",
  zapRestoresReservation: "last mapping",
  newCgroupReadsMax: true,
  minimumServesAll: false,
  quotaFallback: "blind",
  hasGuardRegions: false,
  forcesHugeWrites: false,
  mergesWithUntouched: false,
  pinnedCopyIsWritable: true,
  countsRings: false,
  movesManyMappings: false,
  mremapChecksFirst: false,
  hintIsRounded: "down",
  smapsShows1GShared: true,
  copyWithoutPage: "ENOMEM",
  unregisterChecksOwner: false,
  hasMemoryFailure: true,
};

const V6_1: Profile = {
  ...V6_12,
  name: "6.1",
  surplusHeedsBind: false,
  nodeCountHasSurplus: true,
  bootChunks: "one",
  zapRestoresReservation: "never",
  fixedCannotUnmap: "ENOMEM",
  mprotectUnaccounts: false,
  mincoreMixesIndexes: true,
  pinsSpanFiles: false,
  showsLockOnFault: false,
  populatesBehindHoles: true,
  clearsWholeWords: true,
  pagemapKnowsSharedTables: false,
  hasSealExec: false,
  smapsShows1GShared: false,
  stackIsNoHuge: false,
  alignsAnonymous: false,
  hasUserfaultPoison: false,
  hasUserfaultMove: false,
  continuesProtected: false,
  copyChecksSource: false,
  fillPreparesFirst: false,
  writeProtectSpansMappings: false,
  forkKeepsProtection: true,
};

const V2_6_27: Profile = {
  ...V6_1,
  name: "2.6.27",
  noPageSignal: "SIGKILL",
  stealShiftsOffsetTwice: true,
  sharedNoreserveTakesReserved: true,
  ownerCowAsksQuota: false,
  hasMemfd: false,
  hasSharedValidate: false,
  forkCopiesShared: true,
  hasHugeDontneed: false,
  hasHugeMove: false,
  defersFput: false,
  hasHugetlbCgroups: false,
  hasNewAdvice: false,
  hasHugeRemove: false,
  willneedNeedsFile: true,
  hasLockOnFault: false,
  hasProcmemWrite: false,
  hasIoUring: false,
  hugeReuseCountsReferences: true,
  roundsHugeLength: false,
  hintIsRounded: "up",
  hasUserfaultfd: false,
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
  mlockFirstPageFails: "EFAULT",
  mlockLaterPageFails: "EPERM",
};

/** Oldest first; `fixed` last. */
export const PROFILES: readonly Profile[] = [V2_6_26, SEED, V2_6_27, V6_1, V6_12, V6_18, FIXED];

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
