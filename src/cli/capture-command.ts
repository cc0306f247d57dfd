/** The command line of `capture`: a program is run, and its trace studied meanwhile. */
import { createWriteStream } from "node:fs";
import type { Command } from "commander";
import { captureProgram, type CaptureFlags } from "./capture.ts";
import { EXIT_AGREES } from "./exit-code.ts";
import type { Io } from "./streams.ts";
import { addViewOptions } from "./tlb-command.ts";
import {
  atUsersRisk,
  prepareView,
  printStudy,
  studyWithProgress,
  type View,
  type ViewFlags,
} from "./tlb.ts";

const HELP = `
Runs the program under valgrind's lackey (Debian: apt-get install valgrind), some 100 times slower than
by itself, and studies its trace while it runs; nothing is written. What the program reads and writes
is left alone: its output comes first, then the report. Of what it starts, only itself is traced.

Examples:
  $ hugewalk capture ls -l
  $ hugewalk capture --skip 200000 --references 50000000 --output report.txt -- ./server --port 80
  $ hugewalk capture -- $(gcc -print-prog-name=cc1) -O2 hello.c -o /dev/null

SIGINT ends the program; the report is of what it did until then.

Exit codes: 0 studied, 2 the command line or this machine does not allow it, 70 a bug of hugewalk, 130
SIGINT.
`;

interface Flags extends CaptureFlags, ViewFlags {
  readonly output?: string;
}

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
    .action(async (name: string, args: readonly string[], flags: Flags) => {
      setExitCode(await studyProgramRun([name, ...args], flags, io));
    });
}

async function studyProgramRun(command: readonly string[], flags: Flags, io: Io): Promise<number> {
  let view: View | undefined;
  const code = await atUsersRisk(io, async () => {
    view = await prepareView(flags, io);
  });
  if (!view) return code;
  const prepared = view;
  return captureProgram(command, flags, io, async (trace, signal) => {
    const study = await studyWithProgress(trace, prepared, signal, io);
    const stream = flags.output === undefined ? io.stdout : createWriteStream(flags.output);
    await printStudy(study, flags, prepared, stream);
    return EXIT_AGREES;
  });
}
