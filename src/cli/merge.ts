/** `hugewalk merge`: studies that were made apart, as one. */
import type { Command } from "commander";
import { mergeStudies, parseStudies } from "../study/merge.ts";
import type { Study } from "../study/result.ts";
import { inputName, Output, readInput, type Io } from "./streams.ts";
import { csvOption } from "./tlb-command.ts";
import { csvLines } from "./tlb-csv.ts";
import { atUsersRisk, type ReportFlags, wholeNumber } from "./tlb.ts";
import { reportLines } from "./tlb-report.ts";

const HELP = `
Takes what hugewalk tlb --json has printed, one study a file or many, of one trace or several.

Examples:
  $ parallel hugewalk tlb --json --cpu {1} --policy {2} app.hwtrace ::: skylake-sp zen4 ::: 4K 2M > parts
  $ hugewalk merge parts
  $ hugewalk merge --csv results/*.json > all.csv

Exit codes: 0 merged, 2 the command line or a file cannot be used, 70 a bug of hugewalk.
`;

/** Regions and intervals can make a study large; a text of JavaScript has 512 MiB at most. */
const LARGEST_STUDIES = 256 * 2 ** 20;

export function addMergeCommand(
  program: Command,
  io: Io,
  setExitCode: (code: number) => void,
): void {
  program
    .command("merge")
    .summary("put studies of hugewalk tlb --json together")
    .description("Put studies that hugewalk tlb --json has printed together, and report them.")
    .argument("<file...>", "studies; - is standard input")
    .option("--top <n>", "rows of rankings", "10")
    .option("--json", "print one study a trace as JSON")
    .addOption(csvOption("print a row for each trace, processor and policy"))
    .addHelpText("after", HELP)
    .action(async (paths: readonly string[], flags: ReportFlags) => {
      setExitCode(await mergeFiles(paths, flags, io));
    });
}

async function mergeFiles(paths: readonly string[], flags: ReportFlags, io: Io): Promise<number> {
  return atUsersRisk(io, async () => {
    const studies: Study[] = [];
    for (const path of paths) {
      const text = new TextDecoder().decode(await readInput(path, io, LARGEST_STUDIES));
      studies.push(...parseStudies(text, inputName(path)));
    }
    const output = new Output(io.stdout);
    for (const line of linesOf(mergeStudies(studies), flags)) await output.line(line);
    await output.flush();
  });
}

function* linesOf(studies: readonly Study[], { top, json, csv }: ReportFlags): Generator<string> {
  const options = { top: wholeNumber("top", top, 0) };
  for (const [i, study] of studies.entries()) {
    if (json) yield JSON.stringify(study);
    else if (csv) yield* [...csvLines(study)].slice(i === 0 ? 0 : 1);
    else {
      if (i > 0) yield "";
      yield* reportLines(study, options);
    }
  }
}
