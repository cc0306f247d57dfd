/** A kernel that random scripts run on. */
import { EmulatedDriver } from "../emulated/driver.ts";
import { createMachine, type Machine } from "../hardware/machine.ts";
import { brokenInvariants } from "../kernel/invariants.ts";
import { createKernel, type Kernel } from "../kernel/kernel.ts";
import type { Driver } from "../transcript/driver.ts";
import type { MachineHeader } from "../transcript/script.ts";

export interface Subject {
  /** What a report calls it. */
  readonly name: string;
  /** A driver in whose kernel nothing of an earlier script is left. */
  boot(machine: MachineHeader): Promise<Driver>;
}

const DEFAULT_MEMORY_BYTES = 4 * 2 ** 30;

/** The emulated kernel; its machine is used again for every script, which is much faster. */
export class EmulatedSubject implements Subject {
  /** A profile. */
  readonly name: string;
  #machine: Machine | undefined;
  #kernel: Kernel | undefined;

  constructor(profile: string) {
    this.name = profile;
  }

  boot(header: MachineHeader): Promise<EmulatedDriver> {
    const ramBytes = header.memoryBytes ?? DEFAULT_MEMORY_BYTES;
    if (this.#machine?.ram.bytes === ramBytes) this.#machine.reset();
    else this.#machine = createMachine({ ramBytes });
    this.#kernel = createKernel({ profile: this.name, machine: this.#machine });
    return Promise.resolve(new EmulatedDriver(this.#kernel));
  }

  /** What does not hold in the kernel that was booted last. */
  broken(): readonly string[] {
    return this.#kernel ? brokenInvariants(this.#kernel.state) : [];
  }

  /** Whether the process maps private huge pages in the range. */
  hasPrivateHuge(process: string, address: number, length: number): boolean {
    const processes = [...(this.#kernel?.state.processes.values() ?? [])];
    return processes
      .filter(({ name, status }) => name === process && status === undefined)
      .flatMap(({ space }) => space.overlapping(address, address + length))
      .some(({ inode, isShared }) => inode !== undefined && !isShared);
  }
}
