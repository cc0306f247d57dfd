/** The agent's program: compiled on first use, and kept. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ResourceError } from "../errors.ts";
import { isAccessible } from "./permission.ts";

const SOURCE = fileURLToPath(new URL("agent/", import.meta.url));
const COMPILER = "cc";
/** Static: it is all that a virtual machine has. Far below where mmap puts a script's mappings. */
const FLAGS = ["-O2", "-static", "-no-pie", "-fno-pie", "-Wl,-Ttext-segment=0x30000000"];

/** Where hugewalk keeps what it can make again. */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "hugewalk");
}

/** The program's path. Throws `ResourceError` where it cannot be compiled. */
export async function buildAgent(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const files = (await readdir(SOURCE)).filter((file) => /\.[ch]$/.test(file)).toSorted();
  const hash = createHash("sha256").update(FLAGS.join(" "));
  for (const file of files) hash.update(await readFile(join(SOURCE, file)));
  const directory = cacheDirectory(env);
  const program = join(directory, `agent-${hash.digest("hex").slice(0, 16)}`);
  if (await isAccessible(program)) return program;
  await makeDirectory(directory);
  const sources = files.filter((file) => file.endsWith(".c")).map((file) => join(SOURCE, file));
  const unfinished = `${program}.${process.pid}`;
  try {
    await promisify(execFile)(COMPILER, [...FLAGS, ...sources, "-o", unfinished], { env });
    await rename(unfinished, program);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw new ResourceError(reasonOf(error));
  }
  return program;
}

async function makeDirectory(path: string): Promise<void> {
  for (const directory of [dirname(path), path]) {
    try {
      await mkdir(directory);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if ("code" in error && error.code === "EEXIST") continue;
      throw new ResourceError(`no place for the agent (set XDG_CACHE_HOME): ${error.message}`);
    }
  }
}

function reasonOf(error: unknown): string {
  const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
  if (code === "ENOENT") {
    return (
      "no C compiler: the agent that runs on the real kernel is compiled on first use; " +
      "install gcc and libc6-dev (on Fedora gcc and glibc-static)"
    );
  }
  const line = stderr.split("\n").find((text) => text.includes("error")) ?? stderr.split("\n")[0];
  return `${COMPILER} cannot compile the agent (are static libraries there? libc6-dev, glibc-static): ${line}`;
}
