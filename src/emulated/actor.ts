/** A process as a transcript knows it: with names for what Linux numbers. */
import type { UserProcess } from "../kernel/kernel.ts";

export interface Actor {
  readonly process: UserProcess;
  /** Descriptors by name. */
  readonly files: Map<string, number>;
}
