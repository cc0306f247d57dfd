/** `hugewalk capture` as a process: its streams, and its end by signals. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { EXIT, FakeValgrind, isAlive } from "../trace/fake-valgrind.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const SMALL = ["--json", "--cpu", "skylake-sp", "--policy", "4K", "--threads", "1"];
const fake = new FakeValgrind();
afterAll(() => fake.remove());

/** Captures a script of the shell. What it and hugewalk printed, and the loads that were studied. */
function start(script: string, ...flags: readonly string[]) {
  const command = ["capture", ...SMALL, ...flags, "--", "sh", "-c", script];
  const child = spawn(process.execPath, ["--import", "tsx", MAIN, ...command], { env: fake.env });
  const streams = [text(child.stdout), text(child.stderr)];
  const ended = Promise.all([once(child, "close"), ...streams]).then(
    ([[code, signal], out, err]) => {
      const [, printed, json] = /^(.*?)(\{"type":"study".*\n)?$/s.exec(out) ?? [];
      return { code: code ?? signal, out: printed, ...(json ? studied(json) : {}), err };
    },
  );
  return { child, ended };
}

function studied(json: string): { loads: number; isCut: boolean } {
  const { references, isCut } = JSON.parse(json).trace;
  return { loads: references.load, isCut };
}

/** Waits for a file that a program makes, while hugewalk runs. */
async function appears(path: string, hugewalk: ChildProcess): Promise<void> {
  while (!existsSync(path) && hugewalk.exitCode === null) await setTimeout(10);
}

test("the program has the streams; the report is printed when it has ended", async () => {
  const { child, ended } = start(
    `cat; echo oops >&2; echo ' L 1000,8' >&3; sleep 0.1; ${EXIT}; echo done`,
  );
  child.stdin.end("some input\n");
  expect(await ended).toEqual({
    code: 0,
    out: "some input\ndone\n",
    loads: 1,
    isCut: false,
    err: "oops\n",
  });
});

test("a report into a file, which is opened before the program has run", async () => {
  const report = fake.path("report");
  const done = await start(`echo ' L 1000,8' >&3; ${EXIT}; echo done`, "--output", report).ended;
  expect(done).toEqual({ code: 0, out: "done\n", err: "" });
  expect(studied(readFileSync(report, "utf8"))).toEqual({ loads: 1, isCut: false });
  const none = fake.path("no/report");
  expect(await start("yes ' L 1000,8' >&3", "--output", none).ended).toEqual({
    code: 2,
    out: "",
    err: `hugewalk: ${none}: no such file\n`,
  });
});

test("how the program ended is told", async () => {
  const one = { code: 0, out: "", loads: 1, isCut: false };
  expect(await start(`echo ' L 1000,8' >&3; ${EXIT}; exit 7`).ended).toEqual({
    ...one,
    err: "hugewalk: sh: exit code 7\n",
  });
  expect(await start("echo ' L 1000,8' >&3; kill -KILL $$").ended).toEqual({
    ...one,
    err: "hugewalk: sh: ended by SIGKILL\n",
  });
  expect(await start("echo ' L 1000,8' >&3; exec false").ended).toEqual({
    ...one,
    err:
      "hugewalk: sh: it ran another program in its place, which was not traced\n" +
      "hugewalk: sh: exit code 1\n",
  });
  expect(await start("exit 126").ended).toEqual({
    code: 2,
    out: "",
    err: "hugewalk: sh: valgrind has traced nothing: exit code 126\n",
  });
});

test("a sample ends the program", async () => {
  const flags = ["--skip", "500", "--references", "1000"];
  expect(await start("yes ' L 1000,8' >&3", ...flags).ended).toEqual({
    code: 0,
    out: "",
    loads: 1000,
    isCut: true,
    err: "",
  });
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("%s ends the program, and the report is of what was seen", async (signal, code) => {
  const pid = fake.path(signal);
  const { child, ended } = start(
    `yes ' L 1000,8' | head -500 >&3; sleep 0.1; echo $$ >${pid}; sleep 1000`,
  );
  await appears(pid, child);
  await setTimeout(100);
  child.kill(signal);
  expect(await ended).toEqual({ code, out: "", loads: 500, isCut: true, err: "" });
  expect(isAlive(pid)).toBe(false);
});

test("a program whose reader was killed ends at its next line", async () => {
  const pid = fake.path("orphan");
  const { child, ended } = start(`echo $$ >${pid}; while :; do echo ' L 1000,8' >&3 || exit; done`);
  await appears(pid, child);
  await setTimeout(100);
  expect(isAlive(pid)).toBe(true);
  child.kill("SIGKILL");
  expect((await ended).code).toBe("SIGKILL");
  for (let i = 0; i < 100 && isAlive(pid); i++) await setTimeout(20);
  expect(isAlive(pid)).toBe(false);
});
