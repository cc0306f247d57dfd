/**
 * What the commands need of the emulated kernel.
 */
import type { Driver } from "../transcript/driver.ts";

export interface EmulatorConfig {
  readonly kernel: string;
  readonly memoryBytes: number;
  readonly cpu?: string;
  readonly nrCpus: number;
  readonly nrNodes: number;
  /** Pages in the pools at boot, by page size in bytes. */
  readonly hugePages: ReadonlyMap<number, number>;
  /** Whether the driver measures its TLBs. */
  readonly measuresTlbs?: boolean;
}

export interface Emulator {
  /** The kernels it can be. */
  readonly profileNames: readonly string[];
  /** The one for a script that names none. */
  readonly defaultProfile: string;
  /**
   * `onEvent` gets a line of text for everything that happens inside.
   * Throws `OptionError` where there can be no such machine.
   */
  createEmulatedDriver(config: EmulatorConfig, onEvent?: (line: string) => void): Driver;
}
