/** The command line of `tlb`. */
import { type Command, Option } from "commander";
import { FORMAT_NAMES } from "../trace/formats.ts";
import type { Io } from "./streams.ts";
import { DEFAULT_CPUS, studyFile, type TlbFlags } from "./tlb.ts";

const HELP = `
The answer comes first, then the table it is read from, then which regions of addresses to back first.
Traces are those of convert. Policies, several joined by commas:

  4K 2M 1G                          all pages
  thp[:available=N%][:delay=N]      2M where transparent huge pages can be (with --maps: private
                                    anonymous memory); of the regions N % get theirs at once, others
                                    N references after their first (khugepaged)
  hugetlb:RANGE[=SIZE][+...]        2M, or SIZE, for FROM-TO in hex, or for mappings of that name
  ranges:FILE                       lines "FROM-TO SIZE [available=N%] [delay=N]"

Examples:
  $ hugewalk tlb ls.lackey
  $ hugewalk tlb --cpu all --csv gcc.champsimtrace.xz > gcc.csv
  $ hugewalk tlb --maps maps.txt --policy 4K,hugetlb:[heap] app.hwtrace
  $ hugewalk tlb --json app.hwtrace | jq '.runs[] | {cpu, policy, walkCycles}'
  $ valgrind --tool=lackey --trace-mem=yes --log-fd=9 ls 9>&1 >/dev/null | hugewalk tlb -

Exit codes: 0 studied, 2 the command line or a file cannot be used, 70 a bug of hugewalk, 130 SIGINT:
what was read until then is told.
`;

/** Options that `bench` and `capture` have, too. */
export function addStudyOptions(command: Command): Command {
  return command
    .option(
      "--cpu <names>",
      "processors of hugewalk cpus, joined by commas; or all " +
        `(default: ${DEFAULT_CPUS}; with --cpu-file: none)`,
    )
    .option("--cpu-file <file>", "a processor of your own, in JSON")
    .option("--threads <n>", "threads that share the work (default: the cores there are)")
    .option("--json", "print the study as JSON, for hugewalk merge and other programs")
    .addOption(csvOption("print a row for each processor and policy"));
}

export function csvOption(description: string): Option {
  return new Option("--csv", description).conflicts("json");
}

/** Options of what is studied of a trace. */
export function addViewOptions(command: Command): Command {
  return addStudyOptions(command)
    .option("--policy <list>", "which pages are large", "4K,2M,1G")
    .option("--maps <file>", "the program's /proc/PID/maps: names in rankings, and for policies")
    .option("--interval <n>", "tell apart every n references")
    .option("--instructions", "tell which instructions walks are for")
    .option("--curves", "tell what LRU TLBs of every size would miss")
    .option("--no-regions", "leave out the ranking of regions")
    .option("--top <n>", "rows of rankings", "10")
    .option("--skip <n>", "references to pass over at first", "0")
    .option("--references <n>", "references to study at most");
}

export function addTlbCommand(program: Command, io: Io, setExitCode: (code: number) => void): void {
  const command = program
    .command("tlb")
    .summary("what larger pages do to a trace's TLB misses, and which to back first")
    .description("Study what larger pages would do to the TLB misses of a trace, on several CPUs.")
    .argument("<trace>", "the trace; - is standard input");
  addViewOptions(command)
    .option(
      "--format <name>",
      `what <trace> is: ${FORMAT_NAMES.join(" ")} (default: by its content)`,
    )
    .option("--lenient", "count and skip broken records")
    .addHelpText("after", HELP)
    .action(async (path: string, flags: TlbFlags) => {
      setExitCode(await studyFile(path, flags, io));
    });
}
