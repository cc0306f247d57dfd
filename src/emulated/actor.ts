/** A process as a transcript knows it: with names for what Linux numbers. */
import type { UserProcess } from "../kernel/user-process.ts";

/** No process has so many files open. */
export const NOT_OPEN = -1;

export interface Actor {
  readonly process: UserProcess;
  /** Descriptors by name, pins among them. */
  readonly files: Map<string, number>;
}
