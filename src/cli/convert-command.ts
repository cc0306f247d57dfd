/** The command line of `convert`. */
import type { Command } from "commander";
import { FORMAT_NAMES } from "../trace/formats.ts";
import { convertTrace, type ConvertFlags } from "./convert.ts";
import type { Io } from "./streams.ts";

const CONVERT_HELP = `
Reads valgrind's lackey, DynamoRIO's drmemtrace, ChampSim's and CloudSuite's traces, samples of perf
script, CSV, and hugewalk's binary; compressed by gzip or xz or in a zip. The format is told by what is
in the trace, else by its name. docs/traces.md has each of them, and how to record one.

Examples:
  $ valgrind --tool=lackey --trace-mem=yes --log-fd=9 ls 9>&1 >/dev/null | hugewalk convert - ls.hwtrace
  $ hugewalk convert gcc.champsimtrace.xz gcc.hwtrace
  $ hugewalk convert --to csv ls.hwtrace - | head
  $ hugewalk convert --format champsim --lenient broken.bin whole.hwtrace

OUT is written under another name and gets its own when it is whole; SIGINT and SIGTERM remove it.

Exit codes: 0 converted, 2 the command line or a file cannot be used, 70 a bug of hugewalk,
130 SIGINT, 143 SIGTERM.
`;

export function addConvertCommand(
  program: Command,
  io: Io,
  setExitCode: (code: number) => void,
): void {
  program
    .command("convert")
    .summary("convert a trace of memory accesses to binary or CSV")
    .description("Convert a trace of memory accesses to hugewalk's binary or to CSV.")
    .argument("<in>", "the trace; - is standard input")
    .argument("<out>", "what to write; - is standard output")
    .option("--format <name>", `what <in> is: ${FORMAT_NAMES.join(" ")} (default: by its content)`)
    .option("--to <name>", "binary or csv (default: csv for an <out> that ends in .csv)")
    .option("--lenient", "count and skip broken records")
    .addHelpText("after", CONVERT_HELP)
    .action(async (from: string, to: string, flags: ConvertFlags) => {
      setExitCode(await convertTrace(from, to, flags, io));
    });
}
