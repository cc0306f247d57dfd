/** Programs, found as shells find them. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** The path of a program: itself if it has a slash, else the first in PATH; if it can be run. */
export async function findExecutable(
  name: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const directories = (env["PATH"] ?? "").split(delimiter);
  const paths = name.includes("/") ? [name] : directories.map((path) => join(path, name));
  for (const path of paths) if (await isExecutable(path)) return path;
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
