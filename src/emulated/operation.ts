/** What the files of this room share. */
import type { Stop } from "../kernel/access.ts";
import type { ProcessOperation } from "../transcript/driver.ts";

export type Operation<Op extends ProcessOperation["op"]> = Extract<ProcessOperation, { op: Op }>;

export function formatStop(stop: Stop | undefined): string {
  if (!stop) return "ok";
  if (stop.kind === "signal") return `${stop.signal} ${stop.code}`;
  return stop.kind === "killed" ? `killed ${stop.signal}` : "stuck";
}
