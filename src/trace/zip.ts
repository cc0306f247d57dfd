/**
 * The members of a zip one after the other, as they stand in the file (APPNOTE.TXT §4.3), without
 * its directory: so a pipe will do. drmemtrace writes its `chunk.0000`, `chunk.0001`, … in order.
 */
import { createInflateRaw } from "node:zlib";
import { ChunkReader, type Chunks } from "./chunks.ts";
import { INFLATE_BYTES, pumped } from "./inflate.ts";
import { TraceError } from "./trace-error.ts";

const LOCAL_HEADER = 0x04034b50;
const HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
const FLAG_ENCRYPTED = 1;
/** The sizes stand behind the data. */
const FLAG_DESCRIPTOR = 8;
const DESCRIPTOR_MAX_BYTES = 24;
const ZIP64_EXTRA = 1;
const IN_EXTRA = 0xffffffff;

interface Member {
  readonly method: number;
  /** Compressed; unknown if a descriptor follows. */
  readonly nrBytes: number | undefined;
}

export async function* unzip(chunks: Chunks, name: string): AsyncGenerator<Uint8Array> {
  const reader = new ChunkReader(chunks);
  try {
    for (;;) {
      const member = await readHeader(reader, name);
      if (member === undefined) return;
      yield* contentOf(member, reader, name);
      if (member.nrBytes === undefined) await skipDescriptor(reader);
    }
  } finally {
    await reader.close();
  }
}

/** The next member; none where the directory begins. */
async function readHeader(reader: ChunkReader, name: string): Promise<Member | undefined> {
  const bytes = await reader.upTo(HEADER_BYTES);
  if (bytes.length < HEADER_BYTES) throw new TraceError(name, "the zip ends early");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(0, true) !== LOCAL_HEADER) return undefined;
  const flags = view.getUint16(6, true);
  const method = view.getUint16(8, true);
  const nameBytes = view.getUint16(26, true);
  const extraBytes = view.getUint16(28, true);
  const hasDescriptor = (flags & FLAG_DESCRIPTOR) !== 0;
  if (flags & FLAG_ENCRYPTED) throw new TraceError(name, "the zip is encrypted");
  if (method !== DEFLATED && (method !== STORED || hasDescriptor)) {
    throw new TraceError(name, `a zip compressed by method ${method} cannot be read as a stream`);
  }
  const short = view.getUint32(18, true);
  const all = await reader.upTo(HEADER_BYTES + nameBytes + extraBytes);
  const extra = all.subarray(HEADER_BYTES + nameBytes, HEADER_BYTES + nameBytes + extraBytes);
  reader.take(HEADER_BYTES + nameBytes + extraBytes);
  const nrBytes = short === IN_EXTRA ? longSize(extra) : short;
  return { method, nrBytes: hasDescriptor ? undefined : nrBytes };
}

/** The compressed size in the extra field of a large member: behind the other size. */
function longSize(extra: Uint8Array): number {
  const view = new DataView(extra.buffer, extra.byteOffset, extra.length);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    const isLong = view.getUint16(at, true) === ZIP64_EXTRA && at + 20 <= extra.length;
    if (isLong) return Number(view.getBigUint64(at + 12, true));
  }
  return IN_EXTRA;
}

async function* contentOf(
  { method, nrBytes }: Member,
  reader: ChunkReader,
  name: string,
): AsyncGenerator<Uint8Array> {
  if (nrBytes !== undefined) {
    const compressed = exactly(reader, nrBytes, name);
    if (method === STORED) yield* compressed;
    else yield* pumped(compressed, createInflateRaw({ chunkSize: INFLATE_BYTES }), name);
    return;
  }
  // The inflater knows where its data ends; what it was given behind that is kept and put back.
  const inflater = createInflateRaw({ chunkSize: INFLATE_BYTES });
  const given: Uint8Array[] = [];
  let nrDropped = 0;
  const compressed = async function* () {
    for (let bytes = await reader.next(); bytes; bytes = await reader.next()) {
      while (given.length > 0 && nrDropped + given[0].length <= inflater.bytesWritten) {
        nrDropped += given.shift()?.length ?? 0;
      }
      given.push(bytes);
      yield bytes;
    }
  };
  yield* pumped(compressed(), inflater, name);
  reader.putBack(Buffer.concat(given).subarray(inflater.bytesWritten - nrDropped));
}

/** Goes to the next header: a descriptor has one of four lengths, and nothing tells which. */
async function skipDescriptor(reader: ChunkReader): Promise<void> {
  const bytes = await reader.upTo(DESCRIPTOR_MAX_BYTES + 4);
  for (let at = 12; at <= DESCRIPTOR_MAX_BYTES; at += 4) {
    const isHeader = bytes[at] === 0x50 && bytes[at + 1] === 0x4b && bytes[at + 2] < 8;
    if (isHeader) return reader.take(at);
  }
}

async function* exactly(
  reader: ChunkReader,
  nrBytes: number,
  name: string,
): AsyncGenerator<Uint8Array> {
  let left = nrBytes;
  while (left > 0) {
    const bytes = await reader.next();
    if (bytes === undefined) throw new TraceError(name, "the zip ends early");
    if (bytes.length > left) reader.putBack(bytes.subarray(left));
    yield bytes.subarray(0, left);
    left -= Math.min(left, bytes.length);
  }
}
