/** `hugewalk fuzz`: what it prints, writes and returns. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCommand } from "./command.ts";

/** Operations that are carried out for good, so that a seed's script stays what it is. */
const WEIGHTS = "all=0,mmap=8,write=20,fork=12,munmap=6,exit=3";
const DIFFERING = ["--against", "6.18", "--weights", WEIGHTS, "--seeds", "1..3"];

test("a finding is a transcript with both results, and the command that finds it again", async () => {
  const { code, out, err } = await runCommand(["fuzz", ...DIFFERING]);
  expect([code, err]).toEqual([1, ""]);
  expect(out).toMatch(/^#   fixed  => .*\n#   6\.18   => .*/m);
  expect(out).toMatch(/\n# 3 scripts, \d+ with a fault, \d+ kinds\n$/);
  const [, kind, command] = /^# (.*)\n# hugewalk (fuzz .*)$/m.exec(out) ?? [];
  const again = await runCommand(command.split(" "));
  expect(again.out).toMatch(`# ${kind}\n# hugewalk ${command}\n`);
});

test("--out writes them, and they run", async () => {
  const directory = mkdtempSync(join(tmpdir(), "hugewalk-"));
  try {
    const { out } = await runCommand(["fuzz", ...DIFFERING, "--out", directory]);
    const files = readdirSync(directory);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      expect(out).toContain(`${join(directory, file)}: ${file.replace(/-.*/, "")}: `);
      expect(readFileSync(join(directory, file), "utf8")).toMatch(
        /^# .*\n# hugewalk fuzz --seeds /,
      );
    }
    const paths = files.map((file) => join(directory, file));
    expect((await runCommand(["run", "--kernel", "fixed,6.18", "--quiet", ...paths])).code).toBe(1);
    expect((await runCommand(["run", "--kernel", "fixed", ...paths])).code).toBe(0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("no fault: exit code 0", async () => {
  const { code, out } = await runCommand(["fuzz", "--seeds", "5"]);
  expect([code, out]).toEqual([0, "# 1 scripts, 0 with a fault, 0 kinds\n"]);
});

test("--json", async () => {
  const { out } = await runCommand(["fuzz", ...DIFFERING, "--json"]);
  const objects = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const summary = objects.pop();
  expect(summary).toMatchObject({ type: "summary", scripts: 3 });
  expect(objects.map(({ kind }) => kind).toSorted()).toEqual(
    Object.keys(summary.faults).toSorted(),
  );
  expect(objects[0]).toMatchObject({ type: "finding", seed: expect.any(Number) });
});

test("a signal ends it after the script that is running, with the summary", async () => {
  const running = runCommand(["fuzz", "--seeds", "1..100000"]);
  setTimeout(() => process.emit("SIGINT", "SIGINT"), 300);
  const { code, out } = await running;
  expect(code).toBe(130);
  expect(
    Number(/^# (\d+) scripts of 100000, interrupted, 0 with a fault/.exec(out)?.[1]),
  ).toBeLessThan(1000);
});

test.each([
  ["--seeds x", '--seeds: "x" is not N or N..M'],
  ["--seeds 9..1", '--seeds: "9..1" is not N or N..M'],
  ["--ops 0", '--ops: "0" is not a number of 1 to 10000'],
  ["--weights fork", '--weights: "fork" is not OPERATION=NUMBER'],
  ["--kernel 7", '--kernel: no profile "7"; there are '],
  ["--against 7", '--against: no profile "7"; there are '],
])("fuzz %s", async (args, message) => {
  const { code, out, err } = await runCommand(["fuzz", ...args.split(" ")]);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain(`hugewalk: ${message}`);
});
