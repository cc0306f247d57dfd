/**
 * The benches: `node dist/bench/main.js [--short]`. Everything is measured in one run, on this
 * machine, next to what it is compared with. Fails only if something was computed wrongly; whether
 * the goals are met is printed. `--short`: one quick round of each, to see that they work.
 *
 * Run from built output: under tsx, benny reads 50 to 80 times too slow.
 */
import { cpus } from "node:os";
import { benchEmbedded } from "./embedded.ts";
import { benchBoot } from "./boot.ts";
import { benchFaults } from "./faults.ts";
import { benchFork } from "./fork.ts";
import { type Effort, WrongResult } from "./measure.ts";
import { type Report, formatGoals, formatReport } from "./report.ts";
import { benchStudy } from "./study.ts";
import { benchScale } from "./scale.ts";
import { benchSingleAccess } from "./single-access.ts";
import { benchStackDistances } from "./stack-distances.ts";
import { benchTlb } from "./tlb.ts";
import { benchTlbVariants } from "./tlb-variants.ts";
import { benchTranscript } from "./transcript.ts";
import { benchTranslate } from "./translate.ts";
import { benchWalk } from "./walk.ts";
import { NativeYardstick } from "./yardstick/native.ts";

const LONG: Effort = { rounds: 5, seconds: 0.3 };
const SHORT: Effort = { rounds: 1, seconds: 0.02 };

async function runAll(effort: Effort): Promise<readonly Report[]> {
  const built = NativeYardstick.build();
  const native = typeof built === "string" ? undefined : built;
  console.log(`node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}`);
  console.log(typeof built === "string" ? built : built.description);
  return [
    benchBoot(),
    await benchSingleAccess(effort),
    await benchEmbedded(effort),
    await benchTranslate(effort, native),
    await benchWalk(effort, native),
    await benchFaults(effort),
    await benchFork(effort),
    await benchScale(effort),
    await benchTranscript(effort),
    await benchTlb(effort),
    await benchStudy(effort),
    await benchStackDistances(effort),
    await benchTlbVariants(effort),
  ];
}

try {
  const reports = await runAll(process.argv.includes("--short") ? SHORT : LONG);
  for (const report of reports) console.log(formatReport(report));
  console.log(`\n== Goals\n${formatGoals(reports.flatMap(({ goals }) => goals))}`);
} catch (error) {
  if (!(error instanceof WrongResult)) throw error;
  console.error(`wrong result: ${error.message}`);
  process.exitCode = 1;
}
