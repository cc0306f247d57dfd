/** Accesses to memory, as the language writes them. */
import { PAGE_2M } from "../address.ts";
import type { UserProcess } from "../kernel/user-process.ts";
import type { Outcome, ProcessOperation } from "../transcript/driver.ts";
import { type Operation, describeAccess, formatStop } from "./operation.ts";

/** Undefined: the operation is none of these. */
export function tryPerformAccess(
  process: UserProcess,
  operation: ProcessOperation,
): Outcome | undefined {
  switch (operation.op) {
    case "read": {
      const value = process.read(operation.address);
      if (typeof value === "bigint") return { result: `${value}` };
      return describeAccess(value, operation.address);
    }
    case "write": {
      const stop = process.write(operation.address, operation.value);
      return describeAccess(stop, operation.address);
    }
    case "increment":
      return describeAccess(process.increment(operation.address), operation.address);
    case "touch":
      return touch(process, operation);
    case "copy_from_user":
      return { result: `${process.copyFromUser(operation.address)}` };
    case "copy_to_user":
      return { result: `${process.copyToUser(operation.address, operation.length)}` };
    case "procmem_write":
      return { result: `${process.writeProcmem(operation.address, operation.value)}` };
    default:
      return undefined;
  }
}

function touch(process: UserProcess, operation: Operation<"touch">): Outcome {
  for (let page = 0; page < operation.nrPages; page++) {
    const address = operation.address + page * PAGE_2M;
    const result =
      operation.access === "read"
        ? process.read(address)
        : process.write(address, (operation.value ?? 100n) + BigInt(page));
    if (typeof result !== "object") continue;
    if (result.kind !== "signal") return { result: formatStop(result) };
    const faultOffset = result.address - operation.address;
    return { result: `${result.signal} at page ${page}`, faultOffset };
  }
  return { result: `ok ${operation.nrPages}` };
}
