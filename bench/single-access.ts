/**
 * One access a call: what a program pays that embeds a CPU and does not batch. All cases share one
 * machine, as in such a program: a call site that has met two machines takes three times as long.
 */
import type { Cpu } from "../src/hardware/cpu.ts";
import { BATCH, PHYSICAL_BASE, VIRTUAL_BASE, randomAddresses } from "./addresses.ts";
import { type Case, type Effort, WrongResult, measure } from "./measure.ts";
import { type Report, atMost, formatTiming, timingOf } from "./report.ts";
import { Scene } from "./scene.ts";

const PAGES = { level: 1, count: 256 } as const;
const ACCESS = 'cpu.access(address, "read")';
const NOTHING = "a call that does nothing";
const FLUSH = "flush of everything, nothing cached since the last";
const FLUSH_USED = "the same, a page cached before each 32nd";
const ACCESS_GOAL_NS = 15;
const FLUSH_GOAL_NS = 10;
/** As many as make every array's tags, sooner or later, be cleared (tlb.ts: once in 31 flushes). */
const FLUSHES_A_USE = 32;

export async function benchSingleAccess(effort: Effort): Promise<Report> {
  const addresses = randomAddresses(PAGES);
  const { cpu } = new Scene({ pages: PAGES, addresses, hasLookaside: true });
  const flushed = new Scene({ pages: PAGES, addresses, hasLookaside: true });
  const cases = [
    accessCase(cpu, addresses),
    storeCase(cpu, addresses),
    loadCase(cpu, addresses),
    nothingCase(flushed),
    flushCase(flushed),
    flushUsedCase(flushed),
  ];
  const timings = await measure("single access", cases, effort);
  const flush = timingOf(timings, FLUSH).best - timingOf(timings, NOTHING).best;
  return {
    title: "Single calls from JavaScript, 256 pages of 4K in the lookaside",
    notes: [
      "ns a call, best (median)",
      "flushes go straight to the export; their goal is less the call that does nothing",
    ],
    columns: ["wasm"],
    rows: cases.map(({ name }) => [name, formatTiming(timingOf(timings, name))]),
    goals: [
      atMost(ACCESS, timingOf(timings, ACCESS).best, ACCESS_GOAL_NS, " ns"),
      atMost("flush of everything, less an empty call", flush, FLUSH_GOAL_NS, " ns"),
    ],
  };
}

function nothingCase(scene: Scene): Case {
  return {
    name: NOTHING,
    items: BATCH,
    run: () => scene.callNothing(BATCH),
    check() {},
  };
}

function flushCase(scene: Scene): Case {
  return {
    name: FLUSH,
    items: BATCH,
    run: () => scene.flush(BATCH),
    check: () => expectFlushes(scene, () => scene.flush(BATCH), BATCH),
  };
}

function flushUsedCase(scene: Scene): Case {
  const run = (): void => {
    for (let i = 0; i < BATCH / FLUSHES_A_USE; i++) {
      scene.translateOne();
      scene.flush(FLUSHES_A_USE);
    }
  };
  return {
    name: FLUSH_USED,
    items: BATCH,
    run,
    check() {
      expectFlushes(scene, run, BATCH);
      const before = scene.cpu.counts.walks;
      run();
      const nr = scene.cpu.counts.walks - before;
      if (nr !== BATCH / FLUSHES_A_USE) throw new WrongResult(`${FLUSH_USED}: ${nr} walks`);
    },
  };
}

function expectFlushes(scene: Scene, run: () => void, expected: number): void {
  const before = scene.cpu.counts.flushes;
  run();
  const nr = scene.cpu.counts.flushes - before;
  if (nr !== expected) throw new WrongResult(`${nr} flushes instead of ${expected}`);
}

function accessCase(cpu: Cpu, addresses: readonly number[]): Case {
  const expected = addresses.reduce((sum, va) => sum + va - VIRTUAL_BASE + PHYSICAL_BASE, 0);
  let result = 0;
  return {
    name: ACCESS,
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
