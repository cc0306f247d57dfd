/** What `hugewalk capture` does around a report: it runs the program, and ends it. */
import { constants } from "node:os";
import { captureLackey, type Capture } from "../trace/capture.ts";
import { describeEnding } from "../trace/process-group.ts";
import type { Trace } from "../trace/trace.ts";
import type { TracedProgram } from "../trace/traced-program.ts";
import { complain, isUsersError } from "./complaint.ts";
import { EXIT_UNUSABLE } from "./exit-code.ts";
import type { Io } from "./streams.ts";
import { tellBroken } from "./traces.ts";

export interface CaptureFlags {
  readonly lenient?: boolean;
}

/** Reads a trace, or as much as it wants, and prints what it found; returns the exit code. */
export type Report = (trace: Trace, signal: AbortSignal) => Promise<number>;

/** Signals that end the program; the report is of what it did until then. */
const INTERRUPTIONS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Reports on a program while it runs, and returns the exit code. */
export async function captureProgram(
  command: readonly string[],
  flags: CaptureFlags,
  io: Io,
  report: Report,
): Promise<number> {
  const abort = new AbortController();
  let interruption: (typeof INTERRUPTIONS)[number] | undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    interruption ??= INTERRUPTIONS.find((name) => name === signal);
    abort.abort();
  };
  for (const signal of INTERRUPTIONS) process.on(signal, interrupt);
  let exitCode: number;
  try {
    const { signal } = abort;
    const capture = await captureLackey(command, { isLenient: flags.lenient, signal });
    exitCode = await reportOn(capture, io, (trace) => report(trace, signal));
  } catch (error) {
    if (!isUsersError(error)) throw error;
    await complain(io, error.message);
    exitCode = EXIT_UNUSABLE;
  } finally {
    for (const signal of INTERRUPTIONS) process.off(signal, interrupt);
  }
  return interruption === undefined ? exitCode : 128 + constants.signals[interruption];
}

async function reportOn(
  { trace, program }: Capture,
  io: Io,
  report: (trace: Trace) => Promise<number>,
): Promise<number> {
  try {
    return await report(trace);
  } finally {
    await program.stop();
    await tellBroken(trace, io);
    await tellEnding(trace.name, program, io);
  }
}

/** Says how the program ended, unless it did as it should. */
async function tellEnding(name: string, program: TracedProgram, io: Io): Promise<void> {
  if (program.wasStopped) return;
  if (program.note !== undefined) await complain(io, `${name}: ${program.note}`);
  const ending = await program.ended;
  const isUsual = "exitCode" in ending && ending.exitCode === 0;
  if (!isUsual) await complain(io, `${name}: ${describeEnding(ending)}`);
}
