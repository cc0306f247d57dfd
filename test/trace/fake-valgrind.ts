/**
 * A `valgrind` that only starts the program: a script of the shell, which writes the lines of
 * lackey to descriptor 3 itself.
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SCRIPT = `#!/bin/sh
for option; do
  shift
  case $option in
    --log-fd=3) fd=3 ;;
    --) break ;;
  esac
done
[ -n "$fd" ] || exit 125
exec "$@"
`;

/** What a program ends its trace with. */
export const EXIT = 'echo "==7== Exit code: 0" >&3';

export class FakeValgrind {
  readonly directory = mkdtempSync(join(tmpdir(), "hugewalk-test-"));
  /** Where it is found before the real one. */
  readonly env: NodeJS.ProcessEnv;

  constructor() {
    const bin = join(this.directory, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "valgrind"), SCRIPT);
    chmodSync(join(bin, "valgrind"), 0o755);
    this.env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
  }

  /** A file of a test. */
  path(name: string): string {
    return join(this.directory, name);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** Whether the process whose number is in a file runs. */
export function isAlive(pidFile: string): boolean {
  const pid = readFileSync(pidFile, "utf8").trim();
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
