/** What the files of this room share. */
import type { Stop } from "../kernel/access.ts";
import type { Outcome, ProcessOperation } from "../transcript/driver.ts";

export type Operation<Op extends ProcessOperation["op"]> = Extract<ProcessOperation, { op: Op }>;

export function formatStop(stop: Stop | undefined): string {
  if (!stop) return "ok";
  if (stop.kind === "signal") return `${stop.signal} ${stop.code}`;
  return stop.kind === "killed" ? `killed ${stop.signal}` : "stuck";
}

/** How an access at `address` ended. */
export function describeAccess(stop: Stop | undefined, address: number): Outcome {
  const result = formatStop(stop);
  return stop?.kind === "signal" ? { result, faultOffset: stop.address - address } : { result };
}
