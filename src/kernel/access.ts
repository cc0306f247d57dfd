/**
 * Accesses of a process to its memory: the CPU tries, the kernel resolves the fault, the CPU tries
 * again, until it is done or a signal ends it.
 */
import { InternalError } from "../errors.ts";
import type { Fault } from "../fault.ts";
import type { Cpu } from "../hardware/cpu.ts";
import type { FaultOutcome } from "./fault-outcome.ts";
import { end } from "./fork.ts";
import { handleFault } from "./page-fault.ts";
import type { Process } from "./process.ts";
import type { KernelState } from "./state.ts";

/** Why an access did not happen. */
export type Stop =
  /** The process has a handler: it goes on, knowing where the access failed (si_addr). */
  | {
      readonly kind: "signal";
      readonly signal: "SIGBUS" | "SIGSEGV";
      readonly code: string;
      readonly address: number;
    }
  | { readonly kind: "killed"; readonly signal: "SIGBUS" | "SIGSEGV" | "SIGKILL" }
  /** The kernel retries the fault for ever. */
  | { readonly kind: "stuck" };

/** An access that crosses pages of two mappings, each copied, faults four times at most. */
const FAULTS_MAX = 8;

/** What trying an access came to: its value, or the fault that could not be resolved. */
type Attempt<T> =
  | { readonly kind: "done"; readonly value: T }
  | {
      readonly kind: "failed";
      readonly fault: Fault;
      readonly outcome: Exclude<FaultOutcome, { kind: "handled" }>;
    };

/**
 * Tries until `attempt` returns no fault, or one that ends the access. No signal is sent.
 * Precondition: the process runs on its CPU.
 */
export function tryAccess<T extends bigint | undefined>(
  kernel: KernelState,
  process: Process,
  attempt: (cpu: Cpu) => T | Fault,
): Attempt<T> {
  const cpu = kernel.machine.cpus[process.cpu];
  for (let nrFaults = 0; nrFaults <= FAULTS_MAX; nrFaults++) {
    const result = attempt(cpu);
    if (typeof result !== "object") return { kind: "done", value: result };
    const outcome = handleFault(kernel, process.space, result);
    if (outcome.kind !== "handled") return { kind: "failed", fault: result, outcome };
  }
  throw new InternalError("a page fault that was handled is not taken again");
}

/** An access of the process itself: a signal if it cannot be. */
export function accessMemory<T extends bigint | undefined>(
  kernel: KernelState,
  process: Process,
  attempt: (cpu: Cpu) => T | Fault,
): { readonly kind: "done"; readonly value: T } | Stop {
  const tried = tryAccess(kernel, process, attempt);
  return tried.kind === "done" ? tried : deliver(kernel, process, tried.outcome, tried.fault);
}

/** force_sig_fault(), and what the process makes of it. */
function deliver(
  kernel: KernelState,
  process: Process,
  outcome: Exclude<FaultOutcome, { kind: "handled" }>,
  fault: Fault,
): Stop {
  const { pid, name } = process;
  if (outcome.kind === "stuck") return { kind: "stuck" };
  const { signal, code } = outcome;
  if (kernel.events.isHeard) kernel.events.emit({ kind: "signal", pid, name, signal });
  if (signal !== "SIGKILL" && process.catchesSignals && code !== undefined) {
    // A general protection fault tells no address.
    const address = code === "KERNEL" ? 0 : Number(fault.address);
    return { kind: "signal", signal, code, address };
  }
  end(kernel, process, { kind: "killed", signal });
  return { kind: "killed", signal };
}
