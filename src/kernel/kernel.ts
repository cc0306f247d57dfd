/**
 * The face of the emulated kernel: create one, start processes, make them do things, and see what
 * happened. System calls return what Linux returns: a value, or the errno's name. Accesses return
 * the value or a `Stop`. Nothing here throws because of what a guest does.
 */
import { PAGE_1G, PAGE_2M, PAGE_4K } from "../address.ts";
import { OptionError } from "../errors.ts";
import { type Machine, type MachineOptions, createMachine } from "../hardware/machine.ts";
import { createCgroup, removeCgroup } from "./cgroup.ts";
import { readCgroupFile, writeCgroupFile } from "./cgroup-files.ts";
import type { Errno } from "./errno.ts";
import { type EventListener, EventStream } from "./event.ts";
import { FolioTable } from "./folio.ts";
import { spawn } from "./fork.ts";
import { type NodeCounters, type PoolCounters, Hstate } from "./hstate.ts";
import { MountTable, type Statfs } from "./mount.ts";
import { Nodes, RESERVED_BYTES } from "./nodes.ts";
import { readPoolFile, writePoolFile } from "./pool-files.ts";
import type { Task } from "./process.ts";
import { mapsText, meminfoText, smapsText, statusText } from "./procfs.ts";
import { DEFAULT_PROFILE, profile } from "./profile.ts";
import { ReverseMap } from "./reverse-map.ts";
import type { KernelState } from "./state.ts";
import { UserProcess } from "./user-process.ts";

export interface KernelOptions {
  /** Name of a profile (`profileNames`); default the newest real kernel. */
  readonly profile?: string;
  /** The machine it runs on: an existing one, or options for a new one. RAM is all the kernel's. */
  readonly machine?: Machine | MachineOptions;
  /** Pages in the pool at boot, by page size in bytes: `new Map([[PAGE_2M, 64]])`. */
  readonly hugePages?: ReadonlyMap<number, number>;
  /** NUMA nodes, 1 to 8, which share RAM and CPUs evenly; default 1. */
  readonly nodes?: number;
}

const CR4_PGE_AND_PCIDE = (1n << 7n) | (1n << 17n);
const RAM_MIN = 4 * PAGE_2M;
const FIRST_PID = 100;
/** Whoever mounts file systems and writes to the files of /sys. */
const ADMINISTRATOR: Task = { cpu: 0, policy: undefined, cgroup: undefined };

/** Boots a kernel. Throws OptionError for an unknown profile, or RAM too small for the pool. */
export function createKernel(options: KernelOptions = {}): Kernel {
  const given = options.machine ?? {};
  const machine = "ram" in given ? given : createMachine(given);
  if (machine.ram.bytes < RAM_MIN) {
    throw new OptionError("ramBytes", `a kernel needs at least ${RAM_MIN} bytes of RAM`);
  }
  const events = new EventStream();
  const folios = new FolioTable();
  const nodes = new Nodes(machine, options.nodes ?? 1);
  const tables = machine.createPageTables({
    allocate: () => {
      const local = nodes.nodeOfCpu(state.current.cpu);
      const frame = nodes.allocate(0, nodes.anyFrom(local));
      if (frame !== undefined) state.nrTableFrames++;
      return frame;
    },
    free: (frame) => {
      state.nrTableFrames--;
      nodes.free(frame, 0);
    },
  });
  const kernelProfile = profile(options.profile ?? DEFAULT_PROFILE);
  const createHstate = (level: 2 | 3): Hstate => {
    return new Hstate(level, kernelProfile, nodes, folios, events, () => state.current);
  };
  const state: KernelState = {
    profile: kernelProfile,
    machine,
    tables,
    nodes,
    folios,
    hstates: new Map([
      [PAGE_2M, createHstate(2)],
      [PAGE_1G, createHstate(3)],
    ]),
    reverseMap: new ReverseMap(),
    mounts: new MountTable(),
    plainFiles: new Map(),
    sharedTables: new Map(),
    segments: new Map(),
    nextSegment: 0,
    events,
    processes: new Map(),
    current: ADMINISTRATOR,
    cgroups: new Map(),
    running: machine.cpus.map(() => undefined),
    zeroFrame: RESERVED_BYTES - PAGE_4K,
    log: [],
    ringPagesOf: new Map(),
    freePcids: Array.from({ length: 4095 }, (_, i) => 4095 - i),
    nextPid: FIRST_PID,
    nrTableFrames: 0,
  };
  for (const [pageBytes, count] of options.hugePages ?? []) {
    const hstate = state.hstates.get(pageBytes);
    if (!hstate) throw new OptionError("hugePages", `no huge pages of ${pageBytes} bytes`);
    hstate.allocateAtBoot(count);
  }
  for (const cpu of machine.cpus) {
    cpu.cr4 |= CR4_PGE_AND_PCIDE;
    cpu.cpl = 3;
  }
  return new Kernel(state);
}

export class Kernel {
  /** The parts, for inspection; changing them breaks the kernel's invariants. */
  readonly state: KernelState;

  constructor(state: KernelState) {
    this.state = state;
  }

  /** Starts a process with an empty address space. Throws ResourceError if RAM is full. */
  spawn(name: string): UserProcess {
    return new UserProcess(this.state, spawn(this.state, name, 1));
  }

  /** Counters of the pool of a page size; undefined for a size without pool. */
  pool(pageBytes: number): PoolCounters | undefined {
    return this.state.hstates.get(pageBytes)?.counters;
  }

  /** Counters of one node's share of a pool; undefined for a node or size that there is not. */
  nodePool(pageBytes: number, node: number): NodeCounters | undefined {
    return this.state.hstates.get(pageBytes)?.nodeCounters(node);
  }

  /** Calls `listener` with each event from now on; call the result to end that. */
  onEvent(listener: EventListener): () => void {
    return this.state.events.listen(listener);
  }

  /** Lines that the kernel printed to its console. */
  get log(): readonly string[] {
    return this.state.log;
  }

  /**
   * The text of /proc/meminfo, /proc/sys/vm/nr_[overcommit_]hugepages, the files in
   * /sys/kernel/mm/hugepages/hugepages-<size>kB, a group's cgroup.procs, hugetlb.<size>.max,
   * .current, .rsvd.max, .rsvd.current and .events in /sys/fs/cgroup/<name>, or a process's maps,
   * smaps and status.
   */
  readFile(path: string): string | Errno {
    if (path === "/proc/meminfo") return meminfoText(this.state);
    const match = /^\/proc\/(\d+)\/(maps|smaps|status)$/.exec(path);
    if (!match) {
      return readCgroupFile(this.state, path) ?? readPoolFile(this.state, path) ?? "ENOENT";
    }
    const process = this.state.processes.get(Number(match[1]));
    if (!process || process.status) return "ENOENT";
    if (match[2] === "maps") return mapsText(this.state, process.space);
    if (match[2] === "smaps") return smapsText(this.state, process.space);
    return statusText(process);
  }

  /** Writes a pool's nr_hugepages or nr_overcommit_hugepages, a group's limits or cgroup.procs. */
  writeFile(path: string, text: string): "ok" | Errno {
    return writeCgroupFile(this.state, path, text) ?? writePoolFile(this.state, path, text);
  }

  /** Makes /sys/fs/cgroup/<name>, a group with limits on huge pages (cgroup v2). */
  createCgroup(name: string): "ok" | Errno {
    return createCgroup(this.state, name);
  }
  /** EBUSY: a process lives in it. */
  removeCgroup(name: string): "ok" | Errno {
    return removeCgroup(this.state, name);
  }

  /** Mounts hugetlbfs; options as mount(8) takes them: "pagesize=2M,size=50%". */
  mount(path: string, options = ""): "ok" | Errno {
    this.state.current = ADMINISTRATOR;
    return this.state.mounts.mount(this.state, path, options);
  }
  remount(path: string, options = ""): "ok" | Errno {
    return this.state.mounts.remount(this.state, path, options);
  }
  umount(path: string): "ok" | Errno {
    return this.state.mounts.umount(path);
  }
  statfs(path: string): Statfs | Errno {
    return this.state.mounts.at(path)?.statfs ?? "ENOENT";
  }
}
