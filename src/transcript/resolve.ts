/**
 * A line's arguments to the operation a driver takes: names become addresses.
 */
import { InternalError } from "../errors.ts";
import type { HostOperation, ProcessOperation, Protection } from "./driver.ts";
import type { Argument, OperationLine } from "./script.ts";

/** What each name of one process is bound to, in bytes. */
export type Names = ReadonlyMap<string, number>;

/** An address has a name that is bound to nothing. */
export class UnboundName extends Error {}

/**
 * The operation of a process; `let` has its own (`resolveAddress`).
 * Throws `UnboundName`, and `InternalError` on an operation the grammar marks `later`.
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
        offset: args.has("off") ? args.number("off") : undefined,
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
      return { op, address: address(), nrPages: args.has("PAGES") ? args.number("PAGES") : 1 };
    case "fork":
      return { op, child: args.word("CHILD") };
    case "wait":
      return { op, child: args.word("ACTOR") };
    case "exit":
      return { op, code: args.has("STATUS") ? args.number("STATUS") : 0 };
    case "signals":
      return { op, action: args.word("catch|default") === "catch" ? "catch" : "default" };
    case "exec":
    case "status":
      return { op };
    default:
      throw new InternalError(`the runner knows no operation ${op}`);
  }
}

/** The operation of the administrator. */
export function resolveHost(line: OperationLine): HostOperation {
  const args = new Arguments(line);
  const op = line.spec.name;
  switch (op) {
    case "nr_hugepages":
    case "nr_overcommit_hugepages": {
      const hugeSize = args.has("SIZE") ? args.number("SIZE") : undefined;
      return { op, hugeSize, text: args.word("COUNT") };
    }
    case "sysctl_nr_hugepages":
      return { op, text: args.word("COUNT") };
    case "kill":
      return { op, target: args.word("ACTOR"), signal: args.number("SIGNAL") };
    default:
      throw new InternalError(`the runner knows no operation ${op}`);
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

  number(key: string): number {
    return this.#get(key, "number").number;
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
