/** A pipe from a program that writes much, in little pieces. */
import { execFile } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ResourceError } from "../errors.ts";

/** What a pipe of Linux holds. */
const PIPE_BYTES = 65536;

/**
 * Reading never waits: who wants more asks again later. So the writer is not held up by waking a
 * reader at each of its lines, nor the reader by getting a line or two at a time. 6 million lines of
 * lackey cost 4.6 s of processor time, 0.4 s of them here, if it asks each millisecond. If it waits
 * they cost 11 s, 4 to 6 s here, and 22 s, 9 s here, through the socket pair that Node's own "pipe"
 * is. A larger pipe costs the same.
 */
export class Pipe {
  /** The descriptor to write to. */
  readonly writer: number;
  readonly #reader: number;

  private constructor(path: string) {
    this.#reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.writer = openSync(path, constants.O_WRONLY);
  }

  /** Node makes no pipes, but opens those that have a name, which is not needed afterwards. */
  static async create(): Promise<Pipe> {
    let directory: string | undefined;
    try {
      directory = await mkdtemp(join(tmpdir(), "hugewalk-"));
      const path = join(directory, "pipe");
      await promisify(execFile)("mkfifo", [path]);
      return new Pipe(path);
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      throw new ResourceError(`cannot make a pipe in ${tmpdir()} (see TMPDIR): ${reason}`);
    } finally {
      if (directory !== undefined) await rm(directory, { recursive: true });
    }
  }

  /** What is in it now; nothing if it is empty, or nobody writes any more. */
  read(): Uint8Array {
    const bytes = Buffer.allocUnsafe(PIPE_BYTES);
    try {
      return bytes.subarray(0, readSync(this.#reader, bytes));
    } catch (error) {
      const isEmpty = error instanceof Error && "code" in error && error.code === "EAGAIN";
      if (!isEmpty) throw error;
      return bytes.subarray(0, 0);
    }
  }

  closeWriter(): void {
    closeSync(this.writer);
  }

  closeReader(): void {
    closeSync(this.#reader);
  }
}
