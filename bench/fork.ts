/** fork of a process that maps many huge pages. */
import { PAGE_2M } from "../src/address.ts";
import { createKernel } from "../src/kernel/kernel.ts";
import type { UserProcess } from "../src/kernel/user-process.ts";
import { type Case, type Effort, WrongResult, measure } from "./measure.ts";
import { type Report, formatTiming, timingOf } from "./report.ts";

const NR_PAGES = 1000;

export async function benchFork(effort: Effort): Promise<Report> {
  const one = forkCase();
  const timings = await measure("fork", [one], effort);
  return {
    title: `fork of a process that maps ${NR_PAGES} pages of 2M`,
    notes: ["µs a fork, best (median)"],
    columns: ["µs"],
    rows: [[one.name, formatTiming(timingOf(timings, one.name), 1000)]],
    goals: [],
  };
}

function forkCase(): Case {
  const kernel = createKernel({
    machine: { ramBytes: 2 ** 32 },
    hugePages: new Map([[PAGE_2M, NR_PAGES]]),
  });
  const parent = kernel.spawn("parent");
  const address = parent.mmap({
    length: NR_PAGES * PAGE_2M,
    protection: { read: true, write: true, execute: false },
    hugePageBytes: PAGE_2M,
  });
  if (typeof address !== "number") throw new WrongResult(`mmap: ${address}`);
  for (let i = 0; i < NR_PAGES; i++) parent.write(address + i * PAGE_2M, BigInt(i));
  let child: UserProcess | undefined;
  return {
    name: "fork",
    items: 1,
    prepare() {
      child?.exit(0);
      if (child) parent.wait(child);
    },
    run() {
      const forked = parent.fork("child");
      child = typeof forked === "string" ? undefined : forked;
    },
    check() {
      for (let i = 0; i < NR_PAGES; i++) {
        const value = child?.read(address + i * PAGE_2M);
        if (value !== BigInt(i)) throw new WrongResult(`fork: page ${i} of the child is ${value}`);
      }
    },
  };
}
