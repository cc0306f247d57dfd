/**
 * `hugewalk run`: runs transcripts on the emulated kernel and compares with what they expect, or
 * on several kernels and compares these.
 */
import pc from "picocolors";
import { InputError } from "../errors.ts";
import { fileToJson, lineToJson, summaryToJson } from "../transcript/json.ts";
import { formatComparison } from "../transcript/print-compared.ts";
import { formatSummary, printTranscript } from "../transcript/print.ts";
import type { LineRecord } from "../transcript/run.ts";
import type { MachineHeader, Script } from "../transcript/script.ts";
import { TlbCosts } from "../transcript/tlb-cost.ts";
import { addTallies, NOTHING_RUN, tallyOf, type Tally } from "../transcript/tally.ts";
import { onOneLine } from "../transcript/text.ts";
import { complain, isUsersError } from "./complaint.ts";
import type { Emulator } from "./emulator.ts";
import { EXIT_AGREES, EXIT_DIFFERS, EXIT_UNUSABLE } from "./exit-code.ts";
import { checkMachines, runOn } from "./machine.ts";
import type { RunContext, RunFlags } from "./run-context.ts";
import { readScripts, unknownKernel } from "./scripts.ts";
import { runSideBySide } from "./side-by-side.ts";
import { hasColor, Output, type Io } from "./streams.ts";
import { tlbTables } from "./tlb-costs.ts";

/** Runs the files and returns the exit code. Throws what is not the user's doing. */
export async function runFiles(
  paths: readonly string[],
  flags: RunFlags,
  io: Io,
  emulator: Emulator,
): Promise<number> {
  const errors: string[] = [];
  const kernels = kernelsOf(flags.kernel, emulator, errors);
  const inputs = paths.filter((path, i) => path !== "-" || paths.indexOf(path) === i);
  if (inputs.length < paths.length) errors.push("-: standard input can be read only once");
  const scripts = await readScripts(inputs, io, errors, {});
  if (flags.kernel === undefined) {
    for (const { machine } of scripts) {
      const place = machine.places.get("kernel");
      if (place === undefined || emulator.profileNames.includes(machine.kernel ?? "")) continue;
      errors.push(new InputError(place, unknownKernel(machine.kernel ?? "", emulator)).message);
    }
  }
  if (errors.length > 0) {
    await complain(io, ...errors);
    return EXIT_UNUSABLE;
  }
  const out = new Output(io.stdout);
  const colors = pc.createColors(hasColor(io));
  try {
    return await runAll(scripts, kernels, { flags, emulator, out, colors });
  } catch (error) {
    if (!isUsersError(error)) throw error;
    await complain(io, error.message);
    return EXIT_UNUSABLE;
  }
}

/** The kernels that `--kernel` names; none: the file's own. */
function kernelsOf(flag: string | undefined, emulator: Emulator, errors: string[]): string[] {
  if (flag === "all") return [...emulator.profileNames];
  const kernels = flag?.split(",") ?? [];
  for (const kernel of kernels) {
    if (!emulator.profileNames.includes(kernel)) {
      errors.push(`--kernel: ${unknownKernel(kernel, emulator)}`);
    }
  }
  return [...new Set(kernels)];
}

/** Runs the files one after the other; the exit code. */
async function runAll(
  scripts: readonly Script[],
  kernels: readonly string[],
  context: RunContext,
): Promise<number> {
  const { flags, emulator, out, colors } = context;
  const isOneOfSeveral = scripts.length > 1;
  const kernelOf = (machine: MachineHeader) =>
    kernels[0] ?? machine.kernel ?? emulator.defaultProfile;
  if (isOneOfSeveral) checkMachines(emulator, scripts, kernelOf);
  const isComparison = kernels.length > 1;
  let total = NOTHING_RUN;
  for (const script of scripts) {
    if (isOneOfSeveral && !flags.json) await out.line(colors.bold(`# ${onOneLine(script.file)}`));
    const tally = isComparison
      ? await runSideBySide(script, kernels, context)
      : await runAsExpected(script, kernelOf(script.machine), context);
    total = addTallies(total, tally);
  }
  if (flags.json) await out.line(summaryToJson(scripts.length, total));
  else if (isOneOfSeveral) {
    const { length } = scripts;
    await out.line(
      isComparison ? formatComparison(kernels, total, length) : formatSummary(total, length),
    );
  }
  await out.flush();
  return total.nrDiffering > 0 ? EXIT_DIFFERS : EXIT_AGREES;
}

/** Runs a file on one kernel and compares with what it expects. */
async function runAsExpected(script: Script, kernel: string, context: RunContext): Promise<Tally> {
  const { flags, emulator, out, colors } = context;
  let tally = NOTHING_RUN;
  const tlb = new TlbCosts();
  const count = (record: LineRecord) => {
    tally = addTallies(tally, tallyOf(record));
    if (record.tlb) tlb.add(record.tlb);
  };
  const records = watch(runOn(emulator, script, kernel, flags), count);
  if (flags.json) {
    for await (const record of records) {
      if (!flags.quiet || record.differs) await out.line(lineToJson(record));
    }
    await out.line(fileToJson(script.file, kernel, tally, flags.tlb ? tlb : undefined));
    return tally;
  }
  const options = {
    colors,
    onlyDiffering: flags.quiet,
    kernel: flags.kernel === undefined ? undefined : kernel,
  };
  for await (const text of printTranscript(script, records, options)) await out.line(text);
  for (const text of flags.tlb ? tlbTables(tlb) : []) await out.line(colors.dim(text));
  await out.line(formatSummary(tally));
  return tally;
}

/** The records, each seen by `see` first. */
async function* watch(
  records: AsyncIterable<LineRecord>,
  see: (record: LineRecord) => void,
): AsyncGenerator<LineRecord> {
  for await (const record of records) {
    see(record);
    yield record;
  }
}
