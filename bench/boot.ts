/** What a large machine costs before it is touched. */
import { PAGE_1G } from "../src/address.ts";
import { createKernel } from "../src/kernel/kernel.ts";
import { WrongResult } from "./measure.ts";
import { type Report, atMost, formatNumber } from "./report.ts";

const MIB = 2 ** 20;
const NR_PAGES = 512;

/** Precondition: it is the first of all benches, so that what the process has grown by is this. */
export function benchBoot(): Report {
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const kernel = createKernel({
    machine: { ramBytes: 2 ** 40 },
    hugePages: new Map([[PAGE_1G, NR_PAGES]]),
  });
  const milliseconds = performance.now() - start;
  const grown = (process.memoryUsage().rss - before) / MIB;
  const total = process.memoryUsage().rss / MIB;
  if (kernel.pool(PAGE_1G)?.free !== NR_PAGES) throw new WrongResult("the pool is not full");
  if (kernel.state.machine.ram.backedBytes !== 0) throw new WrongResult("RAM was touched");
  return {
    title: "A machine of 1 TiB with 512 pages of 1 GiB, untouched",
    notes: [`the whole process: ${formatNumber(total)} MiB`],
    columns: ["ms to start", "MiB"],
    rows: [["boot", formatNumber(milliseconds), formatNumber(grown)]],
    goals: [
      atMost("start of a machine of 1 TiB", milliseconds, 200, " ms"),
      atMost("memory of a machine of 1 TiB", grown, 100, " MiB"),
    ],
  };
}
