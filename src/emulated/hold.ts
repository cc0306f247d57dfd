/** Pages held without a mapping, by pipes and by I/O, as the language writes it. */
import type { Outcome, ProcessOperation } from "../transcript/driver.ts";
import { type Actor, NOT_OPEN } from "./actor.ts";
import { nameDescriptor } from "./files.ts";

/** Undefined: the operation is none of these. */
export function tryHold(actor: Actor, operation: ProcessOperation): Outcome | undefined {
  const { process, files } = actor;
  switch (operation.op) {
    case "vmsplice": {
      const spliced = process.vmsplice(pipeOf(actor, operation.fd), operation.address);
      return { result: typeof spliced === "number" ? "ok" : spliced };
    }
    case "piperead":
      return { result: `${process.readPipe(files.get(operation.fd) ?? NOT_OPEN)}` };
    case "pin": {
      const { pin, address, length } = operation;
      return nameDescriptor(actor, pinName(pin), process.pin(address, length));
    }
    case "unpin": {
      const name = pinName(operation.pin);
      const fd = files.get(name) ?? NOT_OPEN;
      files.delete(name);
      return { result: process.unpin(fd) };
    }
    default:
      return undefined;
  }
}

/** Pins have names of their own: no file's has a blank. */
const pinName = (pin: string): string => `pin ${pin}`;

/** The pipe of that name, which is made by the first line that splices into it. */
function pipeOf({ process, files }: Actor, name: string): number {
  const known = files.get(name);
  if (known !== undefined) return known;
  const fd = process.pipe();
  files.set(name, fd);
  return fd;
}
