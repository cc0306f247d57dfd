/**
 * What the transcript runner asks of a kernel. The emulator implements it, and so can a
 * real Linux kernel: one operation in, its outcome and the pool's counters out.
 *
 * The runner owns names: `NAME` of an address is resolved before an operation reaches a
 * driver, and `bound` of the outcome is what the name is bound to from then on.
 */

/** A user address or a length in bytes: an integer below 2^53. */
type Bytes = number;

/** The flag words of `mmap`, as the language spells them (`huge=2M` comes as `huge` + `hugeSize`). */
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
  | { readonly op: "mlock" | "munlock"; readonly address: Bytes; readonly length: Bytes }
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
  | { readonly op: "fork"; readonly child: string }
  | { readonly op: "wait"; readonly child: string }
  | { readonly op: "exit"; readonly code: number }
  | { readonly op: "exec" }
  | { readonly op: "signals"; readonly action: "catch" | "default" }
  | { readonly op: "smaps"; readonly address: Bytes }
  | { readonly op: "pagemap"; readonly address: Bytes; readonly nrPages: number }
  | { readonly op: "status" }
  | { readonly op: "vmas"; readonly address: Bytes; readonly length: Bytes };

/** An operation of the administrator (`host`). */
export type HostOperation =
  | {
      /** sysfs `hugepages-<size>kB/nr_hugepages`. `text` is what is written to the file. */
      readonly op: "nr_hugepages" | "nr_overcommit_hugepages";
      readonly hugeSize?: Bytes;
      readonly text: string;
    }
  | { readonly op: "sysctl_nr_hugepages"; readonly text: string }
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
  /** For `pagemap`: the entries, which the runner labels and prints. `result` is then "". */
  readonly pagemap?: readonly PagemapEntry[];
}

/** The pool's counters by the language's names, in the order they are printed: `total free rsvd surp`,
 *  then `1G.total …` of each further size. Unsigned 64-bit, as /proc/meminfo shows them. */
export type Counters = ReadonlyMap<string, bigint>;

export interface Driver {
  /** Whether the frame of a `PagemapEntry` is still in the life it had then. */
  isFrameAlive(frame: number): boolean;
  counters(): Counters;
  process(actor: string, operation: ProcessOperation): Outcome | Promise<Outcome>;
  host(operation: HostOperation): Outcome | Promise<Outcome>;
}
