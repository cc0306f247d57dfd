/**
 * The files by which an administrator sees and sets pools: /sys/kernel/mm/hugepages and
 * /proc/sys/vm (mm/hugetlb_sysfs.c, mm/hugetlb_sysctl.c).
 */
import { PAGE_2M } from "../address.ts";
import type { Errno } from "./errno.ts";
import type { Hstate } from "./hstate.ts";
import { parseNumber } from "./memparse.ts";
import { unsigned } from "./procfs.ts";
import type { KernelState } from "./state.ts";

const ULONG_MAX = 2n ** 64n - 1n;
/** No pool has more pages; keeps what is written an exact number. */
const COUNT_MAX = 2n ** 52n;

/** kstrtoul(): decimal digits, one newline may follow. */
function parseUnsignedLong(text: string): bigint | Errno {
  const match = /^\+?(\d+)\n?$/.exec(text);
  if (!match) return "EINVAL";
  const value = BigInt(match[1]);
  return value > ULONG_MAX ? "ERANGE" : value;
}

/**
 * proc_doulongvec_minmax(): the first number of the line, in C's spelling: 0x for hexadecimal, 0
 * for octal. A negative number or one that does not fit is refused.
 */
function parseSysctl(text: string): bigint | Errno {
  const [word] = /\S*/.exec(text.trimStart()) ?? [""];
  const { value, rest, isTooLarge } = parseNumber(word);
  return word === "" || rest !== "" || isTooLarge ? "EINVAL" : value;
}

function set(hstate: Hstate, what: "pool" | "overcommit", value: bigint, node?: number): void {
  const count = Number(value < COUNT_MAX ? value : COUNT_MAX);
  if (what === "pool") hstate.resize(count, node);
  else hstate.setOvercommit(count);
}

/** sysfs nr_hugepages, of all nodes or of one. Too large a number succeeds in part. */
function writeNrHugepages(hstate: Hstate, text: string, node?: number): "ok" | Errno {
  if (node !== undefined && !hstate.nodeCounters(node)) return "ENOENT";
  const value = parseUnsignedLong(text);
  if (typeof value !== "bigint") return value;
  set(hstate, "pool", value, node);
  return "ok";
}

/** sysfs nr_overcommit_hugepages; gigantic pages have none. */
function writeNrOvercommit(hstate: Hstate, text: string): "ok" | Errno {
  if (hstate.level === 3) return "EINVAL";
  const value = parseUnsignedLong(text);
  if (typeof value !== "bigint") return value;
  set(hstate, "overcommit", value);
  return "ok";
}

/** /proc/sys/vm/nr_[overcommit_]hugepages, of the default size. */
function writeSysctl(hstate: Hstate, what: "pool" | "overcommit", text: string): "ok" | Errno {
  const value = parseSysctl(text);
  if (typeof value !== "bigint") return value;
  set(hstate, what, value);
  return "ok";
}

const NODE_SYSFS = /^\/sys\/devices\/system\/node\/node(\d+)\/hugepages\/hugepages-(\d+)kB\/(\w+)$/;
const SYSFS = /^\/sys\/kernel\/mm\/hugepages\/hugepages-(\d+)kB\/(\w+)$/;

/** The content of a pool file; undefined if there is none of that path. */
export function readPoolFile(kernel: KernelState, path: string): string | undefined {
  const defaultPool = kernel.hstates.get(PAGE_2M)?.counters;
  if (path === "/proc/sys/vm/nr_hugepages" && defaultPool) {
    return `${defaultPool.total - defaultPool.surplus}\n`;
  }
  if (path === "/proc/sys/vm/nr_overcommit_hugepages" && defaultPool) {
    return `${defaultPool.overcommit}\n`;
  }
  const node = matchNodeFile(kernel, path);
  if (node) return readNodeFile(node);
  const match = SYSFS.exec(path);
  const counters = match && kernel.hstates.get(Number(match[1]) * 1024)?.counters;
  if (!match || !counters) return undefined;
  const values: Readonly<Record<string, number>> = {
    nr_hugepages: counters.total,
    nr_overcommit_hugepages: counters.overcommit,
    free_hugepages: counters.free,
    resv_hugepages: counters.reserved,
    surplus_hugepages: counters.surplus,
  };
  const value = values[match[2]];
  return value === undefined ? undefined : `${unsigned(value)}\n`;
}

interface NodeFile {
  readonly hstate: Hstate;
  /** The node's number. */
  readonly id: number;
  readonly name: string;
}

/** A path among the files that each node has of its own. */
function matchNodeFile(kernel: KernelState, path: string): NodeFile | undefined {
  const match = NODE_SYSFS.exec(path);
  const hstate = match && kernel.hstates.get(Number(match[2]) * 1024);
  return match && hstate ? { hstate, id: Number(match[1]), name: match[3] } : undefined;
}

function readNodeFile({ hstate, id, name }: NodeFile): string | undefined {
  const counters = hstate.nodeCounters(id);
  if (!counters) return undefined;
  const values: Readonly<Record<string, number>> = {
    nr_hugepages: counters.total,
    free_hugepages: counters.free,
    surplus_hugepages: counters.surplus,
  };
  const value = values[name];
  return value === undefined ? undefined : `${value}\n`;
}

/** Writes a pool file: ENOENT if there is none, EACCES if it is read-only. */
export function writePoolFile(kernel: KernelState, path: string, text: string): "ok" | Errno {
  const defaultPool = kernel.hstates.get(PAGE_2M);
  if (path === "/proc/sys/vm/nr_hugepages" && defaultPool) {
    return writeSysctl(defaultPool, "pool", text);
  }
  if (path === "/proc/sys/vm/nr_overcommit_hugepages" && defaultPool) {
    return writeSysctl(defaultPool, "overcommit", text);
  }
  const node = matchNodeFile(kernel, path);
  if (node?.name === "nr_hugepages") return writeNrHugepages(node.hstate, text, node.id);
  const match = SYSFS.exec(path);
  const hstate = match && kernel.hstates.get(Number(match[1]) * 1024);
  if (!match || !hstate) return readPoolFile(kernel, path) === undefined ? "ENOENT" : "EACCES";
  if (match[2] === "nr_hugepages") return writeNrHugepages(hstate, text);
  if (match[2] === "nr_overcommit_hugepages") return writeNrOvercommit(hstate, text);
  return readPoolFile(kernel, path) === undefined ? "ENOENT" : "EACCES";
}
