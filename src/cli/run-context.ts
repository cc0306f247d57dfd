/**
 * What `hugewalk run` is asked for, and what its files share.
 */
import type { Colors } from "picocolors/types.js";
import type { Emulator } from "./emulator.ts";
import type { Output } from "./streams.ts";

export interface RunFlags {
  /** One kernel, several joined by commas, or `all`. */
  readonly kernel?: string;
  readonly explain?: boolean;
  readonly tlb?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What the files of one command share. */
export interface RunContext {
  readonly flags: RunFlags;
  readonly emulator: Emulator;
  readonly out: Output;
  readonly colors: Colors;
}
