/** The command line of `fuzz`. */
import type { Command } from "commander";
import { type FuzzFlags, runFuzz } from "./fuzz.ts";
import type { VerifyContext } from "./verify.ts";

const FUZZ_HELP = `
A script has some 80 random operations, which its seed and the options decide. A fault is the first
line on which the two kernels differ, or after which an invariant does not hold. The first of each
kind is made as small as can be and printed as a transcript; the others are counted.

Examples:
  $ hugewalk fuzz                              the emulator against its invariants
  $ hugewalk fuzz --against 6.18               fixed against 6.18: finds the known defects
  $ hugewalk fuzz --seeds 1..100 --weights mremap=0,fork=20 --against 6.12 --out found
  $ hugewalk fuzz --vm /boot/vmlinuz-6.1.0-56-amd64
  $ sudo hugewalk fuzz --live                  without what could harm this machine's kernel

SIGINT ends it after the script that is running, with the summary. With --vm no script has
"increment", unless --weights asks for it: QEMU's own processor loads before it stores.

Exit codes: 0 no fault, 1 some, 2 the command line or this machine does not allow the run, 70 a bug
of hugewalk, 130 SIGINT.
`;

export function addFuzzCommand(
  program: Command,
  { io, emulator, real }: VerifyContext,
  setExitCode: (code: number) => void,
): void {
  const profiles = `one of ${emulator.profileNames.join(" ")}`;
  program
    .command("fuzz")
    .summary("run random scripts and look for what should not be")
    .description("Run random scripts on the emulated kernel, compared with another or alone.")
    .option("--seeds <n>", "the scripts' seeds: N or N..M", "1..1000")
    .option("--ops <n>", "operations of a script (default: 80)")
    .option("--weights <list>", "how often operations come: fork=0,mremap=9; all=0,write=5")
    .option("--max-pages <n>", "most pages of a mapping (default: 4)")
    .option("--nodes <n>", "NUMA nodes of the machine (default: 1)")
    .option("--1g", "use 1G pages too")
    .option(
      "--kernel <profile>",
      `the emulator's, ${profiles} (default: fixed, or what fits the real kernel)`,
    )
    .option("--against <profile>", "compare it with this profile instead of invariants")
    .option("--vm <vmlinuz>", "compare it with this kernel in a virtual machine")
    .option("--live", "compare it with this machine's own kernel, as root")
    .option("--out <dir>", "write what is found there, a transcript each")
    .option("--json", "print one JSON object a line, the last one a summary")
    .addHelpText("after", FUZZ_HELP)
    .action(async (flags: FuzzFlags) => setExitCode(await runFuzz(flags, io, real)));
}
