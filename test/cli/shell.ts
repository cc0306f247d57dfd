/** The command in a shell: pipes, signals, exit codes. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
/** A small trace: 240 references, 138 of them fetches. */
export const LACKEY = fileURLToPath(new URL("../traces/small.lackey", import.meta.url));

/** What a shell prints of a script, in which `hugewalk` is the command and $LACKEY the trace. */
export function shell(script: string): string {
  const command = `hugewalk() { "$NODE" --import tsx "$MAIN" "$@"; }; ${script}`;
  const env = { ...process.env, NODE: process.execPath, MAIN, LACKEY };
  return execFileSync("bash", ["-c", `{ ${command}; } 2>&1`], { encoding: "utf8", env });
}

/** The command as a process, its output caught. */
export class Running {
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  #text = "";

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, ["--import", "tsx", MAIN, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.child.stdin?.on("error", () => {});
    this.child.stdout?.on("data", (bytes) => (this.#text += bytes));
    this.#ended = once(this.child, "close");
  }

  async end(): Promise<{ exitCode: unknown; text: string }> {
    const [exitCode] = await this.#ended;
    return { exitCode, text: this.#text };
  }
}
