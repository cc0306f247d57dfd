/**
 * `hugewalk run --kernel A,B`: one file on several kernels, compared with each other.
 */
import {
  compareRuns,
  tallyOfCompared,
  withoutExpectations,
  type ComparedLine,
} from "../transcript/compare.ts";
import { comparedFileToJson, comparedLineToJson } from "../transcript/json.ts";
import { formatComparison, printCompared } from "../transcript/print-compared.ts";
import type { Script } from "../transcript/script.ts";
import { addTallies, NOTHING_RUN, type Tally } from "../transcript/tally.ts";
import { runOn } from "./machine.ts";
import type { RunContext } from "./run-context.ts";

export async function runSideBySide(
  script: Script,
  kernels: readonly string[],
  { flags, emulator, out, colors }: RunContext,
): Promise<Tally> {
  const bare = withoutExpectations(script);
  let tally = NOTHING_RUN;
  async function* compare(): AsyncGenerator<ComparedLine> {
    const runs = kernels.map((kernel) => runOn(emulator, bare, kernel, flags.explain));
    for await (const compared of compareRuns(runs)) {
      tally = addTallies(tally, tallyOfCompared(compared));
      yield compared;
    }
  }
  if (flags.json) {
    for await (const compared of compare()) {
      if (!flags.quiet || compared.differs) await out.line(comparedLineToJson(compared, kernels));
    }
    await out.line(comparedFileToJson(script.file, kernels, tally));
    return tally;
  }
  const options = { colors, onlyDiffering: flags.quiet };
  for await (const text of printCompared(bare, compare(), kernels, options)) await out.line(text);
  await out.line(formatComparison(kernels, tally));
  return tally;
}
