/** Files, as the language writes them. */
import { PAGE_2M } from "../address.ts";
import type { Errno } from "../kernel/errno.ts";
import type { Stat } from "../kernel/file.ts";
import type { Outcome, ProcessOperation } from "../transcript/driver.ts";
import { type Actor, NOT_OPEN } from "./actor.ts";

/** Undefined: the operation is none of these. */
export function tryPerformFiles(actor: Actor, operation: ProcessOperation): Outcome | undefined {
  const { process, files } = actor;
  const fd = "fd" in operation ? (files.get(operation.fd ?? "") ?? NOT_OPEN) : NOT_OPEN;
  switch (operation.op) {
    case "open": {
      const { flags, path } = operation;
      return nameDescriptor(
        actor,
        operation.fd,
        process.open(path, {
          isReadOnly: flags.has("rdonly"),
          isCreated: flags.has("creat"),
          isTruncated: flags.has("trunc"),
          isTemporary: flags.has("tmpfile"),
        }),
      );
    }
    case "memfd": {
      const { isHuge, hugeSize = PAGE_2M, isSealable } = operation;
      const hugePageBytes = isHuge ? hugeSize : undefined;
      return nameDescriptor(actor, operation.fd, process.memfd({ hugePageBytes, isSealable }));
    }
    case "close":
      files.delete(operation.fd);
      return { result: process.close(fd) };
    case "unlink":
      return { result: process.unlink(operation.path) };
    case "ftruncate":
      return { result: process.ftruncate(fd, operation.length) };
    case "fallocate": {
      const { mode, offset, length } = operation;
      return { result: process.fallocate(fd, mode, offset, length) };
    }
    case "pread": {
      const read = process.pread(fd, operation.offset);
      return { result: typeof read === "string" ? read : `${read.nrBytes}:${read.value}` };
    }
    case "pwrite":
      return { result: process.pwrite(fd, operation.offset, operation.value) };
    case "fstat": {
      const found = process.fstat(fd);
      return { result: typeof found === "string" ? found : formatStat(found) };
    }
    case "seals":
      return { result: process.addSeals(fd, operation.bits) };
    default:
      return undefined;
  }
}

/** Gives a new descriptor its name; what had the name is closed. */
export function nameDescriptor(
  { process, files }: Actor,
  word: string,
  fd: number | Errno,
): Outcome {
  if (typeof fd === "string") return { result: fd };
  const old = files.get(word);
  if (old !== undefined) process.close(old);
  files.set(word, fd);
  return { result: "ok" };
}

/** The size in huge pages of the default size, and the bytes that are left. */
function formatStat({ size, nrBlocks, nrLinks, blockBytes }: Stat): string {
  const pages = `${Math.floor(size / PAGE_2M)}h+${size % PAGE_2M}`;
  return `size=${pages} blocks=${nrBlocks} nlink=${nrLinks} blksize=${blockBytes}`;
}
