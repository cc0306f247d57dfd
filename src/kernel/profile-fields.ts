/**
 * What kernels differ in: a field a row, with what it decides, where that is read in the kernel,
 * and its values; without `values` it is yes or no. A version in `source` is the one that changed
 * it, hexadecimal digits the commit. `hugewalk profiles` and docs/profiles.md print this.
 */
interface Field {
  readonly what: string;
  readonly source: string;
  readonly values?: readonly string[];
}

export const PROFILE_FIELDS = {
  privateReservation: {
    what: "mmap reserves for a private mapping",
    source: "mm/hugetlb.c: hugetlb_reserve_pages(); 04f2cbe35699, 2.6.27",
    values: ["none", "count", "map"],
  },
  hearsNoreserve: {
    what: "MAP_NORESERVE is heard",
    source: "mm/hugetlb.c: hugetlb_reserve_pages(); 2.6.27",
  },
  ownerCowFails: {
    what: "the owner's copy-on-write finds no page",
    source: "mm/hugetlb.c: hugetlb_wp(); 04f2cbe35699",
    values: ["kill", "steal"],
  },
  noPageSignal: {
    what: "another's fault finds no page",
    source: "VM_FAULT_OOM or VM_FAULT_SIGBUS; 4a6018f7f4f1, May 2010",
    values: ["SIGKILL", "SIGBUS"],
  },
  zapRestoresReservation: {
    what: "zapping the owner's page restores its reservation (if S = 0)",
    source:
      "mm/hugetlb.c: __unmap_hugepage_range(); always, also while others map the page, is a defect",
    values: ["never", "last mapping", "always", "last use"],
  },
  forkForgetsUnmapped: {
    what: "a robbed child's child is not marked: it reads zeros",
    source: "mm/hugetlb.c: hugetlb_dup_vma_private(); a defect",
  },
  stealLooksAt: {
    what: "the steal looks for the page in other mappings at",
    source: "mm/hugetlb.c: unmap_ref_private(); the owner's address is a defect",
    values: ["owner's address", "own address"],
  },
  stealShiftsOffsetTwice: {
    what: "the steal shifts the file offset twice, and misses some",
    source: "mm/hugetlb.c: unmap_ref_private(); until 0c176d5, 3.x",
  },
  sharedFaultNeedsAvailable: {
    what: "a shared fault fails when F = R, although it is reserved",
    source: "mm/hugetlb.c: vma_has_reserves(); until 7f09ca51e92, 2.6.27",
  },
  sharedNoreserveTakesReserved: {
    what: "a shared NORESERVE fault takes reserved pages too",
    source: "mm/hugetlb.c: vma_has_reserves(); until 2.6.29",
  },
  ownerCowAsksQuota: {
    what: "the owner's copy-on-write asks for the mount's quota",
    source: "mm/hugetlb.c: alloc_hugetlb_folio(); not in 2.6.27",
  },
  minimumServesAll: {
    what: "a page that min_size keeps serves any fault",
    source: "mm/hugetlb.c: alloc_hugetlb_folio(); 6.14",
  },
  quotaFallback: {
    what: "what a mount's quota gets back when the pool has no page",
    source: "mm/hugetlb.c: hugetlb_reserve_pages(); a833a693a490, 6.15",
    values: ["blind", "minimum first", "exact"],
  },
  hasMemfd: {
    what: "memfd_create makes files of huge pages",
    source: "mm/memfd.c: memfd_create(); 4.14",
  },
  hasSealExec: {
    what: "F_SEAL_EXEC is known",
    source: "mm/memfd.c: memfd_add_seals(); 6.3",
  },
  hasSharedValidate: {
    what: "MAP_SHARED_VALIDATE is known",
    source: "mm/mmap.c: do_mmap(); 4.15",
  },
  fixedCannotUnmap: {
    what: "mmap at a fixed address that cuts a huge page",
    source: "mm/mmap.c: mmap_region(), vms_gather_munmap_vmas(); 6.12",
    values: ["ENOMEM", "EINVAL"],
  },
  surplusForgetsMinimum: {
    what: "a freed surplus page leaves though min_size needs it",
    source: "mm/hugetlb.c: free_huge_folio(); R rises above F",
  },
  pinsSpanFiles: {
    what: "a buffer of an io_uring may lie in mappings of several files",
    source: "io_uring/rsrc.c: io_pin_pages(); 6.5",
  },
  mincoreMixesIndexes: {
    what: "mincore asks the cache for indexes of 4K in huge pages",
    source: "mm/mincore.c: __mincore_unmapped_range(); until 6.7",
  },
  mprotectUnaccounts: {
    what: "untouched memory made read-only is not accounted any more",
    source: "mm/mprotect.c: mprotect_fixup(); after 6.1",
  },
  forkCopiesShared: {
    what: "fork copies the entries of shared mappings",
    source: "mm/hugetlb.c: copy_hugetlb_page_range(); until bcd51a3c679d, 6.0",
  },
  hasHugeDontneed: {
    what: "MADV_DONTNEED is allowed on huge pages",
    source: "mm/madvise.c; 90e7e7f5ef3f, 5.18",
  },
  hasHugeMove: {
    what: "mremap moves huge pages",
    source: "mm/hugetlb.c: move_hugetlb_page_tables(); 550a7d60bd5e, 5.16",
  },
  moveForgetsRest: {
    what: "moving part of a mapping forgets the rest's reservation",
    source: "mm/hugetlb.c: fixup_hugetlb_reservations(); a defect",
  },
  movesManyMappings: {
    what: "mremap moves several mappings at once",
    source: "mm/mremap.c: remap_move(); 6.17",
  },
  mremapChecksFirst: {
    what: "mremap checks everything before it unmaps anything",
    source: "mm/mremap.c: do_mremap(); 6.17",
  },
  defersFput: {
    what: "a file outlives the system call in which its last user goes",
    source: "fs/file_table.c: fput(); 3.6",
  },
  hasHugetlbCgroups: {
    what: "cgroup v2 limits huge pages",
    source: "mm/hugetlb_cgroup.c; 5.6, and reservations 5.7",
  },
  newCgroupReadsMax: {
    what: "a new group's limit reads max, not 9223372036854771712",
    source: "mm/hugetlb_cgroup.c: hugetlb_cgroup_init(); VM_BUG_ON() of 6.17 leaves its work out",
  },
  hasNewAdvice: {
    what: "madvise knows what came between 2.6.27 and 6.1",
    source: "mm/madvise.c: madvise_behavior_valid()",
  },
  hasGuardRegions: {
    what: "MADV_GUARD_INSTALL is known",
    source: "mm/madvise.c: madvise_guard_install(); 6.13",
  },
  hasHugeRemove: {
    what: "MADV_REMOVE punches a hole into huge memory",
    source: "mm/madvise.c: madvise_remove(); 4.3",
  },
  willneedNeedsFile: {
    what: "MADV_WILLNEED of anonymous memory is EBADF",
    source: "mm/madvise.c: madvise_willneed(); until 3.9",
  },
  hasLockOnFault: {
    what: "mlock2 and MCL_ONFAULT are known",
    source: "mm/mlock.c; 4.4",
  },
  hasProcmemWrite: {
    what: "/proc/PID/mem can be written to",
    source: "fs/proc/base.c: mem_write(); 2.6.39",
  },
  forcesHugeWrites: {
    what: "/proc/PID/mem writes to huge memory that is read-only",
    source: "mm/gup.c: check_vma_flags(); 6.16",
  },
  hasIoUring: {
    what: "io_uring pins pages, and fork copies what is pinned",
    source: "io_uring/rsrc.c; 5.1, 5.12",
  },
  mergesWithUntouched: {
    what: "4K memory with pages merges into a neighbour without any",
    source: "mm/vma.c: is_mergeable_anon_vma(); 6.16",
  },
  showsLockOnFault: {
    what: "smaps has a name for VM_LOCKONFAULT: lf, not ??",
    source: "fs/proc/task_mmu.c: show_smap_vma_flags()",
  },
  populatesBehindHoles: {
    what: "MADV_POPULATE goes on behind a hole",
    source: "mm/madvise.c: madvise_populate(); until 6.9",
  },
  clearsWholeWords: {
    what: "copy_to_user into a bad page counts whole words alone",
    source: "arch/x86/lib/clear_page_64.S: clear_user_original(); until 6.4",
  },
  pinnedCopyIsWritable: {
    what: "fork copies a pinned huge page writable, read-only or not",
    source: "mm/hugetlb.c: hugetlb_install_folio(); until 6.16",
  },
  countsRings: {
    what: "an io_uring's own pages count as locked",
    source: "io_uring/memmap.c: io_create_region(); 6.14",
  },
  hugeReuseCountsReferences: {
    what: "reuse of a huge page asks who refers to it, too",
    source: "mm/hugetlb.c: hugetlb_wp(); until 5.19",
  },
  stackIsNoHuge: {
    what: "MAP_STACK sets VM_NOHUGEPAGE",
    source: "include/linux/mman.h: calc_vm_flag_bits(); 6.7",
  },
  alignsAnonymous: {
    what: "4K memory of whole 2M is placed at a multiple of 2M",
    source: "mm/mmap.c: __get_unmapped_area(); 6.7",
  },
  roundsHugeLength: {
    what: "mmap rounds a huge length up, instead of EINVAL",
    source: "mm/mmap.c: ksys_mmap_pgoff()",
  },
  hintIsRounded: {
    what: "mmap rounds an unaligned hint for huge pages",
    source: "fs/hugetlbfs/inode.c: hugetlb_get_unmapped_area()",
    values: ["up", "down"],
  },
  mlockFirstPageFails: {
    what: "mlock whose first page cannot be had",
    source: "mm/mlock.c; 2.6.27",
    values: ["EFAULT", "ENOMEM"],
  },
  mlockLaterPageFails: {
    what: "mlock whose later page cannot be had",
    source: "mm/mlock.c; 2.6.27",
    values: ["EPERM", "ENOMEM"],
  },
  surplusHeedsBind: {
    what: "a reservation's surplus comes from the task's bound nodes",
    source: "mm/hugetlb.c: gather_surplus_pages(); 003af997c8a9, 6.11",
  },
  nodeCountHasSurplus: {
    what: "a node's nr_hugepages counts its surplus as asked for",
    source: "mm/hugetlb.c: set_max_huge_pages(); until 6.15",
  },
  shrinkTakesSurplus: {
    what: "shrinking takes pages off nodes that have surplus alone",
    source: "mm/hugetlb.c: remove_pool_hugetlb_folio(); a defect",
  },
  bootChunks: {
    what: "boot-time pages come in chunks, each from node 0 on",
    source: "mm/hugetlb.c: hugetlb_pages_alloc_boot(); 6.9, 6.15",
    values: ["one", "2 per node", "1 per 4 CPUs"],
  },
  pagemapKnowsSharedTables: {
    what: "pagemap shows a page in a shared table as not exclusive",
    source: "fs/proc/task_mmu.c: pagemap_hugetlb_range()",
  },
  smapsShows1GShared: {
    what: "smaps shows a 1G page of one process as shared",
    source: "fs/proc/task_mmu.c: smaps_hugetlb_range()",
  },
  hasUserfaultfd: {
    what: "userfaultfd is there",
    source: "fs/userfaultfd.c; 4.3",
  },
  hasUserfaultPoison: {
    what: "UFFDIO_POISON is known",
    source: "mm/userfaultfd.c: mfill_atomic_pte_poison(); 6.6",
  },
  hasUserfaultMove: {
    what: "UFFDIO_MOVE is known",
    source: "mm/userfaultfd.c: move_pages(); 6.8",
  },
  continuesProtected: {
    what: "UFFDIO_CONTINUE can write-protect",
    source: "fs/userfaultfd.c: userfaultfd_continue(); 6.4",
  },
  copyChecksSource: {
    what: "UFFDIO_COPY refuses a source outside user memory at once",
    source: "fs/userfaultfd.c: validate_unaligned_range(); 6.6",
  },
  fillPreparesFirst: {
    what: "UFFDIO_COPY gives an anon_vma before it looks further",
    source: "mm/userfaultfd.c: find_vma_and_prepare_anon(); 6.9",
  },
  copyWithoutPage: {
    what: "UFFDIO_COPY of 2M finds no page",
    source: "mm/hugetlb.c: hugetlb_mfill_atomic_pte(); after 6.12",
    values: ["ENOMEM", "EEXIST"],
  },
  writeProtectSpansMappings: {
    what: "UFFDIO_WRITEPROTECT goes over several mappings",
    source: "mm/userfaultfd.c: mwriteprotect_range(); 6.4",
  },
  unregisterChecksOwner: {
    what: "UFFDIO_UNREGISTER refuses what is another userfaultfd's",
    source: "fs/userfaultfd.c: userfaultfd_unregister(); after 6.12",
  },
  forkKeepsProtection: {
    what: "fork copies userfaultfd protection: a child's write is stuck",
    source: "mm/hugetlb.c: copy_hugetlb_page_range(); until 6.1",
  },
  hasMemoryFailure: {
    what: "a poisoned page is SIGBUS with BUS_MCEERR_AR, not BUS_ADRERR",
    source: "arch/x86/mm/fault.c: do_sigbus(); CONFIG_MEMORY_FAILURE",
  },
} as const satisfies Readonly<Record<string, Field>>;

export type ProfileField = keyof typeof PROFILE_FIELDS;

type ValueOf<F> = F extends { readonly values: readonly (infer V)[] } ? V : boolean;

/** A value for every field. */
export type ProfileValues = {
  readonly [K in ProfileField]: ValueOf<(typeof PROFILE_FIELDS)[K]>;
};
