/** The files by which an administrator sees and limits groups: /sys/fs/cgroup (cgroup v2). */
import { PAGE_4K, formatBytes } from "../address.ts";
import { type Cgroup, type HugetlbCounters, membersOf } from "./cgroup.ts";
import { memparse } from "./memparse.ts";
import type { Errno } from "./errno.ts";
import type { PageCounter } from "./page-counter.ts";
import type { KernelState } from "./state.ts";

interface CgroupFile {
  read(): string;
  /** Undefined: what is written is EINVAL. */
  write?(text: string): "ok" | Errno;
}

/** The content of a group's file; undefined if there is none of that path. */
export function readCgroupFile(kernel: KernelState, path: string): string | undefined {
  return findFile(kernel, path)?.read();
}

/** Writes a group's limit, or a PID to its cgroup.procs; undefined if there is no such file. */
export function writeCgroupFile(
  kernel: KernelState,
  path: string,
  text: string,
): "ok" | Errno | undefined {
  const file = findFile(kernel, path);
  return file && (file.write?.(text) ?? "EINVAL");
}

function findFile(kernel: KernelState, path: string): CgroupFile | undefined {
  const [, name = "", file = ""] = /^\/sys\/fs\/cgroup\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  const cgroup = kernel.cgroups.get(name);
  if (!cgroup) return undefined;
  if (file === "cgroup.procs") return members(kernel, cgroup);
  for (const [pageBytes, counters] of cgroup.counters) {
    // mem_fmt(): hugetlb.2MB.max
    const prefix = `hugetlb.${formatBytes(pageBytes)}B.`;
    if (file.startsWith(prefix)) {
      return hugetlbFile(kernel, counters, pageBytes, file.slice(prefix.length));
    }
  }
  return undefined;
}

function hugetlbFile(
  kernel: KernelState,
  { pages, reservations }: HugetlbCounters,
  pageBytes: number,
  name: string,
): CgroupFile | undefined {
  switch (name) {
    case "max":
      return limit(kernel, pages, pageBytes);
    case "rsvd.max":
      return limit(kernel, reservations, pageBytes);
    case "current":
      return { read: () => `${bytesOf(pages.usage, pageBytes)}\n` };
    case "rsvd.current":
      return { read: () => `${bytesOf(reservations.usage, pageBytes)}\n` };
    case "events":
      // HUGETLB_MAX counts what either limit refused.
      return { read: () => `max ${pages.nrFailures + reservations.nrFailures}\n` };
    default:
      return undefined;
  }
}

function limit(kernel: KernelState, counter: PageCounter, pageBytes: number): CgroupFile {
  return {
    read() {
      const { max } = counter;
      if (max === unlimited(pageBytes)) return "max\n";
      if (max !== Infinity) return `${bytesOf(max, pageBytes)}\n`;
      return kernel.profile.newCgroupReadsMax ? "max\n" : `${COUNTER_MAX * BigInt(PAGE_4K)}\n`;
    },
    write(text) {
      const max = parseLimit(text.trim(), pageBytes);
      if (max === undefined) return "EINVAL";
      return counter.trySetMax(max) ? "ok" : "EBUSY";
    },
  };
}

/** __cgroup_procs_write(). A zombie has left its group already: it stays where it is. */
function members(kernel: KernelState, cgroup: Cgroup): CgroupFile {
  return {
    read: () => {
      const lines = membersOf(kernel, cgroup).map(({ pid }) => `${pid}\n`);
      return lines.join("");
    },
    write(text) {
      if (!/^\d+$/.test(text.trim())) return "EINVAL";
      const process = kernel.processes.get(Number(text));
      if (!process) return "ESRCH";
      if (!process.status) process.cgroup = cgroup;
      return "ok";
    },
  };
}

function bytesOf(nrPages: number, pageBytes: number): bigint {
  return BigInt(nrPages) * BigInt(pageBytes);
}

/** PAGE_COUNTER_MAX, in pages of 4K. */
const COUNTER_MAX = 2n ** 51n - 1n;

/** What `max` stands for, in huge pages. */
function unlimited(pageBytes: number): number {
  return Number(COUNTER_MAX / BigInt(pageBytes / PAGE_4K));
}

/** page_counter_memparse(): the limit in whole huge pages. */
function parseLimit(text: string, pageBytes: number): number | undefined {
  const most = unlimited(pageBytes);
  if (text === "max") return most;
  const { value, rest } = memparse(text);
  return rest === "" ? Math.min(Number(value / BigInt(pageBytes)), most) : undefined;
}
