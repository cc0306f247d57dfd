/** Bytes through one of Node's decompressors. */
import { Readable, pipeline, type Duplex } from "node:stream";
import type { Chunks } from "./chunks.ts";
import { TraceError } from "./trace-error.ts";

/** What an inflater gives at a time: with Node's 16 KiB it is three times slower. */
export const INFLATE_BYTES = 2 ** 20;

/** What `through` makes of the bytes. When the reader stops, so does the source. */
export async function* pumped(
  chunks: Chunks,
  through: Duplex,
  name: string,
): AsyncGenerator<Uint8Array> {
  pipeline(Readable.from(chunks, { objectMode: false }), through, () => {});
  let nrBytes = 0;
  try {
    for await (const bytes of through) {
      nrBytes += bytes.length;
      yield bytes;
    }
  } catch (error) {
    const isCompression =
      error instanceof Error && "code" in error && `${error.code}`.startsWith("Z_");
    if (!isCompression) throw error;
    const isEarly = error.message === "unexpected end of file";
    const reason = isEarly ? "the compressed data ends early" : `broken (${error.message})`;
    throw new TraceError(name, `${reason}, behind ${nrBytes} bytes of the trace`);
  }
}
