/**
 * Whether KVM is worth a try; a machine on which it failed is remembered until it is booted again.
 */
import { constants } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDirectory } from "./agent.ts";
import { isAccessible } from "./permission.ts";

const BOOT_ID = "/proc/sys/kernel/random/boot_id";

function recordPath(env?: NodeJS.ProcessEnv): string {
  return join(cacheDirectory(env), "kvm-fails");
}

/** Whether this user may not use it, or has seen it fail. */
export async function isKvmKnownToFail(env?: NodeJS.ProcessEnv): Promise<boolean> {
  if (!(await isAccessible("/dev/kvm", constants.R_OK | constants.W_OK))) return true;
  try {
    return (await readFile(recordPath(env), "utf8")) === (await readFile(BOOT_ID, "utf8"));
  } catch {
    return false;
  }
}

/** Precondition: the agent's program is in the same directory. */
export async function rememberThatKvmFails(env?: NodeJS.ProcessEnv): Promise<void> {
  await writeFile(recordPath(env), await readFile(BOOT_ID, "utf8"));
}
