/**
 * What a command reads and writes: files and standard input with a limit, standard output that
 * may be a pipe someone closes.
 */
import { createReadStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HugewalkError } from "../errors.ts";

const MIB = 2 ** 20;
/** More than a hundred thousand lines; what is larger is hardly a transcript. */
const LARGEST_INPUT = 8 * MIB;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "is a directory, not a file",
  EACCES: "permission denied",
};

export interface Io {
  /** Called only when a command reads it. */
  readonly stdin: () => AsyncIterable<Uint8Array | string>;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The bytes of a file, or of standard input for `-`. Throws `HugewalkError` naming the file. */
export async function readInput(
  path: string,
  io: Io,
  largest = LARGEST_INPUT,
): Promise<Uint8Array> {
  const name = inputName(path);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of path === "-" ? io.stdin() : createReadStream(path)) {
      const bytes = typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
      chunks.push(bytes);
      length += bytes.length;
      if (length > largest) throw new HugewalkError(`${name}: larger than ${largest / MIB} MiB`);
    }
  } catch (error) {
    if (error instanceof HugewalkError) throw error;
    throw new HugewalkError(`${name}: ${reasonOf(error)}`);
  }
  return Buffer.concat(chunks);
}

/** How messages call an input. */
export function inputName(path: string): string {
  return path === "-" ? "<stdin>" : path;
}

/** Lines or bytes to a stream. A reader that went away is no error: what follows is dropped. */
export class Output {
  readonly #stream: NodeJS.WritableStream;
  #isClosed = false;
  #error: unknown;
  #wake: () => void = () => {};

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    stream.on("error", (error: unknown) => {
      this.#isClosed = true;
      if (codeOf(error) !== "EPIPE") this.#error = error;
      this.#wake();
    });
    stream.on("drain", () => this.#wake());
    stream.on("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** Whether nobody reads any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Writes a line, when the stream has room for it. Throws `HugewalkError` if it cannot. */
  async line(text: string): Promise<void> {
    await this.write(`${text}\n`);
  }

  /** The same for a text that is no line, or bytes, which the stream keeps. */
  async write(data: string | Uint8Array): Promise<void> {
    if (!this.#isClosed && !this.#stream.write(data)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#check();
  }

  /** Waits until all is written. */
  async flush(): Promise<void> {
    if (!this.#isClosed) {
      await new Promise<void>((resolve) => this.#stream.write("", () => resolve()));
    }
    this.#check();
  }

  #check(): void {
    if (this.#error === undefined) return;
    throw new HugewalkError(`cannot write the output: ${reasonOf(this.#error)}`);
  }
}

/** Whether to colour: asked for by FORCE_COLOR, else on a terminal; never against NO_COLOR. */
export function hasColor({ stdout, env }: Io): boolean {
  if (env["NO_COLOR"]) return false;
  const force = env["FORCE_COLOR"];
  if (force !== undefined) return force !== "0" && force !== "false";
  return stdout.isTTY === true && env["TERM"] !== "dumb";
}

/** An error of the system gets the name of the file that the user gave. */
export async function named<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw new HugewalkError(`${path}: ${reasonOf(error)}`);
  }
}

/** Writes a file into a directory, which is made if it is not there; the file's path. */
export async function writeInto(directory: string, name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await named(path, async () => {
    await mkdir(directory, { recursive: true });
    await writeFile(path, text);
  });
  return path;
}

/** What the system says of an error with files or streams. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code !== undefined && code in REASONS) return REASONS[code];
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string | undefined {
  const hasCode = error instanceof Error && "code" in error && typeof error.code === "string";
  return hasCode ? String(error.code) : undefined;
}
