/**
 * A process of the emulated kernel, as a program sees it: its system calls return what Linux
 * returns, its accesses the value or a `Stop`.
 */
import { PAGE_2M } from "../address.ts";
import { OptionError } from "../errors.ts";
import { type Stop, accessMemory } from "./access.ts";
import { switchTo } from "./context-switch.ts";
import { setuid } from "./credentials.ts";
import type { Errno } from "./errno.ts";
import { OpenFile, type OpenRequest, type Stat, openFile, stat, unlink } from "./file.ts";
import { end, exec, fork, release } from "./fork.ts";
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
import { mprotect } from "./mprotect.ts";
import { type MremapRequest, mremap } from "./mremap.ts";
import { type SyncKind, msync } from "./msync.ts";
import { munmap } from "./munmap.ts";
import type { NodeMask } from "./nodes.ts";
import { Pipe } from "./pipe.ts";
import type { ExitStatus, Process } from "./process.ts";
import { type PagemapPage, type Smaps, pagemap, smaps } from "./procfs.ts";
import { pread, pwrite } from "./read-write.ts";
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
import { type FallocateMode, fallocate, ftruncate, setSize } from "./truncate.ts";
import { type UserfaultRequest, openUserfaultfd, userfaultfdIoctl } from "./userfault-ioctl.ts";
import type { Protection } from "./vma.ts";

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
  /** A fault or system call of its never returned (`Stop` of kind "stuck"). */
  get isStuck(): boolean {
    return this.#process.isStuck;
  }
  /** Whether SIGBUS and SIGSEGV have a handler; otherwise they kill. */
  set catchesSignals(value: boolean) {
    this.#alive.catchesSignals = value;
  }

  /** The process, which is the one that acts from now on, on its CPU. */
  get #alive(): Process {
    if (this.#process.status) {
      throw new OptionError("process", `${this.name} (PID ${this.pid}) has ended`);
    }
    this.#kernel.current = this.#process;
    switchTo(this.#kernel, this.#process);
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
   * A descriptor of a file below a mount of hugetlbfs, in / or in /tmp, open for reading and
   * writing unless the request says otherwise.
   */
  open(path: string, request: OpenRequest = {}): number | Errno {
    const process = this.#alive;
    const file = openFile(this.#kernel, process, path, request);
    if (typeof file === "string") return file;
    const fd = process.descriptors.install(file);
    if (request.isTruncated) setSize(this.#kernel, file.inode, 0);
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
    return this.#withFile(fd, (file) => pwrite(this.#kernel, this.#process, file, offset, value));
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
  /**
   * A signal from outside, which ends it unless it is caught. ESRCH if it is gone and waited for.
   */
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
