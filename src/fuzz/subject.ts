/** The emulated kernel that random scripts run on. */
import { EmulatedDriver } from "../emulated/driver.ts";
import { createMachine, type Machine } from "../hardware/machine.ts";
import { brokenInvariants } from "../kernel/invariants.ts";
import { createKernel, type Kernel } from "../kernel/kernel.ts";
import { DEFAULT_MEMORY_BYTES, type MachineHeader } from "../transcript/script.ts";

/** Its machine is used again for every script, which is much faster. */
export class EmulatedSubject {
  /** A profile. */
  readonly name: string;
  #machine: Machine | undefined;
  #kernel: Kernel | undefined;

  constructor(profile: string) {
    this.name = profile;
  }

  /** A driver in whose kernel nothing of an earlier script is left. */
  boot(header: MachineHeader): EmulatedDriver {
    const ramBytes = header.memoryBytes ?? DEFAULT_MEMORY_BYTES;
    if (this.#machine?.ram.bytes === ramBytes) this.#machine.reset();
    else this.#machine = createMachine({ ramBytes });
    const { nrNodes } = header;
    this.#kernel = createKernel({ profile: this.name, machine: this.#machine, nodes: nrNodes });
    return new EmulatedDriver(this.#kernel);
  }

  /** What does not hold in the kernel that was booted last. */
  broken(): readonly string[] {
    return this.#kernel ? brokenInvariants(this.#kernel.state) : [];
  }
}
