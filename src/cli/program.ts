/**
 * The command line: which commands there are, what they take, and what an exit code says.
 */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addCaptureCommand } from "./capture-command.ts";
import { addConvertCommand } from "./convert-command.ts";
import type { Emulator } from "./emulator.ts";
import { EXIT_AGREES, EXIT_INTERNAL, EXIT_UNUSABLE } from "./exit-code.ts";
import { addCpusCommand } from "./cpus.ts";
import { addFuzzCommand } from "./fuzz-command.ts";
import { addBenchCommand } from "./bench.ts";
import { addMergeCommand } from "./merge.ts";
import { addTlbCommand } from "./tlb-command.ts";
import { printProfiles } from "./profiles.ts";
import { complain } from "./complaint.ts";
import { realKernels, type RealKernels } from "./real-kernels.ts";
import { runFiles } from "./run.ts";
import type { RunFlags } from "./run-context.ts";
import type { Io } from "./streams.ts";
import { addVerifyCommands } from "./verify-command.ts";

const PROGRAM_HELP = `
Examples:
  $ hugewalk run fork.txt               run a transcript and compare it with what it expects
  $ hugewalk run --explain fork.txt     the same, with what happened inside the kernel
  $ hugewalk verify fork.txt            run it on a real kernel, too, and compare the two
  $ hugewalk capture ls -l              would larger pages help this program, where, how much?
  $ hugewalk tlb app.lackey             the same of a trace
  $ hugewalk help run                   all about a command
`;

const RUN_HELP = `
A transcript has one operation on a line, and what follows => is expected of it:

  host   nr_hugepages 1                      => ok ; total=1 free=1
  parent mmap a 1h rw private,anon,huge      => ok ; rsvd=1
  parent write a 1                           => ok ; free=0 rsvd=0

The output is a transcript again, with everything that was observed.

Examples:
  $ hugewalk run fork.txt
  $ hugewalk run --kernel 6.1 --quiet recordings/*.txt
  $ hugewalk run --kernel 6.12,6.18 fork.txt       what differs between these kernels?
  $ hugewalk run --tlb fork.txt                    what do fork, writes and munmap cost in TLBs?
  $ hugewalk run --json fork.txt | jq 'select(.differs)'
  $ echo 'host nr_hugepages 3' | hugewalk run -

With several kernels nothing that the file expects is judged: a line on which they agree is printed
as usual, and below any other stands what each of them made of it.

Exit codes: 0 all that is asserted holds, 1 a line differs (with several kernels: between them),
2 the command line or a file cannot be used, 70 a bug of hugewalk.
`;

/** Runs the command that `args` ask for (without node and script) and returns the exit code. */
export async function runCli(
  args: readonly string[],
  io: Io,
  emulator: Emulator,
  real: RealKernels = realKernels(io.env),
): Promise<number> {
  let exitCode = EXIT_AGREES;
  const setExitCode = (code: number) => {
    exitCode = code;
  };
  const program = createProgram(io, emulator, setExitCode);
  addVerifyCommands(program, { io, emulator, real }, setExitCode);
  addFuzzCommand(program, { io, emulator, real }, setExitCode);
  addCpusCommand(program, io, setExitCode);
  addConvertCommand(program, io, setExitCode);
  addTlbCommand(program, io, setExitCode);
  addCaptureCommand(program, io, setExitCode);
  addBenchCommand(program, io, setExitCode);
  addMergeCommand(program, io, setExitCode);
  // Help that nobody reads to its end is no error; commands write through `Output`.
  io.stdout.on("error", () => {});
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_AGREES : EXIT_UNUSABLE;
    await complain(io, `${error}; this is a bug of hugewalk: please report it with the command`);
    if (error instanceof Error) io.stderr.write(`${error.stack}\n`);
    return EXIT_INTERNAL;
  }
}

function createProgram(io: Io, emulator: Emulator, setExitCode: (code: number) => void): Command {
  const program = new Command("hugewalk");
  program
    .description(
      "x86-64 paging and Linux's hugetlbfs, emulated; and what larger pages do to TLB misses.",
    )
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => {
        const reason = text
          .replace(/^error: /, "")
          .trim()
          .replace(/\s*\n\s*/g, " ");
        write(`hugewalk: ${reason}\n`);
      },
    })
    .addHelpText("after", PROGRAM_HELP);
  program
    .command("run")
    .summary("run transcripts and compare them with what they expect")
    .description("Run transcripts on the emulated kernel and compare them with what they expect.")
    .argument("<file...>", "transcripts; - is standard input")
    .option(
      "--kernel <profile>",
      `one of ${emulator.profileNames.join(" ")} (default: the file's), ` +
        "or several joined by commas, or all: they are compared with each other",
    )
    .option("--explain", "say below each line what happened inside the kernel")
    .option("--tlb", "say what it costs in TLBs: misses, shootdowns and refills")
    .option("--json", "print one JSON object a line, the last one a summary")
    .option("--quiet", "print only lines that differ, and the summary")
    .addHelpText("after", RUN_HELP)
    .action(async (files: readonly string[], flags: RunFlags) => {
      setExitCode(await runFiles(files, flags, io, emulator));
    });
  program
    .command("profiles")
    .summary("print what the kernels differ in")
    .description("Print what the kernels differ in, a row for each rule, and where it was read.")
    .option("--json", "print one JSON object a line")
    .action(async (flags: { json?: boolean }) => {
      setExitCode(await printProfiles(flags, io));
    });
  return program;
}

/** From the package.json nearest above this file: the source and the build differ in depth. */
function packageVersion(): string {
  for (const up of ["../../", "../../../"]) {
    const manifest = tryReadJson(new URL(`${up}package.json`, import.meta.url));
    if (manifest?.name === "hugewalk") return String(manifest.version);
  }
  return "unknown";
}

function tryReadJson(url: URL): { name?: unknown; version?: unknown } | undefined {
  try {
    return JSON.parse(readFileSync(url, "utf8"));
  } catch {
    return undefined;
  }
}
