/** What a script leaves behind in a kernel when all that it began is ended. */
import { PAGE_1G, PAGE_2M } from "../address.ts";
import type { Driver } from "../transcript/driver.ts";
import type { Script } from "../transcript/script.ts";

/**
 * Ends the script's processes, segments, mounts and pools, and says whether every counter is 0
 * then: else the kernel has lost pages or reservations for good. `driver` has run the script.
 */
export async function leavesNothing({ operations }: Script, driver: Driver): Promise<boolean> {
  const words = (op: string, label: string): string[] =>
    operations.flatMap(({ spec, args }) => {
      const argument = args.get(label);
      return spec.name === op && argument?.kind === "word" ? [argument.word] : [];
    });
  const actors = operations.filter(({ spec }) => spec.role === "process");
  for (const id of words("shmget", "ID")) await driver.process("reaper", { op: "shmrm", id });
  const targets = new Set([...actors.map(({ actor }) => actor), ...words("fork", "CHILD")]);
  for (const target of targets) await driver.host({ op: "kill", target, signal: 9 });
  for (const path of words("mount", "PATH")) await driver.host({ op: "umount", path });
  await driver.host({ op: "nr_overcommit_hugepages", text: "0" });
  for (const hugeSize of [PAGE_2M, PAGE_1G]) {
    await driver.host({ op: "nr_hugepages", hugeSize, text: "0" });
  }
  return [...driver.counters().values()].every((value) => value === 0n);
}
