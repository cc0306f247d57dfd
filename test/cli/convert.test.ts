/** `hugewalk convert`, and as a process: pipes, files that must not be half there. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test } from "vitest";
import { runCommand } from "./command.ts";

const LACKEY = fileURLToPath(new URL("../traces/small.lackey", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const NR_REFERENCES = 240;

const directory = mkdtempSync(join(tmpdir(), "hugewalk-"));
const at = (name: string) => join(directory, name);
beforeEach(() => {
  for (const name of readdirSync(directory)) rmSync(at(name));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What a shell prints. */
function shell(script: string): string {
  const command = `hugewalk() { "$NODE" --import tsx "$MAIN" "$@"; }; ${script}`;
  const env = { ...process.env, NODE: process.execPath, MAIN, LACKEY };
  return execFileSync("bash", ["-c", `{ ${command}; } 2>&1`], {
    encoding: "utf8",
    env,
  });
}

test("to binary, to CSV and back", async () => {
  const { code, out, err } = await runCommand(["convert", LACKEY, at("a.hwtrace")]);
  expect([code, out, err]).toEqual([0, `# ${NR_REFERENCES} references, from lackey\n`, ""]);
  await runCommand(["convert", at("a.hwtrace"), at("a.csv")]);
  await runCommand(["convert", at("a.csv"), at("b.hwtrace")]);
  expect(readFileSync(at("b.hwtrace"))).toEqual(readFileSync(at("a.hwtrace")));
  expect(readFileSync(at("a.csv"), "utf8").split("\n").length).toBe(NR_REFERENCES + 2);
  expect(readdirSync(directory)).toEqual(["a.csv", "a.hwtrace", "b.hwtrace"]);
});

test("standard input to standard output", async () => {
  const { code, out } = await runCommand(["convert", "--to", "csv", "-", "-"], " M 1000,8\n");
  expect([code, out]).toEqual([0, "tid,kind,addr,size\n0,R,0x1000,8\n0,W,0x1000,8\n"]);
});

test("a broken trace leaves what was there before", async () => {
  writeFileSync(at("out"), "before");
  writeFileSync(at("in"), " L 1000,8\n L ?\n L 2000,8\n");
  const strict = await runCommand(["convert", at("in"), at("out")]);
  expect([strict.code, strict.out]).toEqual([2, ""]);
  expect(strict.err).toBe(
    `hugewalk: ${at("in")}: line 2: no reference as lackey writes them: " L ?"\n`,
  );
  expect(readdirSync(directory)).toEqual(["in", "out"]);
  expect(readFileSync(at("out"), "utf8")).toBe("before");
  const lenient = await runCommand(["convert", "--lenient", "--to", "csv", at("in"), at("out")]);
  expect([lenient.code, lenient.out]).toEqual([0, "# 2 references, from lackey\n"]);
  expect(lenient.err).toContain("hugewalk: skipped 1 broken record; the first: ");
  expect(readFileSync(at("out"), "utf8")).toContain("0,R,0x2000,8\n");
});

test("what cannot be used is told in one line", async () => {
  const told = async (...args: string[]) => {
    const { code, err } = await runCommand(["convert", ...args], "");
    return [code, err.replaceAll(directory, "")];
  };
  expect(await told(at("none"), "-")).toEqual([2, "hugewalk: /none: no such file\n"]);
  expect(await told(directory, "-")).toEqual([2, "hugewalk: : is a directory, not a file\n"]);
  expect(await told("-", "-")).toEqual([2, "hugewalk: <stdin>: an empty trace\n"]);
  expect(await told(LACKEY, at("no/out"))).toEqual([2, "hugewalk: /no/out: no such file\n"]);
  expect((await told("--format", "elf", LACKEY, "-"))[1]).toMatch(
    /^hugewalk: --format: unknown format "elf"; one of binary /,
  );
  expect((await told("--to", "elf", LACKEY, "-"))[1]).toMatch(
    /^hugewalk: --to: unknown format "elf"; one of binary csv\n$/,
  );
});

test("pipes: both ways, closed early, and full", () => {
  expect(
    shell('cat "$LACKEY" | gzip | hugewalk convert - - | hugewalk convert --to csv - - | wc -l'),
  ).toBe(`${NR_REFERENCES + 1}\n`);
  const long =
    'for i in $(seq 300); do cat "$LACKEY"; done | hugewalk convert --to csv - - | head -2 | tail -1; echo "${PIPESTATUS[1]}"';
  expect(shell(long)).toBe("0,F,0x4014f0,2\n0\n");
  expect(shell('hugewalk convert "$LACKEY" - >/dev/full; echo $?')).toMatch(
    /^hugewalk: cannot write the output: .*ENOSPC.*\n2\n$/,
  );
  expect(shell('hugewalk convert "$LACKEY" /dev/full; echo $?')).toMatch(
    /^hugewalk: \/dev\/full: .*ENOSPC.*\n2\n$/,
  );
});

test.each([
  { signal: "SIGINT", exitCode: 130 },
  { signal: "SIGTERM", exitCode: 143 },
] as const)("$signal leaves what was there before", async ({ signal, exitCode }) => {
  writeFileSync(at("out"), "before");
  const command = ["--import", "tsx", MAIN, "convert", "--format", "lackey", "-", at("out")];
  const child = spawn(process.execPath, command, { stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.on("error", () => {});
  child.stdin.write(" L 1000,8\n".repeat(2 ** 12));
  while (readdirSync(directory).length < 2) await setTimeout(10);
  child.kill(signal);
  expect(await once(child, "exit")).toEqual([exitCode, null]);
  expect(readdirSync(directory)).toEqual(["out"]);
  expect(readFileSync(at("out"), "utf8")).toBe("before");
});
