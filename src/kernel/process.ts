/** A process: an address space on a CPU, how it takes signals, and how it ended. */
import type { AddressSpace } from "./address-space.ts";
import type { Cgroup } from "./cgroup.ts";
import type { Descriptors } from "./descriptors.ts";
import type { PolicyHolder } from "./mempolicy.ts";
import type { Limits } from "./rlimit.ts";

export type ExitStatus =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string };

/** Whom the kernel works for: where memory may come from, and who pays for it. */
export interface Task extends PolicyHolder {
  /** Undefined: the root. */
  cgroup: Cgroup | undefined;
}

export interface Process extends Task {
  readonly pid: number;
  readonly name: string;
  /** The parent's pid; 1 once the parent is gone. */
  parent: number;
  /** Living and ended ones for which it has not waited. */
  readonly children: Set<Process>;
  space: AddressSpace;
  /** Whether SIGBUS and SIGSEGV have a handler. */
  catchesSignals: boolean;
  descriptors: Descriptors;
  /** A fault or system call of its never returned: it does nothing any more, but can be killed. */
  isStuck: boolean;
  /** Real, effective and saved UID. */
  uid: number;
  limits: Limits;
  /** Undefined while it lives. */
  status: ExitStatus | undefined;
}

/** `exited 0`, `killed SIGBUS`. */
export function formatStatus(status: ExitStatus): string {
  return status.kind === "exited" ? `exited ${status.code}` : `killed ${status.signal}`;
}
