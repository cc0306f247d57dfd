/**
 * A line's arguments to the operation a driver takes: names become addresses.
 */
import { InternalError } from "../errors.ts";
import type { HostOperation, MemoryPolicyMode, ProcessOperation, Protection } from "./driver.ts";
import type { Argument, OperationLine } from "./script.ts";

const MODES: readonly MemoryPolicyMode[] = [
  "default",
  "bind",
  "preferred",
  "preferred_many",
  "interleave",
  "local",
];

/** What each name of one process is bound to, in bytes. */
export type Names = ReadonlyMap<string, number>;

/** An address has a name that is bound to nothing. */
export class UnboundName extends Error {}

/**
 * The operation of a process; `let` has its own (`resolveAddress`).
 * Throws `UnboundName`.
 */
export function resolveProcess(line: OperationLine, names: Names): ProcessOperation {
  const args = new Arguments(line);
  const op = line.spec.name;
  const address = () => resolveAddress(line, names);
  switch (op) {
    case "mmap": {
      const { flags, hugeSize } = args.flags("FLAGS");
      return {
        op,
        length: args.number("LEN"),
        protection: args.protection("PROT"),
        flags,
        hugeSize,
        at: args.has("at") ? resolveAddress(line, names, "at") : undefined,
        offset: args.tryNumber("off"),
        fd: args.has("fd") ? args.word("fd") : undefined,
      };
    }
    case "mremap":
      return {
        op,
        address: address(),
        oldLength: args.number("OLDLEN"),
        newLength: args.number("NEWLEN"),
        flags: new Set((["maymove", "fixed", "dontunmap"] as const).filter((f) => args.has(f))),
        at: args.has("at") ? resolveAddress(line, names, "at") : undefined,
      };
    case "munmap":
    case "mincore":
    case "mlock":
    case "mlock2":
    case "munlock":
    case "vmas":
      return { op, address: address(), length: args.number("LEN") };
    case "mprotect": {
      const protection = args.protection("PROT");
      return { op, address: address(), length: args.number("LEN"), protection };
    }
    case "madvise": {
      const advice = args.word("ADVICE");
      return { op, address: address(), length: args.number("LEN"), advice };
    }
    case "msync": {
      const how = args.wordOf("sync|async|inval", ["sync", "async", "inval"]);
      return { op, address: address(), length: args.number("LEN"), how };
    }
    case "mlockall":
      return { op, flags: args.wordsOf("LOCKS", ["current", "future", "onfault"]) };
    case "copy_to_user":
      return { op, address: address(), length: args.tryNumber("LEN") };
    case "procmem_write":
      return { op, address: address(), value: args.value("VALUE") };
    case "setuid":
      return { op, uid: args.number("UID") };
    case "rlimit": {
      const resources = ["memlock", "as", "data", "fsize"] as const;
      const resource = args.wordOf("memlock|as|data|fsize", resources);
      return { op, resource, value: args.value("VALUE") };
    }
    case "copy_from_user":
    case "shmdt":
    case "read":
    case "increment":
    case "smaps":
      return { op, address: address() };
    case "write":
      return { op, address: address(), value: args.value("VALUE") };
    case "touch":
      return {
        op,
        access: args.word("read|write") === "read" ? "read" : "write",
        address: address(),
        nrPages: args.number("PAGES"),
        value: args.has("VALUE") ? args.value("VALUE") : undefined,
      };
    case "pagemap":
    case "nodes":
      return { op, address: address(), nrPages: args.tryNumber("PAGES") ?? 1 };
    case "vmsplice":
      return { op, fd: args.word("FD"), address: address() };
    case "piperead":
      return { op, fd: args.word("FD") };
    case "pin":
      return { op, pin: args.word("PIN"), address: address(), length: args.number("LEN") };
    case "unpin":
      return { op, pin: args.word("PIN") };
    case "mbind": {
      const nodes = args.number("NODES");
      return { op, address: address(), length: args.number("LEN"), mode: args.mode(), nodes };
    }
    case "set_mempolicy":
      return { op, mode: args.mode(), nodes: args.number("NODES") };
    case "fork":
      return { op, child: args.word("CHILD") };
    case "wait":
      return { op, child: args.word("ACTOR") };
    case "exit":
      return { op, code: args.tryNumber("STATUS") ?? 0 };
    case "signals":
      return { op, action: args.word("catch|default") === "catch" ? "catch" : "default" };
    case "exec":
    case "munlockall":
    case "status":
      return { op };
    default:
      return (
        tryResolveFile(op, args) ??
        tryResolveShm(op, args, line, names) ??
        tryResolveUserfault(op, args, line, names) ??
        unknown(op)
      );
  }
}

function unknown(op: string): never {
  throw new InternalError(`the runner knows no operation ${op}`);
}

function tryResolveFile(op: string, args: Arguments): ProcessOperation | undefined {
  switch (op) {
    case "open": {
      const flags = new Set(
        (["rdonly", "creat", "trunc", "tmpfile"] as const).filter((flag) => args.has(flag)),
      );
      return { op, fd: args.word("FD"), path: args.word("PATH"), flags };
    }
    case "close":
    case "fstat":
      return { op, fd: args.word("FD") };
    case "unlink":
      return { op, path: args.word("PATH") };
    case "ftruncate":
      return { op, fd: args.word("FD"), length: args.number("LEN") };
    case "fallocate": {
      const modes = ["alloc", "keep", "punch", "punchonly", "zero", "collapse"] as const;
      const mode = args.wordOf(modes.join("|"), modes);
      const [offset, length] = [args.number("OFF"), args.number("LEN")];
      return { op, fd: args.word("FD"), mode, offset, length };
    }
    case "pread":
      return { op, fd: args.word("FD"), offset: args.number("OFF") };
    case "pwrite": {
      const offset = args.number("OFF");
      return { op, fd: args.word("FD"), offset, value: args.value("VALUE") };
    }
    case "memfd": {
      const isSealable = args.has("seal");
      return {
        op,
        fd: args.word("FD"),
        isHuge: args.isHuge(),
        hugeSize: args.hugeSize(),
        isSealable,
      };
    }
    case "seals":
      return { op, fd: args.word("FD"), bits: args.number("BITS") };
    default:
      return undefined;
  }
}

function tryResolveShm(
  op: string,
  args: Arguments,
  line: OperationLine,
  names: Names,
): ProcessOperation | undefined {
  switch (op) {
    case "shmget":
      return {
        op,
        id: args.word("ID"),
        length: args.number("LEN"),
        isHuge: args.isHuge(),
        hugeSize: args.hugeSize(),
        isNoreserve: args.has("noreserve"),
      };
    case "shmat":
      return {
        op,
        id: args.word("ID"),
        isReadOnly: args.has("rdonly"),
        isRounded: args.has("rnd"),
        at: args.has("at") ? resolveAddress(line, names, "at") : undefined,
      };
    case "shmrm":
    case "shmstat":
      return { op, id: args.word("ID") };
    default:
      return undefined;
  }
}

function tryResolveUserfault(
  op: string,
  args: Arguments,
  line: OperationLine,
  names: Names,
): ProcessOperation | undefined {
  const range = () => {
    const address = resolveAddress(line, names);
    return { fd: args.word("FD"), address, length: args.number("LEN") };
  };
  switch (op) {
    case "userfaultfd":
      return { op, fd: args.word("FD") };
    case "uffd_register":
      return { op, ...range(), tracked: args.wordsOf("TRACKED", ["missing", "minor", "wp"]) };
    case "uffd_unregister":
    case "uffd_zeropage":
    case "uffd_poison":
      return { op, ...range() };
    case "uffd_copy":
    case "uffd_move": {
      const source = resolveAddress(line, names, "SOURCE");
      return { op, ...range(), source, isWriteProtected: args.has("wp") };
    }
    case "uffd_continue":
      return { op, ...range(), isWriteProtected: args.has("wp") };
    case "uffd_wp":
      return { op, ...range(), isOn: args.word("on|off") === "on" };
    default:
      return undefined;
  }
}

/** The operation of the administrator. */
export function resolveHost(line: OperationLine): HostOperation {
  const args = new Arguments(line);
  const op = line.spec.name;
  switch (op) {
    case "nr_hugepages":
    case "nr_overcommit_hugepages": {
      return { op, hugeSize: args.tryNumber("SIZE"), text: args.word("COUNT") };
    }
    case "sysctl_nr_hugepages":
      return { op, text: args.word("COUNT") };
    case "kill":
      return { op, target: args.word("ACTOR"), signal: args.number("SIGNAL") };
    case "mount":
    case "remount":
      return { op, path: args.word("PATH"), options: args.word("OPTIONS") };
    case "umount":
    case "statfs":
      return { op, path: args.word("PATH") };
    case "node_nr_hugepages": {
      const [node, text] = [args.number("NODE"), args.word("COUNT")];
      return { op, node, hugeSize: args.tryNumber("SIZE"), text };
    }
    case "node_hugepages":
      return { op, node: args.number("NODE"), hugeSize: args.tryNumber("SIZE") };
    case "cgroup_create":
    case "cgroup_remove":
      return { op, cgroup: args.word("CGROUP") };
    case "cgroup_attach":
      return { op, cgroup: args.word("CGROUP"), actor: args.word("ACTOR") };
    case "cgroup_set": {
      const [cgroup, text] = [args.word("CGROUP"), args.word("COUNT")];
      const file = args.wordOf("max|rsvd.max", ["max", "rsvd.max"]);
      return { op, cgroup, hugeSize: args.tryNumber("SIZE"), file, text };
    }
    case "cgroup_get": {
      const files = ["max", "rsvd.max", "current", "rsvd.current", "events"] as const;
      const file = args.wordOf(files.join("|"), files);
      return { op, cgroup: args.word("CGROUP"), hugeSize: args.tryNumber("SIZE"), file };
    }
    default:
      return unknown(op);
  }
}

/** The address that an argument stands for. Throws `UnboundName`. */
export function resolveAddress(line: OperationLine, names: Names, key = "ADDR"): number {
  const { name, offset } = new Arguments(line).address(key);
  if (name === undefined) return offset;
  const base = names.get(name);
  if (base === undefined) throw new UnboundName(name);
  return base + offset;
}

/** Typed access to arguments whose kinds the grammar has settled. */
class Arguments {
  readonly #line: OperationLine;

  constructor(line: OperationLine) {
    this.#line = line;
  }

  has(key: string): boolean {
    return this.#line.args.has(key);
  }

  word(key: string): string {
    return this.#get(key, "word").word;
  }

  /** The argument, one of `words`. */
  wordOf<W extends string>(key: string, words: readonly W[]): W {
    const found = words.find((word) => word === this.word(key));
    return found ?? unknown(`${this.#line.spec.name} ${this.word(key)}`);
  }

  /** Those of `words` in the list that the argument is. */
  wordsOf<W extends string>(key: string, words: readonly W[]): ReadonlySet<W> {
    const given = this.word(key).split(",");
    return new Set(words.filter((word) => given.includes(word)));
  }

  mode(): MemoryPolicyMode {
    return this.wordOf("MODE", MODES);
  }

  /** `huge`, or `huge=SIZE`: one key of the map, whichever was written. */
  isHuge(): boolean {
    return this.has("huge");
  }

  hugeSize(): number | undefined {
    return this.has("huge") && this.#line.args.get("huge")?.kind === "number"
      ? this.number("huge")
      : undefined;
  }

  number(key: string): number {
    return this.#get(key, "number").number;
  }

  tryNumber(key: string): number | undefined {
    return this.has(key) ? this.number(key) : undefined;
  }

  value(key: string): bigint {
    return this.#get(key, "value").value;
  }

  address(key: string) {
    return this.#get(key, "address").address;
  }

  protection(key: string): Protection {
    return this.#get(key, "protection").protection;
  }

  flags(key: string) {
    return this.#get(key, "flags");
  }

  #get<K extends Argument["kind"]>(key: string, kind: K): Extract<Argument, { kind: K }> {
    const argument = this.#line.args.get(key);
    if (argument === undefined || !isOfKind(argument, kind)) {
      throw new InternalError(`${this.#line.spec.name} has no ${kind} ${key}`);
    }
    return argument;
  }
}

function isOfKind<K extends Argument["kind"]>(
  argument: Argument,
  kind: K,
): argument is Extract<Argument, { kind: K }> {
  return argument.kind === kind;
}
