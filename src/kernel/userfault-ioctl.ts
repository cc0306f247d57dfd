/** What a userfaultfd is asked to do (fs/userfaultfd.c: userfaultfd_ioctl()). */
import { hasCapability } from "./credentials.ts";
import type { Errno } from "./errno.ts";
import type { Process } from "./process.ts";
import type { KernelState } from "./state.ts";
import { fill } from "./userfault-fill.ts";
import { movePages } from "./userfault-move.ts";
import { writeProtect } from "./userfault-protect.ts";
import {
  type Range,
  type Tracking,
  Userfaultfd,
  isSanePageRange,
  isSaneRange,
  register,
  unregister,
} from "./userfaultfd.ts";

/** UFFDIO_ by name; each is of a range. */
export type UserfaultRequest = Range &
  (
    | { readonly op: "register"; readonly tracked: ReadonlySet<Tracking> }
    | { readonly op: "unregister" }
    | { readonly op: "zeropage" | "poison" }
    | { readonly op: "copy"; readonly source: number; readonly isWriteProtected: boolean }
    | { readonly op: "continue"; readonly isWriteProtected: boolean }
    | { readonly op: "move"; readonly source: number }
    | { readonly op: "writeprotect"; readonly isOn: boolean }
  );

/** A new one for the process's address space; the call is as old as Linux 4.3. */
export function openUserfaultfd(kernel: KernelState, process: Process): number | Errno {
  if (!kernel.profile.hasUserfaultfd) return "ENOSYS";
  // userfaultfd_syscall_allowed(), while vm.unprivileged_userfaultfd is 0
  if (!hasCapability(process, "CAP_SYS_PTRACE")) return "EPERM";
  return process.descriptors.install(new Userfaultfd(kernel, process.space));
}

/** EBADF: no descriptor; ENOTTY: not of a userfaultfd; ESRCH: its process is gone. */
export function userfaultfdIoctl(
  kernel: KernelState,
  process: Process,
  fd: number,
  request: UserfaultRequest,
): "ok" | Errno {
  const userfaultfd = process.descriptors.at(fd);
  if (!userfaultfd) return "EBADF";
  if (!(userfaultfd instanceof Userfaultfd)) return "ENOTTY";
  if (request.op === "register") return register(kernel, userfaultfd, request, request.tracked);
  if (request.op === "unregister") return unregister(kernel, userfaultfd, request);
  if (!isKnown(kernel, request)) return "EINVAL";
  if (request.op === "move" && userfaultfd.space !== process.space) return "EINVAL";
  if (!isSanePageRange(request) || !isSourceSane(kernel, request)) return "EINVAL";
  if (!userfaultfd.isAlive) return "ESRCH";
  return changeEntries(kernel, process, userfaultfd, request);
}

function isKnown({ profile }: KernelState, request: UserfaultRequest): boolean {
  if (request.op === "poison") return profile.hasUserfaultPoison;
  if (request.op === "move") return profile.hasUserfaultMove;
  return request.op !== "continue" || !request.isWriteProtected || profile.continuesProtected;
}

function isSourceSane({ profile }: KernelState, request: UserfaultRequest): boolean {
  if (!("source" in request)) return true;
  const range = { address: request.source, length: request.length };
  return request.op === "move"
    ? isSanePageRange(range)
    : !profile.copyChecksSource || isSaneRange(range);
}

function changeEntries(
  kernel: KernelState,
  process: Process,
  userfaultfd: Userfaultfd,
  request: Exclude<UserfaultRequest, { op: "register" | "unregister" }>,
): "ok" | Errno {
  const { space } = userfaultfd;
  const { address: start, length } = request;
  const end = start + length;
  switch (request.op) {
    case "writeprotect":
      return writeProtect(kernel, space, start, end, request.isOn);
    case "move":
      return movePages(kernel, userfaultfd, start, request.source, length);
    case "copy": {
      const { source, isWriteProtected } = request;
      const filling = { kind: "copy", source, reader: process.space } as const;
      return fill(kernel, space, { start, end, filling, isWriteProtected });
    }
    default: {
      const isWriteProtected = request.op === "continue" && request.isWriteProtected;
      return fill(kernel, space, { start, end, filling: { kind: request.op }, isWriteProtected });
    }
  }
}
