/**
 * What the transcript runner asks of a kernel. The emulator implements it, and so can a
 * real Linux kernel: one operation in, its outcome and the pool's counters out.
 *
 * The runner owns names: `NAME` of an address is resolved before an operation reaches a
 * driver, and `bound` of the outcome is what the name is bound to from then on.
 */
import type { TlbCost } from "./tlb-cost.ts";

/** A user address or a length in bytes: an integer below 2^53. */
type Bytes = number;

/**
 * The flag words of `mmap`, as the language spells them (`huge=2M` comes as `huge` + `hugeSize`).
 */
export type MapFlag =
  | "private"
  | "shared"
  | "shared_validate"
  | "anon"
  | "huge"
  | "noreserve"
  | "populate"
  | "fixed"
  | "fixed_noreplace"
  | "locked"
  | "nonblock"
  | "32bit"
  | "growsdown"
  | "stack";

/** PROT_READ, PROT_WRITE and PROT_EXEC; all false is PROT_NONE. */
export interface Protection {
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
}

/** An operation of a process, its arguments resolved. Lengths and addresses are bytes. */
export type ProcessOperation =
  | {
      readonly op: "mmap";
      readonly length: Bytes;
      readonly protection: Protection;
      readonly flags: ReadonlySet<MapFlag>;
      /** Bytes of the page named by `huge=SIZE`; undefined: the default huge page. */
      readonly hugeSize?: Bytes;
      readonly at?: Bytes;
      readonly offset?: Bytes;
      readonly fd?: string;
    }
  | { readonly op: "munmap"; readonly address: Bytes; readonly length: Bytes }
  | {
      readonly op: "mprotect";
      readonly address: Bytes;
      readonly length: Bytes;
      readonly protection: Protection;
    }
  | {
      readonly op: "mremap";
      readonly address: Bytes;
      readonly oldLength: Bytes;
      readonly newLength: Bytes;
      readonly flags: ReadonlySet<"maymove" | "fixed" | "dontunmap">;
      readonly at?: Bytes;
    }
  | {
      readonly op: "madvise";
      readonly address: Bytes;
      readonly length: Bytes;
      readonly advice: string;
    }
  | { readonly op: "mincore"; readonly address: Bytes; readonly length: Bytes }
  | {
      readonly op: "mlock" | "munlock" | "mlock2";
      readonly address: Bytes;
      readonly length: Bytes;
    }
  | { readonly op: "mlockall"; readonly flags: ReadonlySet<"current" | "future" | "onfault"> }
  | {
      readonly op: "msync";
      readonly address: Bytes;
      readonly length: Bytes;
      readonly how: "sync" | "async" | "inval";
    }
  | { readonly op: "read"; readonly address: Bytes }
  | { readonly op: "write"; readonly address: Bytes; readonly value: bigint }
  | { readonly op: "increment"; readonly address: Bytes }
  | {
      readonly op: "touch";
      readonly access: "read" | "write";
      readonly address: Bytes;
      readonly nrPages: number;
      /** The first value written; undefined: 100. Page i gets `value + i`. */
      readonly value?: bigint;
    }
  /** The kernel reads 8 bytes at the address inside a system call. */
  | { readonly op: "copy_from_user"; readonly address: Bytes }
  /** The kernel writes zeros there; undefined: 8 bytes. */
  | { readonly op: "copy_to_user"; readonly address: Bytes; readonly length?: Bytes }
  | { readonly op: "procmem_write"; readonly address: Bytes; readonly value: bigint }
  | FileOperation
  | ShmOperation
  /** Splices 8 bytes of the page at the address into the pipe FD, made by the first such line. */
  | { readonly op: "vmsplice"; readonly fd: string; readonly address: Bytes }
  | { readonly op: "piperead"; readonly fd: string }
  /** Pins the range for I/O (io_uring's fixed buffers). */
  | { readonly op: "pin"; readonly pin: string; readonly address: Bytes; readonly length: Bytes }
  | { readonly op: "unpin"; readonly pin: string }
  | UserfaultOperation
  | {
      readonly op: "mbind";
      readonly address: Bytes;
      readonly length: Bytes;
      readonly mode: MemoryPolicyMode;
      /** Bit n for node n. */
      readonly nodes: number;
    }
  | { readonly op: "set_mempolicy"; readonly mode: MemoryPolicyMode; readonly nodes: number }
  /** The node of each huge page, `-` where there is none. */
  | { readonly op: "nodes"; readonly address: Bytes; readonly nrPages: number }
  | { readonly op: "setuid"; readonly uid: number }
  | {
      readonly op: "rlimit";
      readonly resource: "memlock" | "as" | "data" | "fsize";
      readonly value: bigint;
    }
  | { readonly op: "fork"; readonly child: string }
  | { readonly op: "wait"; readonly child: string }
  | { readonly op: "exit"; readonly code: number }
  | { readonly op: "exec" | "munlockall" }
  | { readonly op: "signals"; readonly action: "catch" | "default" }
  | { readonly op: "smaps"; readonly address: Bytes }
  | { readonly op: "pagemap"; readonly address: Bytes; readonly nrPages: number }
  | { readonly op: "status" }
  | { readonly op: "vmas"; readonly address: Bytes; readonly length: Bytes };

/** `fd` names an open file of the process; naming another one closes it. */
type FileOperation =
  | {
      readonly op: "open";
      readonly fd: string;
      readonly path: string;
      readonly flags: ReadonlySet<OpenFlag>;
    }
  | { readonly op: "close" | "fstat"; readonly fd: string }
  | { readonly op: "unlink"; readonly path: string }
  | { readonly op: "ftruncate"; readonly fd: string; readonly length: Bytes }
  | {
      readonly op: "fallocate";
      readonly fd: string;
      readonly mode: FallocateMode;
      readonly offset: Bytes;
      readonly length: Bytes;
    }
  /** 8 bytes. */
  | { readonly op: "pread"; readonly fd: string; readonly offset: Bytes }
  | {
      readonly op: "pwrite";
      readonly fd: string;
      readonly offset: Bytes;
      readonly value: bigint;
    }
  | {
      readonly op: "memfd";
      readonly fd: string;
      readonly isHuge: boolean;
      /** Bytes; undefined: the default huge page. */
      readonly hugeSize?: Bytes;
      readonly isSealable: boolean;
    }
  /** F_ADD_SEALS */
  | { readonly op: "seals"; readonly fd: string; readonly bits: number };

export type OpenFlag = "rdonly" | "creat" | "trunc" | "tmpfile";

/** `keep` and `punch` keep the size; `punchonly` is PUNCH_HOLE without KEEP_SIZE. */
export type FallocateMode = "alloc" | "keep" | "punch" | "punchonly" | "zero" | "collapse";

/** System V shared memory; `id` names a segment, known to all processes. */
type ShmOperation =
  | {
      readonly op: "shmget";
      readonly id: string;
      readonly length: Bytes;
      readonly isHuge: boolean;
      readonly hugeSize?: Bytes;
      readonly isNoreserve: boolean;
    }
  | {
      readonly op: "shmat";
      readonly id: string;
      readonly isReadOnly: boolean;
      /** SHM_RND */
      readonly isRounded: boolean;
      readonly at?: Bytes;
    }
  | { readonly op: "shmdt"; readonly address: Bytes }
  | { readonly op: "shmrm" | "shmstat"; readonly id: string };

/** `fd` names a userfaultfd, whose faults are SIGBUS (UFFD_FEATURE_SIGBUS). */
type UserfaultOperation =
  | { readonly op: "userfaultfd"; readonly fd: string }
  | {
      readonly op: "uffd_register";
      readonly fd: string;
      readonly address: Bytes;
      readonly length: Bytes;
      readonly tracked: ReadonlySet<"missing" | "minor" | "wp">;
    }
  | {
      readonly op: "uffd_unregister" | "uffd_zeropage" | "uffd_poison";
      readonly fd: string;
      readonly address: Bytes;
      readonly length: Bytes;
    }
  | {
      readonly op: "uffd_copy" | "uffd_move";
      readonly fd: string;
      readonly address: Bytes;
      readonly source: Bytes;
      readonly length: Bytes;
      readonly isWriteProtected: boolean;
    }
  | {
      readonly op: "uffd_continue";
      readonly fd: string;
      readonly address: Bytes;
      readonly length: Bytes;
      readonly isWriteProtected: boolean;
    }
  | {
      readonly op: "uffd_wp";
      readonly fd: string;
      readonly address: Bytes;
      readonly length: Bytes;
      readonly isOn: boolean;
    };

export type MemoryPolicyMode =
  | "default"
  | "bind"
  | "preferred"
  | "preferred_many"
  | "interleave"
  | "local";

/** An operation of the administrator (`host`). */
export type HostOperation =
  | {
      /** sysfs `hugepages-<size>kB/nr_hugepages`. `text` is what is written to the file. */
      readonly op: "nr_hugepages" | "nr_overcommit_hugepages";
      readonly hugeSize?: Bytes;
      readonly text: string;
    }
  | { readonly op: "sysctl_nr_hugepages"; readonly text: string }
  /** `options` as mount takes them, `size=4M,min_size=2M`; `rw`: none. */
  | { readonly op: "mount" | "remount"; readonly path: string; readonly options: string }
  | { readonly op: "umount" | "statfs"; readonly path: string }
  /** The node's own sysfs `nr_hugepages`. */
  | {
      readonly op: "node_nr_hugepages";
      readonly node: number;
      readonly hugeSize?: Bytes;
      readonly text: string;
    }
  /** `total=2 free=1 surp=0` of one node. */
  | { readonly op: "node_hugepages"; readonly node: number; readonly hugeSize?: Bytes }
  /** Groups of cgroup v2, children of the root with the hugetlb controller. */
  | { readonly op: "cgroup_create" | "cgroup_remove"; readonly cgroup: string }
  | { readonly op: "cgroup_attach"; readonly cgroup: string; readonly actor: string }
  | {
      readonly op: "cgroup_set";
      readonly cgroup: string;
      readonly hugeSize?: Bytes;
      readonly file: "max" | "rsvd.max";
      readonly text: string;
    }
  | {
      readonly op: "cgroup_get";
      readonly cgroup: string;
      readonly hugeSize?: Bytes;
      readonly file: "max" | "rsvd.max" | "current" | "rsvd.current" | "events";
    }
  | { readonly op: "kill"; readonly target: string; readonly signal: number };

/** One huge page of `pagemap`. */
export type PagemapEntry =
  | undefined
  | {
      /** Identifies a frame during one life: after it was freed and allocated again it differs. */
      readonly frame: number;
      readonly backing: "anon" | "file";
      readonly sharing: "exclusive" | "shared";
    };

export interface Outcome {
  /** As the language writes it: `ok`, `ENOMEM`, `7`, `SIGBUS ADRERR`, `killed SIGBUS`, … */
  readonly result: string;
  /** The address that the operation's NAME is bound to from now on. */
  readonly bound?: Bytes;
  /**
   * Of an access that a signal ended, and that was caught: si_addr less the operation's address.
   */
  readonly faultOffset?: number;
  /** For `pagemap`: the entries, which the runner labels and prints. `result` is then "". */
  readonly pagemap?: readonly PagemapEntry[];
}

/**
 * The pool's counters by the language's names, in the order they are printed: `total free rsvd
 * surp`, then `1G.total …` of each further size. Unsigned 64-bit, as /proc/meminfo shows them.
 */
export type Counters = ReadonlyMap<string, bigint>;

/** Measures the TLBs of a machine. */
export interface TlbMeter {
  /** What was spent since the last call. */
  take(): TlbCost;
}

export interface Driver {
  /** Undefined: they are not measured. */
  readonly tlbs?: TlbMeter;
  /** Whether the frame of a `PagemapEntry` is still in the life it had then. */
  isFrameAlive(frame: number): boolean;
  counters(): Counters;
  process(actor: string, operation: ProcessOperation): Outcome | Promise<Outcome>;
  host(operation: HostOperation): Outcome | Promise<Outcome>;
}
