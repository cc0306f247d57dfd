/** What becomes of a page fault: the access is tried again, or the process gets a signal. */
import { type KernelState, printk } from "./state.ts";

export interface Signal {
  readonly kind: "signal";
  readonly signal: "SIGBUS" | "SIGSEGV" | "SIGKILL";
  /** si_code by name; undefined for SIGKILL. */
  readonly code?: "ADRERR" | "MAPERR" | "ACCERR" | "KERNEL" | "MCEERR_AR";
}

export type FaultOutcome =
  | { readonly kind: "handled" }
  | Signal
  /** The kernel would retry for ever: a defect of its own. */
  | { readonly kind: "stuck" };

export const FAULT_HANDLED: FaultOutcome = { kind: "handled" };
export const SIGBUS: Signal = { kind: "signal", signal: "SIGBUS", code: "ADRERR" };

/** A guard region: VM_FAULT_SIGSEGV, as if nothing were mapped there. */
export const GUARDED: Signal = { kind: "signal", signal: "SIGSEGV", code: "MAPERR" };

/** What the process asked for will never be done. */
export function stuck(
  kernel: KernelState,
  pid: number,
  address: number,
  why: string,
): FaultOutcome {
  const process = kernel.processes.get(pid);
  if (process) process.isStuck = true;
  if (kernel.events.isHeard) kernel.events.emit({ kind: "stuck", pid, address, why });
  return { kind: "stuck" };
}

/** A fault that finds no huge page: VM_FAULT_SIGBUS, or VM_FAULT_OOM in older kernels. */
export function noPage(kernel: KernelState, pid: number): FaultOutcome {
  return kernel.profile.noPageSignal === "SIGBUS" ? SIGBUS : outOfMemory(kernel, pid);
}

/** VM_FAULT_OOM in 2.6 (arch/x86/mm/fault.c): the process that faulted is killed. */
export function outOfMemory(kernel: KernelState, pid: number): FaultOutcome {
  printk(kernel, `VM: killing process ${kernel.processes.get(pid)?.name ?? ""}`);
  return { kind: "signal", signal: "SIGKILL" };
}
