/** What a large machine costs before it is touched, in a process of its own. */
import { execFileSync } from "node:child_process";
import { PAGE_1G } from "../src/address.ts";
import { createKernel } from "../src/kernel/kernel.ts";
import { WrongResult } from "./measure.ts";
import { type Report, atMost, formatNumber } from "./report.ts";

const MIB = 2 ** 20;
const NR_PAGES = 512;

interface Boot {
  readonly milliseconds: number;
  /** Resident bytes of the whole process. */
  readonly bytes: number;
}

/**
 * Boots the machine in this process.
 *
 * @public
 */
export function boot(): Boot {
  const start = performance.now();
  const kernel = createKernel({
    machine: { ramBytes: 2 ** 40 },
    hugePages: new Map([[PAGE_1G, NR_PAGES]]),
  });
  const milliseconds = performance.now() - start;
  if (kernel.pool(PAGE_1G)?.free !== NR_PAGES) throw new WrongResult("the pool is not full");
  if (kernel.state.machine.ram.backedBytes !== 0) throw new WrongResult("RAM was touched");
  return { milliseconds, bytes: process.memoryUsage().rss };
}

export function benchBoot(): Report {
  const program = `import { boot } from ${JSON.stringify(import.meta.url)};
    console.log(JSON.stringify(boot()));`;
  const args = ["--input-type=module", "--eval", program];
  const { milliseconds, bytes } = JSON.parse(
    execFileSync(process.execPath, args, { encoding: "utf8" }),
  ) as Boot;
  return {
    title: `A machine of 1 TiB with ${NR_PAGES} pages of 1 GiB, untouched`,
    notes: ["resident memory is that of the whole process, node included"],
    columns: ["ms to start", "MiB"],
    rows: [["boot", formatNumber(milliseconds), formatNumber(bytes / MIB)]],
    goals: [
      atMost("start of a machine of 1 TiB", milliseconds, 200, " ms"),
      atMost("memory of its whole process", bytes / MIB, 100, " MiB"),
    ],
  };
}
