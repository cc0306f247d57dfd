/**
 * An emulator without a kernel: it answers every operation with `ok`, but the kernel `strict`
 * says ENOMEM, and some operations make it fail as a driver may.
 */
import { InternalError, OptionError, ResourceError } from "../../src/errors.ts";
import type { Emulator, EmulatorConfig } from "../../src/cli/emulator.ts";
import type { Counters, Driver, Outcome, ProcessOperation } from "../../src/transcript/driver.ts";

export interface FakeEmulator extends Emulator {
  readonly configs: EmulatorConfig[];
}

export function createFakeEmulator(): FakeEmulator {
  const configs: EmulatorConfig[] = [];
  return {
    configs,
    profileNames: ["6.1", "6.18", "strict"],
    defaultProfile: "6.18",
    createEmulatedDriver(config, onEvent) {
      configs.push(config);
      if (config.memoryBytes > 2 ** 40) throw new OptionError("ramBytes", "too much");
      if (config.nrCpus > 64) throw new OptionError("sockets", "too many");
      return createFakeDriver(config.kernel === "strict" ? "ENOMEM" : "ok", onEvent);
    },
  };
}

function createFakeDriver(result: string, onEvent?: (line: string) => void): Driver {
  const counters = new Map([
    ["total", 0n],
    ["free", 0n],
  ]);
  return {
    isFrameAlive: () => true,
    counters: (): Counters => counters,
    process(actor: string, operation: ProcessOperation): Outcome {
      onEvent?.(`${actor} does ${operation.op}`);
      if (operation.op === "status") throw new InternalError("free is at most total");
      if (operation.op === "smaps") throw new ResourceError("out of backing: raise --backing");
      if (operation.op === "vmas") throw new OptionError("length", "too long");
      return { result };
    },
    host(operation): Outcome {
      if (operation.op === "nr_hugepages") {
        for (const name of counters.keys()) counters.set(name, BigInt(operation.text));
      }
      return { result };
    },
  };
}
