/**
 * The command as a process: pipes that close, and streams that are not there.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const FAKE_MAIN = fileURLToPath(new URL("fake-main.ts", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const RECORDING = fileURLToPath(new URL("../recorded/6.18/02-cow-steal.txt", import.meta.url));

/** What a shell prints; `hugewalk` has no kernel, unless `main` is another. */
function shell(script: string, main = FAKE_MAIN): string {
  const command = `hugewalk() { "$NODE" --import tsx "$MAIN" "$@"; }; ${script}`;
  const env = { ...process.env, NODE: process.execPath, MAIN: main, RECORDING };
  return execFileSync("bash", ["-c", `{ ${command}; } 2>&1`], { encoding: "utf8", env });
}

test("a pipe that closes early is no error", () => {
  const script = `for i in $(seq 3000); do echo 'A exec => ok'; done | hugewalk run - | head -1
    echo "\${PIPESTATUS[1]}"`;
  expect(shell(script)).toMatch(/^A exec +=> ok ;\n0\n$/);
});

test("standard input that is closed or a directory", () => {
  const message = "hugewalk: <stdin>:1:1: no operation in this file\n2\n";
  expect(shell("hugewalk run - <&-; echo $?")).toBe(message);
  expect(shell("hugewalk run - </; echo $?")).toBe(message);
});

test("standard output that is closed or full", () => {
  expect(shell("echo 'A exec => ENOMEM' | hugewalk run - >&-; echo $?")).toBe("1\n");
  expect(shell("echo 'A exec' | hugewalk run - >/dev/full; echo $?")).toMatch(
    /^hugewalk: cannot write the output: .*ENOSPC.*\n2\n$/,
  );
});

test("the command itself agrees with a recording, and with what it prints of it", () => {
  const script = 'hugewalk run "$RECORDING" | hugewalk run --quiet -; echo "${PIPESTATUS[@]}"';
  expect(shell(script, MAIN)).toBe("# 53 lines, 53 asserted, 0 differ\n0 0\n");
});
