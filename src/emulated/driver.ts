/** The emulated kernel as the transcript runner's driver. */
import { PAGE_2M, formatBytes } from "../address.ts";
import { InternalError, OptionError } from "../errors.ts";
import { describeEvent } from "../kernel/event.ts";
import { type Kernel, createKernel } from "../kernel/kernel.ts";
import type { UserProcess } from "../kernel/user-process.ts";
import { formatStatus } from "../kernel/process.ts";
import { unsigned } from "../kernel/procfs.ts";
import { findPreset } from "../tlb/presets.ts";
import type {
  Counters,
  Driver,
  HostOperation,
  Outcome,
  ProcessOperation,
} from "../transcript/driver.ts";
import type { Actor } from "./actor.ts";
import { tryPerformAccess } from "./access.ts";
import { tryPerformCgroup } from "./cgroup.ts";
import { tryPerformFiles } from "./files.ts";
import { tryHold } from "./hold.ts";
import { performHost } from "./host.ts";
import { tryInspect } from "./inspect.ts";
import { MachineTlbs } from "./machine-tlbs.ts";
import { tryPerformMemory } from "./memory.ts";
import { tryPerformShm } from "./shm.ts";
import { tryPerformUserfault } from "./userfault.ts";

export { profileNames } from "../kernel/profile.ts";

export interface EmulatedMachine {
  readonly kernel: string;
  readonly memoryBytes: number;
  /** The processor whose TLBs are measured: a name of `hugewalk cpus`. Default: skylake-sp. */
  readonly cpu?: string;
  readonly nrCpus: number;
  readonly nrNodes?: number;
  /** Pages in the pool at boot, by page size in bytes. */
  readonly hugePages?: ReadonlyMap<number, number>;
  /** Whether the driver has `tlbs`. */
  readonly measuresTlbs?: boolean;
}

const DEFAULT_CPU = "skylake-sp";

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

/** Throws OptionError where the machine cannot be: unknown CPU, RAM too small for the pool. */
export function createEmulatedDriver(
  machine: EmulatedMachine,
  onEvent?: (line: string) => void,
): Driver {
  const { processor } = findPreset(machine.cpu ?? DEFAULT_CPU, "cpu");
  const kernel = createKernel({
    profile: machine.kernel,
    machine: { ramBytes: machine.memoryBytes, cpus: machine.nrCpus },
    hugePages: machine.hugePages,
    nodes: machine.nrNodes,
  });
  if (onEvent) {
    kernel.onEvent((event) => {
      // It happens all the time, and says nothing of memory.
      if (event.kind !== "switch") onEvent(describeEvent(event));
    });
  }
  return new EmulatedDriver(
    kernel,
    machine.measuresTlbs ? new MachineTlbs(kernel, processor) : undefined,
  );
}

/** Drives a kernel that the caller has created. */
export class EmulatedDriver implements Driver {
  readonly tlbs: MachineTlbs | undefined;
  readonly #kernel: Kernel;
  /** The newest process of each name. */
  readonly #actors = new Map<string, Actor>();
  /** SysV segments by name. */
  readonly #segments = new Map<string, number>();

  constructor(kernel: Kernel, tlbs?: MachineTlbs) {
    this.#kernel = kernel;
    this.tlbs = tlbs;
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
    this.tlbs?.begin(operation.op);
    if (operation.op === "kill") {
      return { result: this.#kill(operation.target, operation.signal) };
    }
    const find = (name: string) => this.#actors.get(name)?.process;
    return tryPerformCgroup(this.#kernel, operation, find) ?? performHost(this.#kernel, operation);
  }

  #kill(target: string, signal: number): string {
    const process = this.#actors.get(target)?.process;
    if (!process) return "ESRCH";
    if (signal === 0) return this.#kernel.state.processes.has(process.pid) ? "ok" : "ESRCH";
    const name = SIGNALS[signal];
    if (!name) throw new OptionError("kill", `signal ${signal} is not modelled`);
    return process.kill(name);
  }

  process(actor: string, operation: ProcessOperation): Outcome {
    this.tlbs?.begin(operation.op);
    let found = this.#actors.get(actor);
    if (!found)
      this.#actors.set(actor, (found = { process: this.#kernel.spawn(actor), files: new Map() }));
    const { process } = found;
    if (process.status) return { result: "dead" };
    if (process.isStuck) return { result: "stuck" };
    const outcome = this.#perform(found, operation);
    if (process.status) return { result: formatStatus(process.status) };
    // Its system call never returns.
    return process.isStuck ? { result: "stuck" } : outcome;
  }

  #perform(actor: Actor, operation: ProcessOperation): Outcome {
    const { process } = actor;
    switch (operation.op) {
      case "fork":
        return this.#fork(actor, operation.child);
      case "wait":
        return this.#wait(process, operation.child);
      case "exit":
        process.exit(operation.code);
        return { result: "" };
      case "exec":
        process.exec();
        actor.files.clear();
        return { result: "ok" };
      case "setuid":
        return { result: process.setuid(operation.uid) };
      case "rlimit":
        return { result: process.setrlimit(operation.resource, operation.value) };
      case "signals":
        process.catchesSignals = operation.action === "catch";
        return { result: "ok" };
      default:
        return (
          tryPerformAccess(process, operation) ??
          tryPerformMemory(actor, operation) ??
          tryPerformFiles(actor, operation) ??
          tryPerformShm(process, operation, this.#segments) ??
          tryPerformUserfault(actor, operation) ??
          tryHold(actor, operation) ??
          tryInspect(process, operation) ??
          refused(operation.op)
        );
    }
  }

  #fork({ process, files }: Actor, name: string): Outcome {
    const previous = this.#actors.get(name)?.process;
    if (previous && !previous.status) return { result: "EEXIST" };
    const child = process.fork(name);
    if (typeof child === "string") return { result: child };
    this.#actors.set(name, { process: child, files: new Map(files) });
    return { result: "ok" };
  }

  #wait(process: UserProcess, name: string): Outcome {
    const child = this.#actors.get(name)?.process;
    if (!child) return { result: "ECHILD" };
    const status = process.wait(child);
    return { result: typeof status === "string" ? status : formatStatus(status) };
  }
}

function refused(op: string): never {
  throw new InternalError(`the emulated kernel knows no operation ${op}`);
}
