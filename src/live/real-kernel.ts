/** A real Linux kernel, as the commands see it. */
import { PAGE_1G } from "../address.ts";
import { ResourceError } from "../errors.ts";
import type { Driver } from "../transcript/driver.ts";
import type { MachineHeader } from "../transcript/script.ts";

export interface RealKernel {
  /** As `uname -r` says. */
  readonly release: string;
  /** In words: `Linux 6.1.0-56-amd64 in a virtual machine`. */
  readonly description: string;
  /**
   * Pages that the kernel has lost, by page size in bytes: in every pool's counters, and in no
   * counter that a driver shows.
   */
  readonly lostPages: ReadonlyMap<number, number>;
  /**
   * A driver for one script: no process, an empty pool, as after boot. It ends the one before.
   * Throws `ResourceError` where the kernel has no such machine.
   */
  driver(machine: MachineHeader): Promise<Driver>;
  /** Ends the last script, and puts everything back. */
  close(): Promise<void>;
}

/** Fills the pools that a script expects at boot. Throws `ResourceError`. */
export async function fillPools(driver: Driver, machine: MachineHeader): Promise<void> {
  const wanted = [
    { name: "total", nrPages: machine.nrHugePages, hugeSize: undefined },
    { name: "1G.total", nrPages: machine.nrHugePages1G, hugeSize: PAGE_1G },
  ];
  for (const { name, nrPages, hugeSize } of wanted) {
    if (!nrPages) continue;
    await driver.host({ op: "nr_hugepages", hugeSize, text: `${nrPages}` });
    if (driver.counters().get(name) !== BigInt(nrPages)) {
      throw new ResourceError(`the kernel has no memory for ${nrPages} huge pages at boot`);
    }
  }
}

/** `6.1` of `6.1.0-56-amd64`: the profile that fits, if there is one. */
export function profileOf(release: string): string {
  return /^[0-9]+\.[0-9]+/.exec(release)?.[0] ?? release;
}
