/**
 * A script on the machine that its header asks for.
 */
import { PAGE_1G, PAGE_2M } from "../address.ts";
import { InputError, OptionError } from "../errors.ts";
import type { Driver } from "../transcript/driver.ts";
import { type LineRecord, runScript } from "../transcript/run.ts";
import {
  DEFAULT_MEMORY_BYTES,
  type MachineHeader,
  type MachineKey,
  type Script,
} from "../transcript/script.ts";
import { atPlace } from "./complaint.ts";
import type { Emulator } from "./emulator.ts";

/** The header's key for what an `OptionError` of the driver's configuration names. */
const KEYS_OF_OPTIONS: Readonly<Record<string, MachineKey>> = {
  kernel: "kernel",
  ramBytes: "memory",
  cpu: "cpu",
  cpus: "cpus",
  hugePages: "hugepages",
  nodes: "nodes",
};

/** What is looked at while a script runs. */
export interface Observed {
  /** Everything that happens inside: the records' `events`. */
  readonly explain?: boolean;
  /** What TLBs cost: the records' `tlb`. */
  readonly tlb?: boolean;
}

/** Throws an error with the place, in the header or the file, if there can be no such machine. */
export function createDriver(
  emulator: Emulator,
  { file, machine }: Script,
  kernel: string,
  measuresTlbs?: boolean,
  onEvent?: (line: string) => void,
): Driver {
  const config = {
    kernel,
    memoryBytes: machine.memoryBytes ?? DEFAULT_MEMORY_BYTES,
    cpu: machine.cpu,
    nrCpus: machine.nrCpus ?? 1,
    nrNodes: machine.nrNodes ?? 1,
    hugePages: poolsOf(machine),
    measuresTlbs,
  };
  try {
    return emulator.createEmulatedDriver(config, onEvent);
  } catch (error) {
    const key = error instanceof OptionError ? KEYS_OF_OPTIONS[error.option] : undefined;
    const place = key && machine.places.get(key);
    if (place === undefined) throw atPlace(error, file);
    throw new InputError(place, `${key}: ${(error as OptionError).reason}`);
  }
}

/** Creates the machine of each script once. A machine that cannot be is found before any runs. */
export function checkMachines(
  emulator: Emulator,
  scripts: readonly Script[],
  kernelOf: (machine: MachineHeader) => string,
): void {
  const checked = new Set<string>();
  for (const script of scripts) {
    const { places: _, kernel: _known, ...options } = script.machine;
    const machine = JSON.stringify(options);
    if (checked.has(machine)) continue;
    checked.add(machine);
    createDriver(emulator, script, kernelOf(script.machine));
  }
}

/** Runs a script on a new machine; what the driver throws names the line. */
export async function* runOn(
  emulator: Emulator,
  script: Script,
  kernel: string,
  { explain, tlb }: Observed,
): AsyncGenerator<LineRecord> {
  const events: string[] = [];
  const onEvent = explain ? (line: string) => void events.push(line) : undefined;
  const driver = createDriver(emulator, script, kernel, tlb, onEvent);
  let nrLines = 0;
  try {
    const takeEvents = () => events.splice(0);
    for await (const record of runScript(script, driver, { takeEvents })) {
      nrLines++;
      yield record;
    }
  } catch (error) {
    throw atPlace(error, describePlace(script, nrLines));
  }
}

function poolsOf({ nrHugePages, nrHugePages1G }: MachineHeader): ReadonlyMap<number, number> {
  const pools = new Map<number, number>();
  if (nrHugePages !== undefined) pools.set(PAGE_2M, nrHugePages);
  if (nrHugePages1G !== undefined) pools.set(PAGE_1G, nrHugePages1G);
  return pools;
}

/** The place of the operation of this index. */
function describePlace({ file, operations }: Script, index: number): string {
  const place = operations[index]?.place;
  return place === undefined ? file : `${file}:${place.line}:${place.column}`;
}
