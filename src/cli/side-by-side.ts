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
import { TlbCosts } from "../transcript/tlb-cost.ts";
import { addTallies, NOTHING_RUN, type Tally } from "../transcript/tally.ts";
import { runOn } from "./machine.ts";
import type { RunContext } from "./run-context.ts";
import { tlbTables } from "./tlb-costs.ts";

export async function runSideBySide(
  script: Script,
  kernels: readonly string[],
  { flags, emulator, out, colors }: RunContext,
): Promise<Tally> {
  const bare = withoutExpectations(script);
  let tally = NOTHING_RUN;
  const tlbs = kernels.map(() => new TlbCosts());
  async function* compare(): AsyncGenerator<ComparedLine> {
    const runs = kernels.map((kernel) => runOn(emulator, bare, kernel, flags));
    for await (const compared of compareRuns(runs)) {
      tally = addTallies(tally, tallyOfCompared(compared));
      for (const [i, { tlb }] of compared.records.entries()) if (tlb) tlbs[i].add(tlb);
      yield compared;
    }
  }
  if (flags.json) {
    for await (const compared of compare()) {
      if (!flags.quiet || compared.differs) await out.line(comparedLineToJson(compared, kernels));
    }
    const costs = flags.tlb ? tlbs : undefined;
    await out.line(comparedFileToJson(script.file, kernels, tally, costs));
    return tally;
  }
  const options = { colors, onlyDiffering: flags.quiet };
  for await (const text of printCompared(bare, compare(), kernels, options)) await out.line(text);
  for (const [i, kernel] of flags.tlb ? kernels.entries() : []) {
    for (const text of tlbTables(tlbs[i], kernel)) await out.line(colors.dim(text));
  }
  await out.line(formatComparison(kernels, tally));
  return tally;
}
