/** What this user may do with a file. */
import { access } from "node:fs/promises";

/** access(2), by the `constants` of node:fs; without `mode`: whether it is there. */
export async function isAccessible(path: string, mode?: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch {
    return false;
  }
}
