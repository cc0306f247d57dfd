/**
 * What the kernel does to a process's memory inside system calls: where the process itself would
 * get a signal, the call ends with the bytes that are done, or an errno.
 */
import { PAGE_4K, roundDown } from "../address.ts";
import { tryAccess } from "./access.ts";
import { TASK_SIZE } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { getUserPage, heldPage } from "./get-user-pages.ts";
import type { Process } from "./process.ts";
import { expandStack } from "./stack.ts";
import type { KernelState } from "./state.ts";

/** Bytes that one of these moves, where it is not said. */
const WORD_BYTES = 8;

/** write(2) of 8 bytes into a pipe, all or none: _copy_from_user(). */
export function copyFromUser(
  kernel: KernelState,
  process: Process,
  address: number,
): number | Errno {
  const loaded = tryAccess(kernel, process, (cpu) => cpu.load(address, WORD_BYTES));
  return loaded.kind === "done" ? WORD_BYTES : "EFAULT";
}

/** read(2) from /dev/zero: clear_user(), a page at a time, up to what cannot be written. */
export function copyToUser(
  kernel: KernelState,
  process: Process,
  address: number,
  length: number = WORD_BYTES,
): number | Errno {
  const end = address + length;
  if (end > TASK_SIZE) return "EFAULT";
  for (let at = address; at < end;) {
    const stop = Math.min(end, roundDown(at, PAGE_4K) + PAGE_4K);
    const done = tryAccess(kernel, process, (cpu) => {
      const physical = cpu.access(at, "write", 1);
      if (physical < 0) return cpu.fault;
      kernel.machine.ram.write(physical, new Uint8Array(stop - at));
      return undefined;
    });
    if (done.kind !== "done") return clearedBytes(kernel, at - address, length) || "EFAULT";
    at = stop;
  }
  return length;
}

/** How many bytes count of those in front of the fault: whole words, then single bytes. */
function clearedBytes({ profile }: KernelState, nrBytes: number, length: number): number {
  const isByWord = profile.clearsWholeWords && nrBytes < roundDown(length, WORD_BYTES);
  return isByWord ? roundDown(nrBytes, WORD_BYTES) : nrBytes;
}

/**
 * pwrite(2) of 8 bytes to /proc/self/mem (fs/proc/base.c: mem_rw()): the protection of private
 * mappings does not count.
 */
export function writeProcmem(
  kernel: KernelState,
  process: Process,
  address: number,
  value: bigint,
): number | Errno {
  if (!kernel.profile.hasProcmemWrite) return "EINVAL";
  const { space } = process;
  if (!space.find(address)) expandStack(kernel, space, address);
  let nrDone = 0;
  while (nrDone < WORD_BYTES) {
    const at = address + nrDone;
    const page = getUserPage(kernel, space, at, { isWrite: true, isForced: true });
    if ("kind" in page) break;
    const nrBytes = Math.min(WORD_BYTES - nrDone, PAGE_4K - (at % PAGE_4K));
    const physical = heldPage(kernel, page, at).frame + (at % PAGE_4K);
    kernel.machine.ram.store(physical, nrBytes, value >> BigInt(8 * nrDone));
    nrDone += nrBytes;
  }
  return nrDone > 0 ? nrDone : "EIO";
}
