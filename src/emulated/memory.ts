/** System calls on mappings, as the language writes them. */
import { PAGE_2M, PAGE_4K } from "../address.ts";
import type { UserProcess } from "../kernel/user-process.ts";
import type { Advice } from "../kernel/advice.ts";
import type { Outcome, ProcessOperation } from "../transcript/driver.ts";
import { type Actor, NOT_OPEN } from "./actor.ts";
import type { Operation } from "./operation.ts";

/** Undefined: the operation is none of these. */
export function tryPerformMemory(
  { process, files }: Actor,
  operation: ProcessOperation,
): Outcome | undefined {
  switch (operation.op) {
    case "mmap":
      return mmap(process, operation, files.get(operation.fd ?? ""));
    case "munmap":
      return { result: process.munmap(operation.address, operation.length) };
    case "mprotect": {
      const { address, length, protection } = operation;
      return { result: process.mprotect(address, length, protection) };
    }
    case "mremap":
      return mremap(process, operation);
    case "madvise": {
      const { address, length, advice } = operation;
      return { result: process.madvise(address, length, advice as Advice) };
    }
    case "mbind": {
      const { address, length, mode, nodes } = operation;
      return { result: process.mbind(address, length, mode, nodes) };
    }
    case "set_mempolicy":
      return { result: process.setMempolicy(operation.mode, operation.nodes) };
    case "mlock":
      return { result: process.mlock(operation.address, operation.length) };
    case "mlock2":
      return { result: process.mlockOnFault(operation.address, operation.length) };
    case "mlockall":
      return { result: process.mlockall(operation.flags) };
    case "munlockall":
      return { result: process.munlockall() };
    case "msync": {
      const { address, length, how } = operation;
      return { result: process.msync(address, length, how) };
    }
    case "munlock":
      return { result: process.munlock(operation.address, operation.length) };
    case "mincore": {
      const resident = process.mincore(operation.address, operation.length);
      const nrPages = Math.ceil(operation.length / PAGE_4K);
      return { result: typeof resident === "number" ? `${resident}/${nrPages}` : resident };
    }
    default:
      return undefined;
  }
}

function mmap(process: UserProcess, operation: Operation<"mmap">, fd: number | undefined): Outcome {
  const { flags, length, protection, at, offset } = operation;
  const isHuge = flags.has("huge");
  // Both bits are MAP_SHARED_VALIDATE.
  const isShared = flags.has("shared") || flags.has("shared_validate");
  const address = process.mmap({
    fd: flags.has("anon") ? undefined : (fd ?? NOT_OPEN),
    length,
    protection,
    isShared,
    isUntyped: !isShared && !flags.has("private"),
    isValidated: flags.has("shared_validate") || (flags.has("shared") && flags.has("private")),
    hugePageBytes: isHuge ? (operation.hugeSize ?? PAGE_2M) : undefined,
    isNoreserve: flags.has("noreserve"),
    isPopulated: flags.has("populate") && !flags.has("nonblock"),
    isLocked: flags.has("locked"),
    isStack: flags.has("stack"),
    growsDown: flags.has("growsdown"),
    offset,
    at,
    placement: flags.has("fixed")
      ? "fixed"
      : flags.has("fixed_noreplace")
        ? "fixed_noreplace"
        : "hint",
    is32Bit: flags.has("32bit"),
  });
  if (typeof address === "string") return { result: address };
  const where = at === undefined ? "ok" : address === at ? "ok at" : "ok moved";
  return { result: where, bound: address };
}

function mremap(process: UserProcess, operation: Operation<"mremap">): Outcome {
  const { address, oldLength, newLength, flags, at } = operation;
  const result = process.mremap({
    address,
    oldLength,
    newLength,
    mayMove: flags.has("maymove") || flags.has("fixed"),
    fixedAt: flags.has("fixed") ? (at ?? 0) : undefined,
    keepsOld: flags.has("dontunmap"),
  });
  if (typeof result === "string") return { result };
  return { result: result === address ? "ok inplace" : "ok moved", bound: result };
}
