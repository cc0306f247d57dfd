/** Where a trace is written to: standard output, or a file that gets its name when it is whole. */
import { rmSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { constants } from "node:os";
import { Output, named, type Io } from "./streams.ts";

export interface Sink {
  /** Nobody reads what is written: the rest can be left out. */
  readonly isClosed: boolean;
  /** The bytes may change afterwards. */
  write(bytes: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  /** Leaves nothing behind. */
  abandon(): Promise<void>;
}

export async function createSink(path: string, io: Io): Promise<Sink> {
  if (path === "-") return outputSink(new Output(io.stdout));
  return named(path, async () => {
    const isSpecial = await stat(path).then(
      (found) => !found.isFile(),
      () => false,
    );
    // A device or a named pipe is written to, not replaced.
    return fileSink(path, isSpecial ? path : `${path}.${process.pid}.part`);
  });
}

function outputSink(output: Output): Sink {
  return {
    get isClosed() {
      return output.isClosed;
    },
    write: (bytes) => output.write(bytes.slice()),
    finish: () => output.flush(),
    abandon: async () => {},
  };
}

/** Writes to `written`, which then becomes `path`. */
async function fileSink(path: string, written: string): Promise<Sink> {
  const isOther = written !== path;
  const keep = isOther ? removeOnSignal(written) : () => {};
  const file = await open(written, "w").catch((error: unknown) => {
    keep();
    throw error;
  });
  let isClosed = false;
  const writeAll = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
  };
  return {
    get isClosed() {
      return isClosed;
    },
    write: (bytes) =>
      named(path, async () => {
        try {
          await writeAll(bytes);
        } catch (error) {
          if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
          isClosed = true;
        }
      }),
    finish: () =>
      named(path, async () => {
        await file.close();
        if (isOther) await rename(written, path);
        keep();
      }),
    abandon: async () => {
      await file.close();
      if (isOther) await rm(written, { force: true });
      keep();
    },
  };
}

/** SIGINT and SIGTERM remove the file and end the process; call the result to end that. */
function removeOnSignal(path: string): () => void {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const remove = (signal: (typeof signals)[number]): void => {
    rmSync(path, { force: true });
    // As shells have it.
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of signals) process.once(signal, remove);
  return () => {
    for (const signal of signals) process.off(signal, remove);
  };
}
