/** The end of a child process. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";

/** Waits for it. A child that outlives `timeoutMs`, as what cannot be killed does, is let go of. */
export async function endOf(child: ChildProcess, timeoutMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timeout = new AbortController();
  const expired = setTimeout(timeoutMs, undefined, { signal: timeout.signal }).catch(() => {});
  await Promise.race([once(child, "exit"), expired]);
  timeout.abort();
  child.stdout?.destroy();
  child.unref();
}
