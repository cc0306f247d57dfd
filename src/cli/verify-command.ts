/** The command line of `verify` and `kernels`. */
import { InvalidArgumentError, type Command } from "commander";
import { listKernels } from "./kernels.ts";
import { verifyFiles, type VerifyContext, type VerifyFlags } from "./verify.ts";

const VERIFY_HELP = `
The real kernel runs in a virtual machine (QEMU), as any user and without effect on this
machine; "hugewalk kernels" lists the images. With --live it is this machine's own kernel:
that needs root, changes the pools of huge pages while it runs, and puts them back. Scripts
that could hang or leak are refused then.

What a file asserts is not looked at: the two kernels are compared with each other.

Examples:
  $ hugewalk verify fork.txt
  $ hugewalk verify --vm /boot/vmlinuz-6.1.0-56-amd64 --quiet tests/*.txt
  $ sudo hugewalk verify --live fork.txt
  $ hugewalk verify --record recorded fork.txt      write recorded/fork.txt

Exit codes: 0 they agree, 1 a line differs, 2 the command line, a file or this machine does
not allow the run, 70 a bug of hugewalk.
`;

const DEFAULT_MAX_PAGES = 64;

export function addVerifyCommands(
  program: Command,
  context: VerifyContext,
  setExitCode: (code: number) => void,
): void {
  program
    .command("verify")
    .summary("run transcripts on a real kernel and compare it with the emulated one")
    .description("Run transcripts on a real Linux kernel and on the emulated one, and compare.")
    .argument("<file...>", "transcripts; - is standard input")
    .option("--vm <vmlinuz>", "boot this image (default: one found that fits the file)")
    .option("--live", "run on this machine's own kernel, as root")
    .option("--max-pages <n>", "with --live: refuse larger pools", parseCount, DEFAULT_MAX_PAGES)
    .option("--kernel <profile>", "compare with this profile (default: the real kernel's)")
    .option("--record <directory>", "write what the real kernel does; - is standard output")
    .option("--json", "print one JSON object a line, the last one a summary")
    .option("--quiet", "print only lines that differ, and the summary")
    .addHelpText("after", VERIFY_HELP)
    .action(async (files: readonly string[], flags: VerifyFlags) => {
      setExitCode(await verifyFiles(files, flags, context));
    });
  program
    .command("kernels")
    .summary("list the kernels that verify can boot")
    .description("List the kernel images that verify can boot, and how to get more.")
    .action(async () => {
      setExitCode(await listKernels(context));
    });
}

function parseCount(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError("not a number.");
  return Number(text);
}
