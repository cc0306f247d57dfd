/**
 * Groups of processes with limits on huge pages: cgroup v2 with the hugetlb controller
 * (mm/hugetlb_cgroup.c, kernel/cgroup/cgroup.c). Every group is a child of the root, which has no
 * limits and shows no counters: "no group" stands for it.
 *
 * A group pays for what its processes ask for while they are in it. Pages in use are charged one by
 * one when they are allocated. Reservations are charged when they are made; a page that is
 * allocated without one is charged for both, until it is freed.
 */
import type { Errno } from "./errno.ts";
import type { Hstate } from "./hstate.ts";
import { PageCounter } from "./page-counter.ts";
import type { Process, Task } from "./process.ts";
import type { KernelState } from "./state.ts";

/** What a group has of one page size (struct hugetlb_cgroup). */
export interface HugetlbCounters {
  /** Pages in use: `max`, `current`. */
  readonly pages: PageCounter;
  /** Reservations, used up or not: `rsvd.max`, `rsvd.current`. */
  readonly reservations: PageCounter;
}

export class Cgroup {
  /** By page size in bytes. */
  readonly counters: ReadonlyMap<number, HugetlbCounters>;

  constructor(pageSizes: Iterable<number>) {
    const create = () => ({ pages: new PageCounter(), reservations: new PageCounter() });
    this.counters = new Map([...pageSizes].map((bytes) => [bytes, create()]));
  }
}

/** mkdir below /sys/fs/cgroup; ENOENT: the kernel has no such controller. */
export function createCgroup(kernel: KernelState, name: string): "ok" | Errno {
  if (!kernel.profile.hasHugetlbCgroups) return "ENOENT";
  if (kernel.cgroups.has(name)) return "EEXIST";
  kernel.cgroups.set(name, new Cgroup(kernel.hstates.keys()));
  return "ok";
}

/**
 * rmdir. What is in use is the root's from now on (hugetlb_cgroup_css_offline()), and reservations
 * are nobody's to see: counters that no name leads to stand for both.
 */
export function removeCgroup(kernel: KernelState, name: string): "ok" | Errno {
  const cgroup = kernel.cgroups.get(name);
  if (!cgroup) return "ENOENT";
  if (membersOf(kernel, cgroup).length > 0) return "EBUSY";
  kernel.cgroups.delete(name);
  return "ok";
}

/** The living processes of a group. */
export function membersOf(kernel: KernelState, cgroup: Cgroup): Process[] {
  return [...kernel.processes.values()].filter((process) => {
    return process.cgroup === cgroup && !process.status;
  });
}

/** What a process's reservations are charged to; undefined: the root. */
export function reservationPayer({ cgroup }: Task, hstate: Hstate): PageCounter | undefined {
  return cgroup?.counters.get(hstate.pageBytes)?.reservations;
}

const NO_CHARGES: readonly PageCounter[] = [];

/**
 * Charges a process's group for a page, and for its reservation unless that `isPaid`, before the
 * page is allocated (hugetlb_cgroup_charge_cgroup(), hugetlb_cgroup_charge_cgroup_rsvd()). What was
 * charged, to be given to `uncharge()`; undefined: a limit is in the way.
 */
export function chargePage(
  { cgroup }: Task,
  hstate: Hstate,
  isPaid: boolean,
): readonly PageCounter[] | undefined {
  const counters = cgroup?.counters.get(hstate.pageBytes);
  if (!counters) return NO_CHARGES;
  const { pages, reservations } = counters;
  if (!isPaid && !reservations.tryCharge(1)) return undefined;
  if (pages.tryCharge(1)) return isPaid ? [pages] : [pages, reservations];
  if (!isPaid) reservations.uncharge(1);
  return undefined;
}
