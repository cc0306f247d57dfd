/**
 * `hugewalk verify`: runs transcripts on a real kernel and on the emulator and compares them, or
 * records what the real kernel does.
 */
import { basename } from "node:path";
import pc from "picocolors";
import { HugewalkError, InputError } from "../errors.ts";
import { profileOf, type RealKernel } from "../live/real-kernel.ts";
import { refuseHarm } from "../live/refusal.ts";
import { losePages } from "../live/lost-pages.ts";
import { recordScript, verifyScript } from "../live/verification.ts";
import { printTranscript } from "../transcript/print.ts";
import type { LineRecord } from "../transcript/run.ts";
import type { Script } from "../transcript/script.ts";
import { complain, isUsersError } from "./complaint.ts";
import type { Emulator } from "./emulator.ts";
import { EXIT_AGREES, EXIT_DIFFERS, EXIT_UNUSABLE } from "./exit-code.ts";
import { KernelPicker, type RealKernels } from "./real-kernels.ts";
import { createDriver } from "./machine.ts";
import { readScripts, unknownKernel } from "./scripts.ts";
import { hasColor, Output, type Io, writeInto } from "./streams.ts";
import {
  verifiedToJson,
  countsOf,
  formatCounts,
  formatReport,
  reportToJson,
  showRecord,
  totalToJson,
  type VerifyCounts,
} from "./verify-report.ts";

export interface VerifyFlags {
  readonly live?: boolean;
  /** The path of an image. */
  readonly vm?: string;
  readonly kernel?: string;
  /** A directory, or `-`. */
  readonly record?: string;
  readonly maxPages: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export interface VerifyContext {
  readonly io: Io;
  readonly emulator: Emulator;
  readonly real: RealKernels;
}

/** Runs the files and returns the exit code. Throws what is not the user's doing. */
export async function verifyFiles(
  paths: readonly string[],
  flags: VerifyFlags,
  context: VerifyContext,
): Promise<number> {
  const { io, emulator } = context;
  const errors: string[] = [];
  if (flags.kernel !== undefined && !emulator.profileNames.includes(flags.kernel)) {
    errors.push(`--kernel: ${unknownKernel(flags.kernel, emulator)}`);
  }
  if (flags.live && flags.vm !== undefined) errors.push("--live and --vm exclude each other");
  const scripts = await readScripts(paths, io, errors, { refuseUnmodelled: false });
  if (flags.record === undefined) {
    errors.push(...scripts.flatMap((script) => script.unimplemented.map(({ message }) => message)));
  }
  if (errors.length > 0) {
    await complain(io, ...errors);
    return EXIT_UNUSABLE;
  }
  const picker = new KernelPicker(context.real, flags);
  const batch = new Batch(flags, context, picker);
  try {
    return await (flags.record === undefined ? batch.verifyAll(scripts) : batch.recordAll(scripts));
  } catch (error) {
    if (!isUsersError(error)) throw error;
    await complain(io, batch.describe(error));
    return EXIT_UNUSABLE;
  } finally {
    await picker.close();
  }
}

class Batch {
  readonly #flags: VerifyFlags;
  readonly #emulator: Emulator;
  readonly #picker: KernelPicker;
  readonly #out: Output;
  readonly #colors: ReturnType<typeof pc.createColors>;
  #file = "";

  constructor(flags: VerifyFlags, { io, emulator }: VerifyContext, picker: KernelPicker) {
    this.#flags = flags;
    this.#emulator = emulator;
    this.#picker = picker;
    this.#out = new Output(io.stdout);
    this.#colors = pc.createColors(hasColor(io));
  }

  describe(error: HugewalkError): string {
    return error instanceof InputError ? error.message : `${this.#file}: ${error.message}`;
  }

  async verifyAll(scripts: readonly Script[]): Promise<number> {
    const { json, quiet = false } = this.#flags;
    let total: VerifyCounts = { nrLines: 0, nrDiffering: 0, nrUnavailable: 0 };
    for (const script of scripts) {
      const kernel = await this.#kernelFor(script);
      const profile = this.#profileOf(kernel);
      if (profile === undefined) throw this.#noProfile(kernel);
      const emulatorFor = () => createDriver(this.#emulator, script, profile);
      const verification = await verifyScript(script, kernel, emulatorFor);
      const report = { script, kernel, profile, verification };
      total = sum(total, countsOf(report));
      if (json) {
        for (const line of verification.lines) {
          if (!quiet || line.differs) await this.#out.line(verifiedToJson(line));
        }
        await this.#out.line(reportToJson(report));
      } else {
        for (const text of formatReport(report, { colors: this.#colors, quiet })) {
          await this.#out.line(text);
        }
      }
    }
    if (json) await this.#out.line(totalToJson(scripts.length, total));
    else if (scripts.length > 1 || quiet) {
      await this.#out.line(formatCounts(total, scripts.length));
    }
    await this.#out.flush();
    return total.nrDiffering > 0 ? EXIT_DIFFERS : EXIT_AGREES;
  }

  async recordAll(scripts: readonly Script[]): Promise<number> {
    for (const script of scripts) {
      const kernel = await this.#kernelFor(script);
      const { records, unsteady } = await recordScript(script, kernel);
      if (unsteady) {
        const twice = `"${showRecord(unsteady.real)}" and "${showRecord(unsteady.other)}"`;
        throw new InputError(unsteady.real.line.place, `recorded twice, the kernel says ${twice}`);
      }
      const name = this.#profileOf(kernel) ?? profileOf(kernel.release);
      await this.#write(script, await formatRecording(script, records, name));
    }
    await this.#out.flush();
    return EXIT_AGREES;
  }

  async #write(script: Script, lines: readonly string[]): Promise<void> {
    const { record = "-" } = this.#flags;
    if (record === "-") {
      for (const line of lines) await this.#out.line(line);
      return;
    }
    await writeInto(record, basename(script.file), `${lines.join("\n")}\n`);
  }

  /** The kernel to run the script on; on this machine's own nothing runs that may do harm. */
  async #kernelFor(script: Script): Promise<RealKernel> {
    this.#file = script.file;
    const kernel = await this.#picker.pick(script.machine);
    if (!this.#flags.live) return kernel;
    const profile = this.#profileOf(kernel);
    const fitting = profile ?? this.#emulator.defaultProfile;
    await refuseHarm(script, {
      maxPages: this.#flags.maxPages,
      emulator: await losePages(createDriver(this.#emulator, script, fitting), kernel.lostPages),
      isEmulated: profile !== undefined && script.unimplemented.length === 0,
    });
    return kernel;
  }

  /** Undefined: no profile is like that kernel. */
  #profileOf({ release }: RealKernel): string | undefined {
    const profile = this.#flags.kernel ?? profileOf(release);
    return this.#emulator.profileNames.includes(profile) ? profile : undefined;
  }

  #noProfile({ release }: RealKernel): HugewalkError {
    const names = this.#emulator.profileNames.join(" ");
    return new HugewalkError(`no profile for Linux ${release}; --kernel takes one of ${names}`);
  }
}

/** The script with the kernel's results, and a header that says where they are from. */
async function formatRecording(
  script: Script,
  records: readonly LineRecord[],
  kernel: string,
): Promise<string[]> {
  const { memoryBytes, kernel: named } = script.machine;
  const memory = memoryBytes === undefined ? ["memory=4G"] : [];
  const header = [...memory, ...(named === undefined ? [`kernel=${kernel}`] : [])];
  const lines = header.length > 0 ? [`machine ${header.join(" ")}`] : [];
  async function* observed() {
    for (const record of records) yield { ...record, differs: false };
  }
  const options = { colors: pc.createColors(false), kernel: named && kernel };
  for await (const text of printTranscript(script, observed(), options)) lines.push(text);
  return lines;
}

function sum(a: VerifyCounts, b: VerifyCounts): VerifyCounts {
  return {
    nrLines: a.nrLines + b.nrLines,
    nrDiffering: a.nrDiffering + b.nrDiffering,
    nrUnavailable: a.nrUnavailable + b.nrUnavailable,
  };
}
