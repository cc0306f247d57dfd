/** Page faults of the emulated kernel, from a process's store to its return. */
import { PAGE_2M, PAGE_4K } from "../src/address.ts";
import { type Kernel, createKernel } from "../src/kernel/kernel.ts";
import type { UserProcess } from "../src/kernel/user-process.ts";
import { type Case, type Effort, WrongResult, measure } from "./measure.ts";
import { type Report, atLeast, formatNumber, formatTiming, timingOf } from "./report.ts";
import { bareCopies } from "./yardstick/bare-copy.ts";

const READ_WRITE = { read: true, write: true, execute: false };
const NR_SMALL = 2048;
const NR_HUGE = 32;
const COPY = "copy-on-write, 2M";
const BARE_COPY = "memory.copy in wasm";
/** Bandwidth of a fault that copies, to that of the copy alone. */
const BANDWIDTH_GOAL = 0.8;

export async function benchFaults(effort: Effort): Promise<Report> {
  const cases = [
    faultInCase("fault-in, 4K", NR_SMALL, PAGE_4K),
    faultInCase("fault-in, 2M", NR_HUGE, PAGE_2M),
    copyCase(),
    ...bareCopies(NR_HUGE),
  ];
  const timings = await measure("faults", cases, effort);
  const bare = timingOf(timings, BARE_COPY);
  const bandwidth = bare.best / timingOf(timings, COPY).best;
  return {
    title: "Page faults of the emulated kernel",
    notes: ["µs a fault or copy, best (median); GB/s of 2M pages"],
    columns: ["µs", "GB/s", "of bare wasm copy's"],
    rows: cases.map(({ name }) => {
      const timing = timingOf(timings, name);
      if (name === "fault-in, 4K") return [name, formatTiming(timing, 1000)];
      const share = name.startsWith("fault-in") ? undefined : bare.best / timing.best;
      return [
        name,
        formatTiming(timing, 1000),
        formatNumber(PAGE_2M / timing.best),
        share?.toFixed(2),
      ];
    }),
    goals: [
      atLeast("copy-on-write of 2M, bandwidth to the bare copy's", bandwidth, BANDWIDTH_GOAL, "×"),
    ],
  };
}

function boot(): Kernel {
  const hugePages = new Map([[PAGE_2M, 2 * NR_HUGE]]);
  return createKernel({ machine: { ramBytes: 2 ** 30, linearBytes: 2 ** 29 }, hugePages });
}

/** A private mapping; of huge pages, if their size is. */
function mapPages(process: UserProcess, nrPages: number, pageBytes: number): number {
  const address = process.mmap({
    length: nrPages * pageBytes,
    protection: READ_WRITE,
    hugePageBytes: pageBytes === PAGE_4K ? undefined : pageBytes,
  });
  if (typeof address !== "number") throw new WrongResult(`mmap: ${address}`);
  return address;
}

/** First stores to the pages of a new mapping. */
function faultInCase(name: string, nrPages: number, pageBytes: number): Case {
  const process = boot().spawn("process");
  let address = 0;
  let nrStops = 0;
  const one: Case = {
    name,
    items: nrPages,
    prepare() {
      if (address) process.munmap(address, nrPages * pageBytes);
      address = mapPages(process, nrPages, pageBytes);
      nrStops = 0;
    },
    run() {
      for (let i = 0; i < nrPages; i++) {
        if (process.write(address + i * pageBytes, BigInt(i))) nrStops++;
      }
    },
    check() {
      if (nrStops > 0) throw new WrongResult(`${name}: ${nrStops} signals`);
      for (let i = 0; i < nrPages; i++) {
        const value = process.read(address + i * pageBytes);
        const rest = process.read(address + i * pageBytes + pageBytes - 8);
        if (value !== BigInt(i) || rest !== 0n) throw new WrongResult(`${name}: page ${i}`);
      }
    },
  };
  // Backing that was never used is zero already: from the second time on it has to be cleared.
  one.prepare?.();
  void one.run();
  return one;
}

/** A child's first stores to pages that it shares with its parent; every byte of them is in use. */
function copyCase(): Case {
  const kernel = boot();
  const parent = kernel.spawn("parent");
  const address = mapPages(parent, NR_HUGE, PAGE_2M);
  fill(kernel, parent, address);
  let child: UserProcess | undefined;
  let nrStops = 0;
  return {
    name: COPY,
    items: NR_HUGE,
    prepare() {
      child?.exit(0);
      if (child) parent.wait(child);
      const forked = parent.fork("child");
      if (typeof forked === "string") throw new WrongResult(`fork: ${forked}`);
      child = forked;
      nrStops = 0;
    },
    run() {
      for (let i = 0; i < NR_HUGE; i++) if (child?.write(address + i * PAGE_2M, 7n)) nrStops++;
    },
    check() {
      if (!child || nrStops > 0) throw new WrongResult(`${COPY}: ${nrStops} signals`);
      for (let i = 0; i < NR_HUGE; i++) expectCopy(kernel, parent, child, address + i * PAGE_2M);
    },
  };
}

function fill(kernel: Kernel, process: UserProcess, address: number): void {
  for (let i = 0; i < NR_HUGE; i++) {
    process.write(address + i * PAGE_2M, BigInt(i));
    const bytes = new Uint8Array(PAGE_2M).fill(i + 1);
    kernel.state.machine.ram.write(frameOf(process, address + i * PAGE_2M), bytes);
  }
}

function frameOf(process: UserProcess, address: number): number {
  const [page] = process.pagemap(address, 1);
  if (!page) throw new WrongResult(`no page at ${address}`);
  return page.frame;
}

/** The child's page is another one, and the parent's but for the first word. */
function expectCopy(
  kernel: Kernel,
  parent: UserProcess,
  child: UserProcess,
  address: number,
): void {
  const { ram } = kernel.state.machine;
  const frames = [parent, child].map((process) => frameOf(process, address));
  const [original, copy] = frames.map((frame) => Buffer.from(ram.read(frame, PAGE_2M)));
  const isCopy = frames[0] !== frames[1] && original.subarray(8).equals(copy.subarray(8));
  if (!isCopy || copy.readBigUInt64LE() !== 7n) throw new WrongResult(`${COPY}: ${address}`);
}
