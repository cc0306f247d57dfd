/** A program under valgrind's lackey, and the lines that lackey writes of it. */
import { setTimeout } from "node:timers/promises";
import { Pipe } from "./pipe.ts";
import { ProcessGroup, type Ending } from "./process-group.ts";

/** Where lackey writes to: behind what every program starts with. */
const LOG_FD = 3;
/**
 * A forked child's lines would come between the program's, for the same addresses: it is silenced,
 * and what it executes is not traced. Valgrind's gdb server would leave files when it is killed.
 */
const OPTIONS = [
  "--command-line-only=yes",
  "--tool=lackey",
  "--trace-mem=yes",
  "--trace-children=no",
  "--child-silent-after-fork=yes",
  "--vgdb=no",
  `--log-fd=${LOG_FD}`,
  "--",
];
/** How often the pipe is looked at: it is full after 3 ms. */
const POLL_MS = 1;
const NEWLINE = 10;

export class TracedProgram {
  /** Whether it was ended before it did so itself: the trace is a part. */
  wasStopped = false;
  /** Why its trace ended before it did, if that is so. */
  note: string | undefined;
  readonly #group: ProcessGroup;
  readonly #pipe: Pipe;
  #stopping: Promise<void> | undefined;

  private constructor(command: readonly string[], pipe: Pipe, env: NodeJS.ProcessEnv) {
    this.#pipe = pipe;
    this.#group = new ProcessGroup("valgrind", [...OPTIONS, ...command], {
      stdio: ["inherit", "inherit", "inherit", pipe.writer],
      env,
    });
    pipe.closeWriter();
  }

  /** Starts it on standard input and output of this process. Throws `HugewalkError`. */
  static async start(command: readonly string[], env: NodeJS.ProcessEnv): Promise<TracedProgram> {
    return new TracedProgram(command, await Pipe.create(), env);
  }

  get ended(): Promise<Ending> {
    return this.#group.ended;
  }

  /** Whole lines, until it has ended or is stopped, as it is when they are no longer asked for. */
  async *lines(): AsyncGenerator<Uint8Array> {
    let rest = Buffer.alloc(0);
    let last = rest;
    try {
      while (this.#stopping === undefined) {
        const { hasEnded } = this.#group;
        const fresh = this.#pipe.read();
        const bytes = Buffer.concat([rest, fresh]);
        const end = bytes.lastIndexOf(NEWLINE) + 1;
        rest = bytes.subarray(end);
        if (end > 0 && this.note === undefined) {
          last = bytes.subarray(0, end);
          const failure = findFailure(last);
          this.note = failure?.reason;
          yield last.subarray(0, failure?.at);
        }
        if (!hasEnded) await setTimeout(POLL_MS);
        else if (fresh.length === 0) break;
      }
      if (this.#stopping === undefined && isCutShort(last, await this.ended)) {
        this.note ??= "it ran another program in its place, which was not traced";
      }
    } finally {
      await this.stop();
    }
  }

  /** Ends it, unless it has ended, and what it has left behind. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.wasStopped = !this.#group.hasEnded;
    const end = this.#group.end();
    // Valgrind takes no signal while it waits for room in the pipe.
    while (!this.#group.hasEnded) {
      this.#pipe.read();
      await setTimeout(POLL_MS);
    }
    await end;
    this.#pipe.closeReader();
  }
}

/** Whether a program exited without the line that lackey writes then, after it wrote others. */
function isCutShort(lines: Buffer, ending: Ending): boolean {
  return lines.length > 0 && "exitCode" in ending && !lines.subarray(-64).includes("== Exit code:");
}

/** Where valgrind says that it cannot go on, which begins with an empty line, and why. */
function findFailure(lines: Buffer): { at: number; reason: string } | undefined {
  const at = lines[0] === NEWLINE ? 0 : lines.indexOf("\n\n") + 1;
  if (lines[at] !== NEWLINE) return undefined;
  const around = lines.toString("latin1", Math.max(0, at - 500), at + 500);
  const instruction = /unhandled instruction bytes:[ 0-9A-Fx]*[0-9A-F]/.exec(around)?.[0];
  const reason = instruction ?? lines.toString("latin1", at).trim().split("\n")[0];
  return { at, reason: `valgrind cannot go on: ${reason}` };
}
