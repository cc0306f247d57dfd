/**
 * The emulator against the oracle over every case of every space, on all processors of this
 * machine.
 *
 * Prints, for each item, cases, seconds and failures; exits with 1 if there is a failure. With the
 * numbers of items as arguments (`1`, `2a`) only those run.
 */
import { availableParallelism } from "node:os";
import { ITEMS } from "./oracle/items.ts";
import { Pool } from "./oracle/parallel.ts";
import { describeReport } from "./oracle/run-job.ts";

const chosen = process.argv.slice(2);
const pool = new Pool(availableParallelism());
let nrCases = 0;
let nrFailures = 0;
const start = performance.now();

for (let item = 0; item < ITEMS.length; item++) {
  const { title } = ITEMS[item];
  if (chosen.length > 0 && !chosen.includes(title.split(".")[0])) continue;
  const itemStart = performance.now();
  const reports = await pool.run(item);
  const cases = reports.reduce((sum, report) => sum + report.cases, 0);
  const failures = reports.reduce((sum, report) => sum + report.failures, 0);
  const seconds = (performance.now() - itemStart) / 1000;
  console.log(`${title}: ${cases} cases, ${failures} failures, ${seconds.toFixed(1)} s`);
  for (const report of reports) {
    console.log(`    ${describeReport(report)}`);
    for (const shown of report.shown) console.log(shown.replaceAll(/^/gm, "        "));
  }
  nrCases += cases;
  nrFailures += failures;
}

const strayWrites = await pool.close();
if (strayWrites.length > 0) {
  console.log(`written outside the tables: ${strayWrites.slice(0, 5).join(", ")}`);
}
const seconds = (performance.now() - start) / 1000;
console.log(`in all: ${nrCases} cases, ${nrFailures} failures, ${seconds.toFixed(1)} s`);
process.exitCode = nrFailures > 0 || strayWrites.length > 0 ? 1 : 0;
