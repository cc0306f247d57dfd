/** `hugewalk capture` as a process: its streams, and its end by signals. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { EXIT, FakeValgrind, isAlive } from "../trace/fake-valgrind.ts";

const MAIN = fileURLToPath(new URL("capture-main.ts", import.meta.url));
const fake = new FakeValgrind();
afterAll(() => fake.remove());

/** Captures a script of the shell. */
function start(script: string, limit = "Infinity") {
  const args = ["--import", "tsx", MAIN, limit, "sh", "-c", script];
  const child = spawn(process.execPath, args, { env: fake.env });
  const ended = Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)]).then(
    ([[code, signal], out, err]) => ({ code, signal, out, err }),
  );
  return { child, ended };
}

async function appears(path: string): Promise<void> {
  while (!existsSync(path)) await setTimeout(10);
}

test("the program has the streams; the report is printed when it has ended", async () => {
  const { child, ended } = start(
    `cat; echo oops >&2; echo ' L 1000,8' >&3; sleep 0.1; ${EXIT}; echo done`,
  );
  child.stdin.end("some input\n");
  expect(await ended).toEqual({
    code: 0,
    signal: null,
    out: "some input\ndone\nsh: 1 references\n",
    err: "oops\n",
  });
});

test("how the program ended is told", async () => {
  const failed = await start(`echo ' L 1000,8' >&3; ${EXIT}; exit 7`).ended;
  expect([failed.code, failed.out, failed.err]).toEqual([
    0,
    "sh: 1 references\n",
    "hugewalk: sh: exit code 7\n",
  ]);
  const killed = await start("echo ' L 1000,8' >&3; kill -KILL $$").ended;
  expect([killed.code, killed.err]).toEqual([0, "hugewalk: sh: ended by SIGKILL\n"]);
  const replaced = await start("echo ' L 1000,8' >&3; exec false").ended;
  expect(replaced.err).toBe(
    "hugewalk: sh: it ran another program in its place, which was not traced\n" +
      "hugewalk: sh: exit code 1\n",
  );
  const refused = await start("exit 126").ended;
  expect([refused.code, refused.out, refused.err]).toEqual([
    2,
    "",
    "hugewalk: sh: valgrind has traced nothing: exit code 126\n",
  ]);
});

test("a sample ends the program", async () => {
  const sampled = await start("yes ' L 1000,8' >&3", "1000").ended;
  expect([sampled.code, sampled.err]).toEqual([0, ""]);
  expect(sampled.out).toMatch(/^sh: \d+ references\n$/);
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
  await appears(pid);
  await setTimeout(100);
  child.kill(signal);
  expect(await ended).toEqual({ code, signal: null, out: "sh: 500 references\n", err: "" });
  expect(isAlive(pid)).toBe(false);
});

test("a program whose reader was killed ends at its next line", async () => {
  const pid = fake.path("orphan");
  const { child, ended } = start(`echo $$ >${pid}; while :; do echo ' L 1000,8' >&3 || exit; done`);
  await appears(pid);
  await setTimeout(100);
  expect(isAlive(pid)).toBe(true);
  child.kill("SIGKILL");
  await ended;
  for (let i = 0; i < 100 && isAlive(pid); i++) await setTimeout(20);
  expect(isAlive(pid)).toBe(false);
});
