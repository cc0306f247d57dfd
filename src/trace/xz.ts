/** xz, by the program of that name: Node has no decoder. */
import { spawn } from "node:child_process";
import { Readable, pipeline } from "node:stream";
import { ResourceError } from "../errors.ts";
import type { Chunks } from "./chunks.ts";
import { TraceError } from "./trace-error.ts";

/** The bytes without compression. Throws `ResourceError` if there is no such program. */
export async function* unxz(chunks: Chunks, name: string): AsyncGenerator<Uint8Array> {
  const child = spawn("xz", ["--decompress", "--stdout", "--quiet"], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let message = "";
  child.stderr.on("data", (text) => (message += text));
  const exit = new Promise<number | null>((resolve, reject) => {
    child.on("error", () =>
      reject(new ResourceError(`${name}: needs xz to be read: install the package xz-utils`)),
    );
    child.on("close", resolve);
  });
  exit.catch(() => {});
  let sourceError: unknown;
  // A child that is gone has told why; only the source's own errors matter here.
  const feed = Readable.from(chunks, { objectMode: false });
  feed.on("error", (error) => (sourceError = error));
  pipeline(feed, child.stdin, () => {});
  try {
    for await (const bytes of child.stdout) yield bytes;
    if ((await exit) === 0 && sourceError === undefined) return;
  } finally {
    child.kill();
    feed.destroy();
  }
  if (sourceError !== undefined) throw sourceError;
  const reason = message.trim().replace(/^xz: \(stdin\): /, "");
  throw new TraceError(name, `xz cannot read it: ${reason || "it ended early"}`);
}
