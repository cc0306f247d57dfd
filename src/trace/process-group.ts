/** A program with what it starts, which can be ended whole. */
import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { HugewalkError } from "../errors.ts";

/** How a program ended: it exited, or a signal ended it. */
export type Ending = { readonly exitCode: number } | { readonly signal: NodeJS.Signals };

/** What a program that is asked to end has to do so. */
const GRACE_MS = 2000;
const POLL_MS = 10;

export class ProcessGroup {
  /** When the program itself has ended. Rejects with `HugewalkError` if it was not started. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;

  /** Throws `HugewalkError`. */
  constructor(
    program: string,
    args: readonly string[],
    options: { readonly stdio: StdioOptions; readonly env: NodeJS.ProcessEnv },
  ) {
    const refuse = (error: Error) => new HugewalkError(`${program}: ${error.message}`);
    try {
      // In a session of its own, where the terminal's Ctrl-C does not reach it.
      this.#child = spawn(program, args, { ...options, detached: true });
    } catch (error) {
      throw error instanceof Error ? refuse(error) : error;
    }
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", (error) => reject(refuse(error)));
      this.#child.once("exit", (exitCode, signal) => {
        resolve(signal === null ? { exitCode: exitCode ?? 0 } : { signal });
      });
    });
    this.ended.catch(() => {});
  }

  /** Whether the program itself has, or was not started. */
  get hasEnded(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }

  /** Asks all of the group to end, and kills what still runs after two seconds. */
  async end(): Promise<void> {
    const deadline = performance.now() + GRACE_MS;
    for (let isLeft = this.#kill("SIGTERM"); isLeft; isLeft = this.#kill(0)) {
      if (performance.now() > deadline) {
        this.#kill("SIGKILL");
        break;
      }
      await setTimeout(POLL_MS);
    }
    await this.ended.catch(() => {});
  }

  /** Sends a signal; whether there is anyone to get it. */
  #kill(signal: NodeJS.Signals | 0): boolean {
    if (this.#child.pid === undefined) return false;
    try {
      return process.kill(-this.#child.pid, signal);
    } catch {
      return false;
    }
  }
}

export function describeEnding(ending: Ending): string {
  return "signal" in ending ? `ended by ${ending.signal}` : `exit code ${ending.exitCode}`;
}
