/**
 * The grammar: one table with a line for every operation. The line is what a usage message
 * shows, and from it the parser knows the parameters.
 *
 *     LABEL      a parameter; LABELS says what it may be       LABEL...  the rest of the line
 *     [LABEL]    a parameter that may be left out              a|b       one of these words
 *     [word]     a word that may be added, in any order        [key=LABEL]  the same with a value
 *     [a b=X]    words that only come together
 */
import { InternalError } from "../errors.ts";
import type { MapFlag } from "./driver.ts";

const PROCESS_TABLE = [
  "mmap NAME LEN PROT FLAGS [fd=FD] [off=N] [at=ADDR]",
  "munmap ADDR LEN",
  "mprotect ADDR LEN PROT",
  "msync ADDR LEN sync|async|inval",
  "mincore ADDR LEN",
  "mremap NAME ADDR OLDLEN NEWLEN [maymove] [fixed at=ADDR] [dontunmap]",
  "madvise ADDR LEN ADVICE",
  "mlock ADDR LEN",
  "mlock2 ADDR LEN",
  "munlock ADDR LEN",
  "mlockall LOCKS",
  "munlockall",
  "read ADDR",
  "write ADDR VALUE",
  "increment ADDR",
  "touch read|write ADDR PAGES [VALUE]",
  "copy_from_user ADDR",
  "copy_to_user ADDR [LEN]",
  "procmem_write ADDR VALUE",
  "fork CHILD",
  "wait ACTOR",
  "exit [STATUS]",
  "exec",
  "signals catch|default",
  "setuid UID",
  "rlimit memlock|as|data|fsize VALUE",
  "let NAME ADDR",
  "open FD PATH [rdonly] [creat] [trunc] [tmpfile]",
  "close FD",
  "unlink PATH",
  "ftruncate FD LEN",
  "fallocate FD alloc|keep|punch|punchonly|zero|collapse OFF LEN",
  "pread FD OFF",
  "pwrite FD OFF VALUE",
  "fstat FD",
  "memfd FD [huge] [huge=SIZE] [seal]",
  "seals FD BITS",
  "shmget ID LEN [huge] [huge=SIZE] [noreserve]",
  "shmat NAME ID [rdonly] [rnd] [at=ADDR]",
  "shmdt ADDR",
  "shmrm ID",
  "shmstat ID",
  "vmsplice FD ADDR",
  "piperead FD",
  "pin PIN ADDR LEN",
  "unpin PIN",
  "userfaultfd FD",
  "uffd_register FD ADDR LEN TRACKED",
  "uffd_unregister FD ADDR LEN",
  "uffd_copy FD ADDR SOURCE LEN [wp]",
  "uffd_zeropage FD ADDR LEN",
  "uffd_continue FD ADDR LEN [wp]",
  "uffd_poison FD ADDR LEN",
  "uffd_move FD ADDR SOURCE LEN",
  "uffd_wp FD ADDR LEN on|off",
  "mbind ADDR LEN MODE NODES",
  "set_mempolicy MODE NODES",
  "nodes ADDR [PAGES]",
  "smaps ADDR",
  "pagemap ADDR [PAGES]",
  "status",
  "vmas ADDR LEN",
];

const HOST_TABLE = [
  "nr_hugepages [SIZE] COUNT...",
  "nr_overcommit_hugepages [SIZE] COUNT...",
  "sysctl_nr_hugepages COUNT...",
  "mount PATH OPTIONS",
  "remount PATH OPTIONS",
  "umount PATH",
  "statfs PATH",
  "node_nr_hugepages NODE [SIZE] COUNT...",
  "node_hugepages NODE [SIZE]",
  "cgroup_create CGROUP",
  "cgroup_remove CGROUP",
  "cgroup_attach CGROUP ACTOR",
  "cgroup_set CGROUP [SIZE] max|rsvd.max COUNT...",
  "cgroup_get CGROUP [SIZE] max|rsvd.max|current|rsvd.current|events",
  "kill ACTOR SIGNAL",
];

/** The flag words of `mmap`; `huge=SIZE` is one more. */
export const MAP_FLAGS = [
  "private",
  "shared",
  "shared_validate",
  "anon",
  "huge",
  "noreserve",
  "populate",
  "fixed",
  "fixed_noreplace",
  "locked",
  "nonblock",
  "32bit",
  "growsdown",
  "stack",
] as const satisfies readonly MapFlag[];

const ADVICES = [
  ..."dontneed dontneed_locked remove free willneed populate_read populate_write".split(" "),
  ..."dontfork dofork wipeonfork keeponfork cold pageout mergeable hugepage nohugepage".split(" "),
  ..."collapse dontdump dodump random sequential guard_install hwpoison soft_offline".split(" "),
];

/** What an argument may be. */
export type Kind =
  | { readonly kind: "name" | "actor" | "child" | "path" | "text" | "nodes" }
  | { readonly kind: "address" | "bytes" | "offset" | "size" | "protection" | "flags" }
  | { readonly kind: "number" | "value"; readonly min: bigint; readonly max: bigint }
  | {
      /** One word, or several joined by commas; a `key=` among them takes a value. */
      readonly kind: "word" | "words";
      readonly what: string;
      readonly words: readonly string[];
    };

const U32 = (1n << 32n) - 1n;
const U64 = (1n << 64n) - 1n;
/** 2 TiB of 2 MiB pages: more than any pool of a test, and few enough to list. */
const MOST_PAGES = 1n << 20n;
/** Nodes that a machine can have; a set of them is a 32-bit mask. */
export const MOST_NODES = 8n;

const LABELS: Readonly<Record<string, Kind>> = {
  NAME: { kind: "name" },
  FD: { kind: "name" },
  ID: { kind: "name" },
  PIN: { kind: "name" },
  CGROUP: { kind: "name" },
  ACTOR: { kind: "actor" },
  CHILD: { kind: "child" },
  PATH: { kind: "path" },
  COUNT: { kind: "text" },
  ADDR: { kind: "address" },
  SOURCE: { kind: "address" },
  LEN: { kind: "bytes" },
  OLDLEN: { kind: "bytes" },
  NEWLEN: { kind: "bytes" },
  N: { kind: "offset" },
  OFF: { kind: "offset" },
  SIZE: { kind: "size" },
  PROT: { kind: "protection" },
  FLAGS: { kind: "flags" },
  ADVICE: { kind: "word", what: "advice", words: ADVICES },
  LOCKS: { kind: "words", what: "flag", words: ["current", "future", "onfault"] },
  TRACKED: { kind: "words", what: "fault", words: ["missing", "minor", "wp"] },
  MODE: {
    kind: "word",
    what: "policy",
    words: ["default", "bind", "preferred", "preferred_many", "interleave", "local"],
  },
  NODES: { kind: "nodes" },
  NODE: { kind: "number", min: 0n, max: MOST_NODES - 1n },
  OPTIONS: {
    kind: "words",
    what: "mount option",
    words: ["rw", "pagesize=", "size=", "min_size=", "nr_inodes=", "mode=", "uid=", "gid="],
  },
  VALUE: { kind: "value", min: 0n, max: U64 },
  PAGES: { kind: "number", min: 1n, max: MOST_PAGES },
  STATUS: { kind: "number", min: 0n, max: 255n },
  SIGNAL: { kind: "number", min: 0n, max: 15n },
  UID: { kind: "number", min: 0n, max: U32 },
  BITS: { kind: "number", min: 0n, max: U32 },
};

export interface Parameter {
  readonly label: string;
  readonly kind: Kind;
  readonly isOptional: boolean;
}

export interface OptionSpec {
  /** The word, or what stands before `=`. */
  readonly key: string;
  /** What the value may be; undefined: a bare word. */
  readonly value?: Kind;
  /** Every key of its bracket. */
  readonly together: readonly string[];
}

export type Role = "process" | "host";

export interface OperationSpec {
  readonly name: string;
  readonly role: Role;
  readonly parameters: readonly Parameter[];
  readonly options: readonly OptionSpec[];
  /** The operation with its parameters, for messages. */
  readonly usage: string;
}

function readTable(rows: readonly string[], role: Role): ReadonlyMap<string, OperationSpec> {
  return new Map(rows.map((row) => readRow(row, role)).map((spec) => [spec.name, spec]));
}

function readRow(row: string, role: Role): OperationSpec {
  const [name, ...pieces] = row.split(/ (?![^[]*\])/);
  const parameters: Parameter[] = [];
  const options: OptionSpec[] = [];
  for (const piece of pieces) {
    const words = piece.replace(/^\[|\]$/g, "").split(" ");
    if (/^[A-Z]+$/.test(words[0]) || !piece.startsWith("[")) {
      parameters.push(readParameter(words[0], piece.startsWith("[")));
    } else {
      options.push(...readOptions(words));
    }
  }
  return { name, role, parameters, options, usage: row };
}

function readParameter(text: string, isOptional: boolean): Parameter {
  if (text.includes("|")) {
    const words = text.split("|");
    return { label: text, kind: { kind: "word", what: "word", words }, isOptional };
  }
  const label = text.replace("...", "");
  return { label, kind: kindOf(label), isOptional };
}

function readOptions(words: readonly string[]): OptionSpec[] {
  const parts = words.map((word) => word.split("="));
  const together = parts.map(([key]) => key);
  return parts.map(([key, label]) => {
    return { key, value: label === undefined ? undefined : kindOf(label), together };
  });
}

function kindOf(label: string): Kind {
  const kind = LABELS[label];
  if (kind === undefined) throw new InternalError(`the grammar has no label ${label}`);
  return kind;
}

/** Every operation by name, for each role. */
export const OPERATIONS: Readonly<Record<Role, ReadonlyMap<string, OperationSpec>>> = {
  process: readTable(PROCESS_TABLE, "process"),
  host: readTable(HOST_TABLE, "host"),
};
