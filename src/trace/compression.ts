/** Traces are often compressed; which way is told by the first bytes, whatever the name is. */
import { createGunzip } from "node:zlib";
import { peek, type Chunks } from "./chunks.ts";
import { INFLATE_BYTES, pumped } from "./inflate.ts";
import { unxz } from "./xz.ts";
import { unzip } from "./zip.ts";

const GZIP = [0x1f, 0x8b];
const XZ = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0];
const ZIP = [0x50, 0x4b, 3, 4];

/** The bytes without compression. Errors name the input as `name`. */
export async function decompressed(chunks: Chunks, name: string): Promise<Chunks> {
  const { head, all } = await peek(chunks, XZ.length);
  const begins = (magic: readonly number[]) => magic.every((byte, i) => head[i] === byte);
  if (begins(GZIP)) return pumped(all, createGunzip({ chunkSize: INFLATE_BYTES }), name);
  if (begins(XZ)) return unxz(all, name);
  if (begins(ZIP)) return unzip(all, name);
  return all;
}
