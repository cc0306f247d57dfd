/** The command line of `capture`: a program is run, and its trace studied meanwhile. */
import type { Command } from "commander";
import { studyProgram, type CaptureFlags } from "./capture.ts";
import type { Io } from "./streams.ts";
import { addViewOptions } from "./tlb-command.ts";

const HELP = `
Runs the program under valgrind's lackey (Debian: apt-get install valgrind), which writes 1.5 million
references a second, and studies them meanwhile; nothing is kept. What the program reads and writes is
left alone: its output comes first, then the report. Of what it starts, only itself is traced, and not
what it becomes by execve, as wrappers do: name what does the work.

Examples:
  $ hugewalk capture ls -l
  $ hugewalk capture --skip 200000 --references 50000000 --output report.txt -- ./server --port 80
  $ hugewalk capture $(gcc -print-prog-name=cc1) -quiet -O2 program.i -o /dev/null

SIGINT, SIGTERM and SIGHUP end the program; the report is of what it did until then.

Exit codes: 0 studied, however the program ended, 2 the command line or this machine does not allow it,
70 a bug of hugewalk, 130 SIGINT, 143 SIGTERM, 129 SIGHUP.
`;

export function addCaptureCommand(
  program: Command,
  io: Io,
  setExitCode: (code: number) => void,
): void {
  const command = program
    .command("capture")
    .summary("run a program, and study what larger pages would do to it")
    .description("Run a program under valgrind, and study what larger pages would do to it.")
    .argument("<program>", "as in a shell: a path, or a name that PATH finds")
    .argument("[args...]", "its own")
    .passThroughOptions();
  addViewOptions(command)
    .option("--output <file>", "write the report there (default: standard output)")
    .option("--lenient", "count and skip broken records")
    .addHelpText("after", HELP)
    .action(async (name: string, args: readonly string[], flags: CaptureFlags) => {
      setExitCode(await studyProgram([name, ...args], flags, io));
    });
}
