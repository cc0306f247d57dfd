/**
 * The face of the emulated kernel: create one, start processes, make them do things, and see what
 * happened. System calls return what Linux returns: a value, or the errno's name. Accesses return
 * the value or a `Stop`. Nothing here throws because of what a guest does.
 */
import { PAGE_1G, PAGE_2M, PAGE_4K } from "../address.ts";
import { OptionError } from "../errors.ts";
import { type Machine, type MachineOptions, createMachine } from "../hardware/machine.ts";
import { type Stop, accessMemory } from "./access.ts";
import { createCgroup, removeCgroup } from "./cgroup.ts";
import { readCgroupFile, writeCgroupFile } from "./cgroup-files.ts";
import { setuid } from "./credentials.ts";
import type { Errno } from "./errno.ts";
import { type EventListener, EventStream } from "./event.ts";
import { OpenFile, type OpenRequest, type Stat, openFile, stat, unlink } from "./file.ts";
import { FolioTable } from "./folio.ts";
import { end, exec, fork, release, spawn } from "./fork.ts";
import { type NodeCounters, type PoolCounters, Hstate } from "./hstate.ts";
import { Inode } from "./hugetlbfs.ts";
import { IoUring } from "./io-uring.ts";
import { copyFromUser, copyToUser, writeProcmem } from "./kernel-access.ts";
import type { Advice } from "./advice.ts";
import { madvise } from "./madvise.ts";
import { mbind } from "./mbind.ts";
import { type MemfdRequest, addSeals, createMemfd } from "./memfd.ts";
import { type MempolicyMode, setMempolicy } from "./mempolicy.ts";
import { mincore } from "./mincore.ts";
import { type LockWhat, mlock, mlockall, munlock, munlockall } from "./mlock.ts";
import { type MmapRequest, mmap } from "./mmap.ts";
import { MountTable, type Statfs } from "./mount.ts";
import { mprotect } from "./mprotect.ts";
import { type MremapRequest, mremap } from "./mremap.ts";
import { type SyncKind, msync } from "./msync.ts";
import { munmap } from "./munmap.ts";
import { type NodeMask, Nodes, RESERVED_BYTES } from "./nodes.ts";
import { Pipe } from "./pipe.ts";
import { PlainInode } from "./plain-file.ts";
import { readPoolFile, writePoolFile } from "./pool-files.ts";
import type { ExitStatus, Process, Task } from "./process.ts";
import {
  type PagemapPage,
  type Smaps,
  mapsText,
  meminfoText,
  pagemap,
  smaps,
  smapsText,
  statusText,
} from "./procfs.ts";
import { DEFAULT_PROFILE, profile } from "./profile.ts";
import { pread, pwrite } from "./read-write.ts";
import { ReverseMap } from "./reverse-map.ts";
import { type Resource, setrlimit } from "./rlimit.ts";
import {
  type ShmatRequest,
  type ShmgetRequest,
  shmat,
  shmdt,
  shmget,
  shmrm,
  shmstat,
} from "./shm.ts";
import type { KernelState } from "./state.ts";
import { type FallocateMode, fallocate, ftruncate, truncate } from "./truncate.ts";
import { type UserfaultRequest, openUserfaultfd, userfaultfdIoctl } from "./userfault-ioctl.ts";
import type { Protection } from "./vma.ts";

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
    this.state.current = ADMINISTRATOR;
    return this.state.mounts.remount(this.state, path, options);
  }
  umount(path: string): "ok" | Errno {
    return this.state.mounts.umount(path);
  }
  statfs(path: string): Statfs | Errno {
    return this.state.mounts.at(path)?.statfs ?? "ENOENT";
  }
}

/** A process as a program embeds it. Calls on one that has ended throw OptionError. */
export class UserProcess {
  readonly #kernel: KernelState;
  readonly #process: Process;

  constructor(kernel: KernelState, process: Process) {
    this.#kernel = kernel;
    this.#process = process;
  }

  get pid(): number {
    return this.#process.pid;
  }
  get name(): string {
    return this.#process.name;
  }
  /** How it ended; undefined while it lives. */
  get status(): ExitStatus | undefined {
    return this.#process.status;
  }
  /** Its last fault never returned (`Stop` of kind "stuck"). */
  get isStuck(): boolean {
    return this.#process.isStuck;
  }
  /** Whether SIGBUS and SIGSEGV have a handler; otherwise they kill. */
  set catchesSignals(value: boolean) {
    this.#alive.catchesSignals = value;
  }

  /** The process, which is the one that acts from now on. */
  get #alive(): Process {
    if (this.#process.status) {
      throw new OptionError("process", `${this.name} (PID ${this.pid}) has ended`);
    }
    this.#kernel.current = this.#process;
    return this.#process;
  }

  // ---- Memory

  /** The new mapping's address, or an errno. */
  mmap(request: MmapRequest): number | Errno {
    return mmap(this.#kernel, this.#alive, request);
  }
  munmap(address: number, length: number): "ok" | Errno {
    return munmap(this.#kernel, this.#alive.space, address, length);
  }
  mprotect(address: number, length: number, protection: Protection): "ok" | Errno {
    return mprotect(this.#kernel, this.#alive.space, address, length, protection);
  }
  /** The mapping's address from now on, or an errno. */
  mremap(request: MremapRequest): number | Errno {
    return mremap(this.#kernel, this.#alive.space, request);
  }
  madvise(address: number, length: number, advice: Advice): "ok" | Errno {
    return madvise(this.#kernel, this.#alive.space, address, length, advice);
  }
  mlock(address: number, length: number): "ok" | Errno {
    return mlock(this.#kernel, this.#alive.space, address, length);
  }
  /** mlock2 with MLOCK_ONFAULT. */
  mlockOnFault(address: number, length: number): "ok" | Errno {
    return mlock(this.#kernel, this.#alive.space, address, length, true);
  }
  mlockall(what: ReadonlySet<LockWhat>): "ok" | Errno {
    return mlockall(this.#kernel, this.#alive.space, what);
  }
  munlockall(): "ok" {
    return munlockall(this.#kernel, this.#alive.space);
  }
  munlock(address: number, length: number): "ok" | Errno {
    return munlock(this.#kernel, this.#alive.space, address, length);
  }
  msync(address: number, length: number, kind: SyncKind): "ok" | Errno {
    return msync(this.#alive.space, address, length, kind);
  }
  /** Resident pages of 4K in the range, or an errno. */
  mincore(address: number, length: number): number | Errno {
    return mincore(this.#kernel, this.#alive.space, address, length);
  }

  /** Loads 8 bytes, little-endian, unsigned. */
  read(address: number): bigint | Stop {
    const result = accessMemory(this.#kernel, this.#alive, (cpu) => cpu.load(address, 8));
    return result.kind === "done" ? result.value : result;
  }

  /** Stores 8 bytes; undefined: done. */
  write(address: number, value: bigint): Stop | undefined {
    const result = accessMemory(this.#kernel, this.#alive, (cpu) => cpu.store(address, 8, value));
    return result.kind === "done" ? undefined : result;
  }

  /** Adds one to 8 bytes by one read-modify-write instruction; undefined: done. */
  increment(address: number): Stop | undefined {
    const result = accessMemory(this.#kernel, this.#alive, (cpu) => {
      if (cpu.access(address, "write", 8) < 0) return cpu.fault;
      const old = cpu.load(address, 8);
      return typeof old === "bigint" ? cpu.store(address, 8, old + 1n) : old;
    });
    return result.kind === "done" ? undefined : result;
  }

  // ---- Files. Descriptors are close-on-exec.

  /**
   * A descriptor of a file below a mount of hugetlbfs, in / or in /tmp, open for reading and writing
   * unless the request says otherwise.
   */
  open(path: string, request: OpenRequest = {}): number | Errno {
    const process = this.#alive;
    const file = openFile(this.#kernel, process, path, request);
    if (typeof file === "string") return file;
    const fd = process.descriptors.install(file);
    if (request.isTruncated && file.inode instanceof Inode) truncate(this.#kernel, file.inode, 0);
    else if (request.isTruncated && file.inode instanceof PlainInode) file.inode.truncate(0);
    return fd;
  }
  /** A descriptor of a file without a name. */
  memfd(request: MemfdRequest = {}): number | Errno {
    const file = createMemfd(this.#kernel, request);
    return typeof file === "string" ? file : this.#alive.descriptors.install(file);
  }
  close(fd: number): "ok" | Errno {
    return this.#alive.descriptors.close(fd);
  }
  unlink(path: string): "ok" | Errno {
    return unlink(this.#kernel, this.#alive, path);
  }
  ftruncate(fd: number, size: number): "ok" | Errno {
    return this.#withFile(fd, (file) => ftruncate(this.#kernel, this.#alive, file, size));
  }
  fallocate(fd: number, mode: FallocateMode, offset: number, length: number): "ok" | Errno {
    const process = this.#alive;
    return this.#withFile(fd, (file) =>
      fallocate(this.#kernel, process, file, mode, offset, length),
    );
  }
  /** Up to 8 bytes of the file, little-endian. */
  pread(fd: number, offset: number): { nrBytes: number; value: bigint } | Errno {
    return this.#withFile(fd, (file) => pread(this.#kernel, file, offset));
  }
  /** 8 bytes; EINVAL of a file of huge pages, which cannot be written by a system call. */
  pwrite(fd: number, offset: number, value: bigint): "ok" | Errno {
    return this.#withFile(fd, (file) => pwrite(file, offset, value));
  }
  fstat(fd: number): Stat | Errno {
    return this.#withFile(fd, (file) => stat(file));
  }
  /** F_ADD_SEALS: F_SEAL_ bits. */
  addSeals(fd: number, seals: number): "ok" | Errno {
    return this.#withFile(fd, (file) => addSeals(this.#kernel, file, seals));
  }

  #withFile<T>(fd: number, act: (file: OpenFile) => T | Errno): T | Errno {
    const file = this.#alive.descriptors.at(fd);
    if (!file) return "EBADF";
    return file instanceof OpenFile ? act(file) : "ESPIPE";
  }

  // ---- userfaultfd

  /** A descriptor that takes faults of the process's memory, each of which is SIGBUS then. */
  userfaultfd(): number | Errno {
    return openUserfaultfd(this.#kernel, this.#alive);
  }
  userfaultfdIoctl(fd: number, request: UserfaultRequest): "ok" | Errno {
    return userfaultfdIoctl(this.#kernel, this.#alive, fd, request);
  }

  // ---- System V shared memory

  /** The identifier of a new segment. */
  shmget(request: ShmgetRequest): number | Errno {
    return shmget(this.#kernel, this.#alive, request);
  }
  /** Where the segment is attached. */
  shmat(request: ShmatRequest): number | Errno {
    return shmat(this.#kernel, this.#alive, request);
  }
  shmdt(address: number): "ok" | Errno {
    return shmdt(this.#kernel, this.#alive.space, address);
  }
  /** IPC_RMID */
  shmrm(id: number): "ok" | Errno {
    return shmrm(this.#kernel, this.#alive, id);
  }
  /** IPC_STAT: bytes asked for, and mappings. */
  shmstat(id: number): { length: number; nrAttached: number } | Errno {
    return shmstat(this.#kernel, this.#alive, id);
  }

  // ---- Accesses inside system calls: bytes that were done

  /** The kernel reads 8 bytes. */
  copyFromUser(address: number): number | Errno {
    return copyFromUser(this.#kernel, this.#alive, address);
  }
  /** The kernel writes zeros, 8 bytes by default. */
  copyToUser(address: number, length?: number): number | Errno {
    return copyToUser(this.#kernel, this.#alive, address, length);
  }
  /** 8 bytes through /proc/self/mem. */
  writeProcmem(address: number, value: bigint): number | Errno {
    return writeProcmem(this.#kernel, this.#alive, address, value);
  }

  // ---- Pages held without a mapping

  /** The descriptor of a new pipe, both its ends. */
  pipe(): number {
    return this.#alive.descriptors.install(new Pipe(this.#kernel));
  }
  /** Bytes spliced, up to 8, from `address` into a pipe. */
  vmsplice(fd: number, address: number): number | Errno {
    const pipe = this.#alive.descriptors.at(fd);
    return pipe instanceof Pipe ? pipe.vmsplice(this.#alive, address) : "EBADF";
  }
  /** What the next 8 bytes in a pipe, or fewer if it holds fewer, are now. */
  readPipe(fd: number): bigint | Errno {
    const pipe = this.#alive.descriptors.at(fd);
    return pipe instanceof Pipe ? pipe.read() : "EBADF";
  }
  /** The descriptor of a new io_uring that has the range pinned as a registered buffer. */
  pin(address: number, length: number): number | Errno {
    const ring = IoUring.setup(this.#kernel, this.#alive);
    if (typeof ring === "string") return ring;
    const fd = this.#alive.descriptors.install(ring);
    const registered = ring.register(this.#alive, address, length);
    if (registered === "ok") return fd;
    this.close(fd);
    return registered;
  }
  /** Unregisters the ring's buffer, for every process that has the ring, and closes it. */
  unpin(fd: number): "ok" | Errno {
    const ring = this.#alive.descriptors.at(fd);
    if (!(ring instanceof IoUring)) return "EBADF";
    const result = ring.unregister();
    this.close(fd);
    return result;
  }

  // ---- Credentials and limits

  setuid(uid: number): "ok" | Errno {
    return setuid(this.#alive, uid);
  }
  setrlimit(resource: Resource, value: bigint): "ok" | Errno {
    return setrlimit(this.#alive, resource, value);
  }

  // ---- Life

  /** The child, or ENOMEM. It does what it is told; it has no program of its own. */
  fork(name: string): UserProcess | Errno {
    const child = fork(this.#kernel, this.#alive, name);
    return child ? new UserProcess(this.#kernel, child) : "ENOMEM";
  }
  /** Drops every mapping and resets signal handlers. */
  exec(): void {
    exec(this.#kernel, this.#alive);
  }
  exit(code: number): void {
    end(this.#kernel, this.#alive, { kind: "exited", code: code & 0xff });
  }
  /** How a child ended; ECHILD if it is none of ours, EAGAIN while it lives. */
  wait(child: UserProcess): ExitStatus | Errno {
    const found = this.#kernel.processes.get(child.pid);
    if (found?.parent !== this.#alive.pid) return "ECHILD";
    if (!found.status) return "EAGAIN";
    release(this.#kernel, found);
    return found.status;
  }
  /** Whether it has ended and its parent has waited for it. */
  get isReaped(): boolean {
    return !this.#kernel.processes.has(this.pid);
  }
  /** A signal from outside, which ends it unless it is caught. ESRCH if it is gone and waited for. */
  kill(signal = "SIGKILL"): "ok" | Errno {
    if (this.isReaped) return "ESRCH";
    const { status, catchesSignals } = this.#process;
    const isCaught = catchesSignals && (signal === "SIGBUS" || signal === "SIGSEGV");
    if (!status && !isCaught) end(this.#kernel, this.#process, { kind: "killed", signal });
    return "ok";
  }

  // ---- NUMA

  /** Which nodes the pages of a range come from. `nodes`: bit n for node n. */
  mbind(address: number, length: number, mode: MempolicyMode, nodes: NodeMask): "ok" | Errno {
    return mbind(this.#kernel, this.#alive.space, address, length, mode, nodes);
  }
  /** The same for all memory that no mbind speaks of; children inherit it. */
  setMempolicy(mode: MempolicyMode, nodes: NodeMask): "ok" | Errno {
    return setMempolicy(this.#kernel.nodes, this.#alive, mode, nodes);
  }
  /** The node of each page of 2M from `address` on; undefined where none is mapped. */
  nodesOf(address: number, nrPages: number): (number | undefined)[] {
    return pagemap(this.#kernel, this.#alive.space, address, nrPages).map((page) => {
      return page && this.#kernel.nodes.nodeOf(page.frame);
    });
  }

  // ---- What /proc shows

  /** What smaps says of the mapping at `address`; undefined if there is none. */
  smaps(address: number): Smaps | undefined {
    const { space } = this.#alive;
    const vma = space.find(address);
    return vma && smaps(this.#kernel, space, vma);
  }
  /** One entry a page of `step` bytes (default 2M) from `address` on. */
  pagemap(address: number, nrPages: number, step: number = PAGE_2M): PagemapPage[] {
    return pagemap(this.#kernel, this.#alive.space, address, nrPages, step);
  }
  /** Bytes of huge pages that it has mapped less those it has unmapped. */
  get hugetlbBytes(): number {
    return this.#alive.space.hugetlbBytes;
  }
  /** How many mappings meet the range. */
  nrMappings(address: number, length: number): number {
    return this.#alive.space.overlapping(address, address + length).length;
  }
}
