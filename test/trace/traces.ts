/** Traces made for tests, and read as lines of CSV. */
import { createCsvEncoder } from "../../src/trace/encode.ts";
import { Trace, type TraceOptions } from "../../src/trace/trace.ts";
import { WordBuffer } from "../../src/trace/word-buffer.ts";

export interface Reading {
  readonly trace: Trace;
  /** `tid,kind,addr,size` of each reference. */
  readonly lines: readonly string[];
}

/** Reads bytes that come in pieces, through batches of which many are needed. */
export async function read(
  bytes: Uint8Array | string,
  {
    name = "trace",
    nrBytes = 2 ** 20,
    ...options
  }: TraceOptions & { name?: string; nrBytes?: number } = {},
): Promise<Reading> {
  const trace = await Trace.open(inPieces(Buffer.from(bytes), nrBytes), name, options);
  const encoder = createCsvEncoder();
  let text = "";
  for await (const batch of trace.batches(new WordBuffer(new Uint32Array(2 * 80)))) {
    text += new TextDecoder().decode(encoder.encode(batch));
  }
  return { trace, lines: text.split("\n").slice(0, -1) };
}

export async function* inPieces(bytes: Uint8Array, nrBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += nrBytes) yield bytes.subarray(at, at + nrBytes);
}

/** Records of drmemtrace: type, size, address or the 8 bytes in its place. */
export function drmemtrace(...records: readonly [number, number, bigint][]): Buffer {
  const bytes = Buffer.alloc(12 * records.length);
  for (const [i, [type, size, address]] of records.entries()) {
    bytes.writeUInt16LE(type, 12 * i);
    bytes.writeUInt16LE(size, 12 * i + 2);
    bytes.writeBigUInt64LE(address, 12 * i + 4);
  }
  return bytes;
}

/** A ChampSim record, or CloudSuite's if it has an `asid`. */
export function champsim(
  ip: bigint,
  { loads = [], stores = [], asid }: { loads?: bigint[]; stores?: bigint[]; asid?: number } = {},
): Buffer {
  const isCloud = asid !== undefined;
  const bytes = Buffer.alloc(isCloud ? 96 : 64);
  bytes.writeBigUInt64LE(ip, 0);
  for (const [i, at] of loads.entries()) bytes.writeBigUInt64LE(at, (isCloud ? 56 : 32) + 8 * i);
  for (const [i, at] of stores.entries()) bytes.writeBigUInt64LE(at, (isCloud ? 24 : 16) + 8 * i);
  if (isCloud) bytes[88] = asid;
  return bytes;
}
