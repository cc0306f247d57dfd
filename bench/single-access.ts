/**
 * One access a call: what a program pays that embeds a CPU and does not batch. All cases share one
 * machine, as in such a program: a call site that has met two machines takes three times as long.
 */
import type { Cpu } from "../src/hardware/cpu.ts";
import { BATCH, PHYSICAL_BASE, VIRTUAL_BASE, randomAddresses } from "./addresses.ts";
import { type Case, type Effort, WrongResult, measure } from "./measure.ts";
import { type Report, formatTiming, timingOf } from "./report.ts";
import { Scene } from "./scene.ts";

const PAGES = { level: 1, count: 256 } as const;

export async function benchSingleAccess(effort: Effort): Promise<Report> {
  const addresses = randomAddresses(PAGES);
  const { cpu } = new Scene({ pages: PAGES, addresses, hasLookaside: true });
  const cases = [accessCase(cpu, addresses), storeCase(cpu, addresses), loadCase(cpu, addresses)];
  const timings = await measure("single access", cases, effort);
  return {
    title: "Single accesses from JavaScript, 256 pages of 4K in the lookaside",
    notes: ["ns a call, best (median)"],
    columns: ["wasm"],
    rows: cases.map(({ name }) => [name, formatTiming(timingOf(timings, name))]),
    goals: [],
  };
}

function accessCase(cpu: Cpu, addresses: readonly number[]): Case {
  const expected = addresses.reduce((sum, va) => sum + va - VIRTUAL_BASE + PHYSICAL_BASE, 0);
  let result = 0;
  return {
    name: 'cpu.access(address, "read")',
    items: BATCH,
    run() {
      // A local variable: a sum that closures share allocates a number at each addition (8 ns).
      let sum = 0;
      for (let i = 0; i < BATCH; i++) sum += cpu.access(addresses[i], "read");
      result = sum;
    },
    check() {
      if (result !== expected) throw new WrongResult(`access: addresses sum up to ${result}`);
    },
  };
}

function storeCase(cpu: Cpu, addresses: readonly number[]): Case {
  let nrStops = 0;
  return {
    name: "cpu.store(address, 8, 7n)",
    items: BATCH,
    run() {
      nrStops = 0;
      for (let i = 0; i < BATCH; i++) if (cpu.store(addresses[i], 8, 7n)) nrStops++;
    },
    check() {
      if (nrStops > 0) throw new WrongResult(`store: ${nrStops} faults`);
    },
  };
}

/** Precondition: the case of stores has run. */
function loadCase(cpu: Cpu, addresses: readonly number[]): Case {
  let nrStored = 0;
  return {
    name: "cpu.load(address, 8)",
    items: BATCH,
    run() {
      nrStored = 0;
      for (let i = 0; i < BATCH; i++) if (cpu.load(addresses[i], 8) === 7n) nrStored++;
    },
    check() {
      if (nrStored !== BATCH) throw new WrongResult(`load: ${nrStored} of ${BATCH} are right`);
    },
  };
}
