/** System V segments, as the language writes them. */
import { PAGE_2M } from "../address.ts";
import { OptionError } from "../errors.ts";
import type { UserProcess } from "../kernel/user-process.ts";
import type { Outcome, ProcessOperation } from "../transcript/driver.ts";

/** No segment has this identifier. */
const NO_SEGMENT = -1;

/** Undefined: the operation is none of these. `segments` has the identifiers by name. */
export function tryPerformShm(
  process: UserProcess,
  operation: ProcessOperation,
  segments: Map<string, number>,
): Outcome | undefined {
  const id = "id" in operation ? (segments.get(operation.id) ?? NO_SEGMENT) : NO_SEGMENT;
  switch (operation.op) {
    case "shmget": {
      const { length, hugeSize = PAGE_2M, isNoreserve } = operation;
      if (!operation.isHuge)
        throw new OptionError("shmget", "a segment of 4K pages is not modelled");
      const made = process.shmget({ length, hugePageBytes: hugeSize, isNoreserve });
      if (typeof made === "string") return { result: made };
      segments.set(operation.id, made);
      return { result: "ok" };
    }
    case "shmat": {
      const { isReadOnly, isRounded, at } = operation;
      const address = process.shmat({ id, isReadOnly, isRounded, at });
      return typeof address === "string" ? { result: address } : { result: "ok", bound: address };
    }
    case "shmdt":
      return { result: process.shmdt(operation.address) };
    case "shmrm":
      return { result: process.shmrm(id) };
    case "shmstat": {
      const found = process.shmstat(id);
      if (typeof found === "string") return { result: found };
      return { result: `segsz=${found.length} nattch=${found.nrAttached}` };
    }
    default:
      return undefined;
  }
}
