/** A process: an address space on a CPU, how it takes signals, and how it ended. */
import type { AddressSpace } from "./address-space.ts";
import type { Cgroup } from "./cgroup.ts";
import type { Descriptors } from "./file.ts";

export type ExitStatus =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string };

export interface Process {
  readonly pid: number;
  readonly name: string;
  /** The parent's pid; 1 once the parent is gone. */
  parent: number;
  /** Living and ended ones for which it has not waited. */
  readonly children: Set<Process>;
  /** Index of the CPU that it runs on. */
  readonly cpu: number;
  space: AddressSpace;
  /** Whether SIGBUS and SIGSEGV have a handler. */
  catchesSignals: boolean;
  descriptors: Descriptors;
  /** Undefined: the root. */
  cgroup: Cgroup | undefined;
  /** Its last fault never returned: it does nothing any more, but can be killed. */
  isStuck: boolean;
  /** Undefined while it lives. */
  status: ExitStatus | undefined;
}

/** `exited 0`, `killed SIGBUS`. */
export function formatStatus(status: ExitStatus): string {
  return status.kind === "exited" ? `exited ${status.code}` : `killed ${status.signal}`;
}
