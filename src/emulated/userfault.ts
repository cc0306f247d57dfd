/** userfaultfd, as the language writes it. */
import type { UserfaultRequest } from "../kernel/userfault-ioctl.ts";
import type { Outcome, ProcessOperation } from "../transcript/driver.ts";
import { type Actor, NOT_OPEN } from "./actor.ts";
import { nameDescriptor } from "./files.ts";

/** Undefined: the operation is none of these. */
export function tryPerformUserfault(
  actor: Actor,
  operation: ProcessOperation,
): Outcome | undefined {
  const { process, files } = actor;
  if (operation.op === "userfaultfd") {
    return nameDescriptor(actor, operation.fd, process.userfaultfd());
  }
  const request = requestOf(operation);
  if (!request || !("fd" in operation)) return undefined;
  const fd = files.get(operation.fd ?? "") ?? NOT_OPEN;
  return { result: process.userfaultfdIoctl(fd, request) };
}

function requestOf(operation: ProcessOperation): UserfaultRequest | undefined {
  switch (operation.op) {
    case "uffd_register":
      return { ...operation, op: "register" };
    case "uffd_unregister":
      return { ...operation, op: "unregister" };
    case "uffd_copy":
      return { ...operation, op: "copy" };
    case "uffd_zeropage":
      return { ...operation, op: "zeropage" };
    case "uffd_continue":
      return { ...operation, op: "continue" };
    case "uffd_poison":
      return { ...operation, op: "poison" };
    case "uffd_move":
      return { ...operation, op: "move" };
    case "uffd_wp":
      return { ...operation, op: "writeprotect" };
    default:
      return undefined;
  }
}
