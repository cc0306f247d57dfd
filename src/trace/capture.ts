/** The trace of a program that runs: from valgrind's lackey, with no file between. */
import { stat } from "node:fs/promises";
import { HugewalkError } from "../errors.ts";
import { findExecutable } from "../executable.ts";
import { LACKEY } from "./lackey.ts";
import { describeEnding } from "./process-group.ts";
import { TraceError } from "./trace-error.ts";
import { Trace } from "./trace.ts";
import { TracedProgram } from "./traced-program.ts";

const SETUID_OR_SETGID = 0o6000;

export interface CaptureOptions {
  /** Broken lines are counted and skipped. */
  readonly isLenient?: boolean;
  /** Ends the program, and with it the trace. */
  readonly signal?: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Capture {
  /** It drives the program: who stops reading it ends the program. */
  readonly trace: Trace;
  readonly program: TracedProgram;
}

/**
 * Runs a program, on standard input and output of this process. Throws `HugewalkError` if there is
 * no valgrind, or nothing that it can run.
 */
export async function captureLackey(
  command: readonly string[],
  { isLenient, signal, env = process.env }: CaptureOptions = {},
): Promise<Capture> {
  const [name] = command;
  await check(name, env);
  const program = await TracedProgram.start(command, env);
  const stop = (): void => void program.stop();
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  try {
    const trace = await Trace.open(program.lines(), name, { format: LACKEY, isLenient });
    return { trace, program };
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    const why = program.note ?? describeEnding(await program.ended);
    throw new HugewalkError(`${name}: valgrind has traced nothing: ${why}`);
  }
}

async function check(name: string, env: NodeJS.ProcessEnv): Promise<void> {
  if ((await findExecutable("valgrind", env)) === undefined) {
    throw new HugewalkError("valgrind is not installed; on Debian: apt-get install valgrind");
  }
  const path = await findExecutable(name, env);
  if (path === undefined) throw new HugewalkError(`${name}: no such program, or not executable`);
  if (((await stat(path)).mode & SETUID_OR_SETGID) !== 0) {
    throw new HugewalkError(`${name}: valgrind runs no programs that are setuid or setgid`);
  }
}
