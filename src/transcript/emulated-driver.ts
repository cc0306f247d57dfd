/** The emulated kernel as the transcript runner's driver. */
import { PAGE_2M, formatBytes } from "../address.ts";
import { InternalError, OptionError } from "../errors.ts";
import type { Stop } from "../kernel/access.ts";
import { describeEvent } from "../kernel/event.ts";
import { type Kernel, type UserProcess, createKernel } from "../kernel/kernel.ts";
import type { Advice } from "../kernel/madvise.ts";
import { writeNrHugepages, writeNrOvercommit, writeSysctl } from "../kernel/pool-files.ts";
import { formatStatus } from "../kernel/process.ts";
import { unsigned } from "../kernel/procfs.ts";
import type { Counters, Driver, HostOperation, Outcome, ProcessOperation } from "./driver.ts";

export { profileNames } from "../kernel/profile.ts";

export interface EmulatedMachine {
  readonly kernel: string;
  readonly memoryBytes: number;
  /** A processor's name; default: the one there is. */
  readonly cpu?: string;
  readonly nrCpus: number;
  /** Pages in the pool at boot, by page size in bytes. */
  readonly hugePages?: ReadonlyMap<number, number>;
}

/** Whose TLB the machine has. */
const CPU_NAME = "skylake-sp";

const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  5: "SIGTRAP",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  10: "SIGUSR1",
  11: "SIGSEGV",
  12: "SIGUSR2",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
};

/** Throws OptionError where the machine cannot be: unknown kernel, RAM too small for the pool. */
export function createEmulatedDriver(
  machine: EmulatedMachine,
  onEvent?: (line: string) => void,
): Driver {
  const { cpu = CPU_NAME } = machine;
  if (cpu !== CPU_NAME) throw new OptionError("cpu", `no model of "${cpu}"; there is ${CPU_NAME}`);
  const kernel = createKernel({
    profile: machine.kernel,
    machine: { ramBytes: machine.memoryBytes, cpus: machine.nrCpus },
    hugePages: machine.hugePages,
  });
  if (onEvent) kernel.onEvent((event) => onEvent(describeEvent(event)));
  return new EmulatedDriver(kernel);
}

/** Drives a kernel that the caller has created. */
export class EmulatedDriver implements Driver {
  readonly #kernel: Kernel;
  /** The newest process of each name. */
  readonly #actors = new Map<string, UserProcess>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  isFrameAlive(frame: number): boolean {
    return this.#kernel.state.folios.isAlive(frame);
  }

  counters(): Counters {
    const counters = new Map<string, bigint>();
    for (const [pageBytes, { counters: pool }] of this.#kernel.state.hstates) {
      const prefix = pageBytes === PAGE_2M ? "" : `${formatBytes(pageBytes)}.`;
      counters.set(`${prefix}total`, unsigned(pool.total));
      counters.set(`${prefix}free`, unsigned(pool.free));
      counters.set(`${prefix}rsvd`, unsigned(pool.reserved));
      counters.set(`${prefix}surp`, unsigned(pool.surplus));
    }
    return counters;
  }

  host(operation: HostOperation): Outcome {
    if (operation.op === "kill") {
      return { result: this.#kill(operation.target, operation.signal) };
    }
    const size = ("hugeSize" in operation ? operation.hugeSize : undefined) ?? PAGE_2M;
    const hstate = this.#kernel.state.hstates.get(size);
    if (!hstate) return { result: "ENOENT" };
    switch (operation.op) {
      case "nr_hugepages":
        return { result: writeNrHugepages(hstate, operation.text) };
      case "nr_overcommit_hugepages":
        return { result: writeNrOvercommit(hstate, operation.text) };
      case "sysctl_nr_hugepages":
        return { result: writeSysctl(hstate, "pool", operation.text) };
      default:
        return refused(operation.op);
    }
  }

  #kill(target: string, signal: number): string {
    const process = this.#actors.get(target);
    if (!process) return "ESRCH";
    if (signal === 0) return this.#kernel.state.processes.has(process.pid) ? "ok" : "ESRCH";
    const name = SIGNALS[signal];
    if (!name) throw new OptionError("kill", `signal ${signal} is not modelled`);
    return process.kill(name);
  }

  process(actor: string, operation: ProcessOperation): Outcome {
    let process = this.#actors.get(actor);
    if (!process) this.#actors.set(actor, (process = this.#kernel.spawn(actor)));
    if (process.status) return { result: "dead" };
    if (process.isStuck) return { result: "stuck" };
    return this.#perform(process, operation);
  }

  #perform(process: UserProcess, operation: ProcessOperation): Outcome {
    switch (operation.op) {
      case "mmap":
        return mmap(process, operation);
      case "munmap":
        return { result: process.munmap(operation.address, operation.length) };
      case "mprotect": {
        const { address, length, protection } = operation;
        return { result: process.mprotect(address, length, protection) };
      }
      case "mremap":
        return mremap(process, operation);
      case "madvise": {
        const { address, length, advice } = operation;
        return { result: process.madvise(address, length, advice as Advice) };
      }
      case "mlock":
        return { result: process.mlock(operation.address, operation.length) };
      case "munlock":
        return { result: process.munlock(operation.address, operation.length) };
      case "mincore": {
        const resident = process.mincore(operation.address, operation.length);
        const nrPages = Math.ceil(operation.length / 4096);
        return { result: typeof resident === "number" ? `${resident}/${nrPages}` : resident };
      }
      case "read": {
        const value = process.read(operation.address);
        return { result: typeof value === "bigint" ? `${value}` : formatStop(value) };
      }
      case "write":
        return { result: formatStop(process.write(operation.address, operation.value)) };
      case "increment":
        return { result: formatStop(process.increment(operation.address)) };
      case "touch":
        return touch(process, operation);
      case "fork":
        return this.#fork(process, operation.child);
      case "wait":
        return this.#wait(process, operation.child);
      case "exit":
        process.exit(operation.code);
        return { result: process.status ? formatStatus(process.status) : "" };
      case "exec":
        process.exec();
        return { result: "ok" };
      case "signals":
        process.catchesSignals = operation.action === "catch";
        return { result: "ok" };
      case "smaps":
        return smaps(process, operation.address);
      case "pagemap":
        return pagemap(process, operation);
      case "status":
        return { result: `HugetlbPages=${process.hugetlbBytes / 1024}kB` };
      case "vmas":
        return { result: `${process.nrMappings(operation.address, operation.length)}` };
      default:
        return refused(operation.op);
    }
  }

  #fork(process: UserProcess, name: string): Outcome {
    const previous = this.#actors.get(name);
    if (previous && !previous.status) return { result: "EEXIST" };
    const child = process.fork(name);
    if (typeof child === "string") return { result: child };
    this.#actors.set(name, child);
    return { result: "ok" };
  }

  #wait(process: UserProcess, name: string): Outcome {
    const child = this.#actors.get(name);
    if (!child) return { result: "ECHILD" };
    const status = process.wait(child);
    return { result: typeof status === "string" ? status : formatStatus(status) };
  }
}

/** The parser refuses what the grammar marks `later`. */
function refused(op: string): never {
  throw new InternalError(`the emulated kernel knows no operation ${op}`);
}

type Operation<Op extends ProcessOperation["op"]> = Extract<ProcessOperation, { op: Op }>;

function formatStop(stop: Stop | undefined): string {
  if (!stop) return "ok";
  if (stop.kind === "signal") return `${stop.signal} ${stop.code}`;
  return stop.kind === "killed" ? `killed ${stop.signal}` : "stuck";
}

function mmap(process: UserProcess, operation: Operation<"mmap">): Outcome {
  const { flags, length, protection, at, offset } = operation;
  const isHuge = flags.has("huge");
  // Both bits are MAP_SHARED_VALIDATE.
  const isShared = flags.has("shared") || flags.has("shared_validate");
  if ((offset ?? 0) % 4096 !== 0) return { result: "EINVAL" };
  if (!flags.has("anon")) return { result: "EBADF" };
  if (!isShared && !flags.has("private")) return { result: "EINVAL" };
  const address = process.mmap({
    length,
    protection,
    isShared,
    hugePageBytes: isHuge ? (operation.hugeSize ?? PAGE_2M) : undefined,
    isNoreserve: flags.has("noreserve"),
    isPopulated: flags.has("populate") && !flags.has("nonblock"),
    isLocked: flags.has("locked"),
    isStack: flags.has("stack"),
    growsDown: flags.has("growsdown"),
    offset,
    at,
    placement: flags.has("fixed")
      ? "fixed"
      : flags.has("fixed_noreplace")
        ? "fixed_noreplace"
        : "hint",
    is32Bit: flags.has("32bit"),
  });
  if (typeof address === "string") return { result: address };
  const where = at === undefined ? "ok" : address === at ? "ok at" : "ok moved";
  return { result: where, bound: address };
}

function mremap(process: UserProcess, operation: Operation<"mremap">): Outcome {
  const { address, oldLength, newLength, flags, at } = operation;
  const result = process.mremap({
    address,
    oldLength,
    newLength,
    mayMove: flags.has("maymove") || flags.has("fixed"),
    fixedAt: flags.has("fixed") ? (at ?? 0) : undefined,
    keepsOld: flags.has("dontunmap"),
  });
  if (typeof result === "string") return { result };
  return { result: result === address ? "ok inplace" : "ok moved", bound: result };
}

function touch(process: UserProcess, operation: Operation<"touch">): Outcome {
  for (let page = 0; page < operation.nrPages; page++) {
    const address = operation.address + page * PAGE_2M;
    const result =
      operation.access === "read"
        ? process.read(address)
        : process.write(address, (operation.value ?? 100n) + BigInt(page));
    if (typeof result !== "object") continue;
    if (result.kind !== "signal") return { result: formatStop(result) };
    return { result: `${result.signal} at page ${page}` };
  }
  return { result: `ok ${operation.nrPages}` };
}

function smaps(process: UserProcess, address: number): Outcome {
  const found = process.smaps(address);
  if (!found) return { result: "none" };
  const kB = (bytes: number): string => `${bytes / 1024}kB`;
  const length = found.end - found.start;
  const len = length % PAGE_2M === 0 ? `${length / PAGE_2M}h` : `${length / 4096}p`;
  return {
    result: [
      `len=${len} ${found.permissions} off=${found.offset.toString(16).padStart(8, "0")}`,
      `KernelPageSize=${kB(found.kernelPageSize)}`,
      `Shared_Hugetlb=${kB(found.sharedHugetlb)} Private_Hugetlb=${kB(found.privateHugetlb)}`,
      `VmFlags=${found.flags.join(",")}`,
    ].join(" "),
  };
}

function pagemap(process: UserProcess, operation: Operation<"pagemap">): Outcome {
  return {
    result: "",
    pagemap: process.pagemap(operation.address, operation.nrPages).map(
      (page) =>
        page && {
          frame: page.life,
          backing: page.isFile ? "file" : "anon",
          sharing: page.isExclusive ? "exclusive" : "shared",
        },
    ),
  };
}
