/**
 * The seed's examples on every profile: `NAME.PROFILE.txt` where a kernel behaves in a way of its
 * own, else `NAME.txt`. Together they are the table of what differs between the kernels.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createKernel, profileNames } from "../src/index.ts";
import { EmulatedDriver } from "../src/emulated/driver.ts";
import { parseTranscript } from "../src/transcript/parse.ts";
import { runScript } from "../src/transcript/run.ts";

const FOLDER = "examples/seed";
const names = readdirSync(FOLDER)
  .filter((file) => /^[\da-z-]+\.txt$/.test(file))
  .map((file) => file.replace(/\.txt$/, ""));

/** What is not said of a kernel: its smaps has no such line; the story begins with the series. */
const NOT_ON: Readonly<Record<string, readonly string[]>> = {
  story: ["2.6.26"],
  "11-smaps-of-a-1g-page": ["2.6.26", "2.6.27-seed", "2.6.27"],
};

function fileFor(name: string, profile: string): string {
  const own = `${FOLDER}/${name}.${profile}.txt`;
  return existsSync(own) ? own : `${FOLDER}/${name}.txt`;
}

/** Runs a file on a profile: the lines that differ, and the kernel's log. */
async function run(file: string, profile: string) {
  const { script, errors } = parseTranscript(readFileSync(file, "utf8"), file);
  if (!script) throw errors[0];
  const kernel = createKernel({
    profile,
    machine: { ramBytes: script.machine.memoryBytes ?? 2 ** 32, linearBytes: 2 ** 26 },
  });
  const differing: string[] = [];
  let nrLines = 0;
  for await (const record of runScript(script, new EmulatedDriver(kernel))) {
    nrLines++;
    expect(record.line.expectation, `${file}: every line is asserted`).toBeDefined();
    if (record.differs) differing.push(`${record.line.text} => ${record.result}`);
  }
  return { differing, log: [...kernel.log], nrLines };
}

describe.each(profileNames.map((profile) => ({ profile })))("profile $profile", ({ profile }) => {
  test.each(names.filter((name) => !NOT_ON[name]?.includes(profile)).map((name) => ({ name })))(
    "$name",
    async ({ name }) => {
      const { differing, nrLines } = await run(fileFor(name, profile), profile);
      expect(differing).toEqual([]);
      expect(nrLines).toBeGreaterThan(4);
    },
  );
});

describe("the kernel's log", () => {
  const robbed = "PID 101 killed due to inadequate hugepage pool";
  const killed = (name: string) => `VM: killing process ${name}`;

  test.each([
    { profile: "2.6.26", name: "06-before-the-series", log: [killed("P")] },
    { profile: "2.6.27-seed", name: "05-child-copies-first", log: [killed("C")] },
    { profile: "2.6.27", name: "05-child-copies-first", log: [killed("C")] },
    { profile: "6.1", name: "05-child-copies-first", log: [] },
    { profile: "2.6.27-seed", name: "06-before-the-series", log: [robbed] },
    { profile: "2.6.27", name: "06-before-the-series", log: [robbed] },
    { profile: "6.1", name: "06-before-the-series", log: [robbed] },
    { profile: "6.12", name: "06-before-the-series", log: [robbed] },
    { profile: "6.18", name: "04-robbed-child", log: [robbed, robbed, robbed] },
    { profile: "fixed", name: "06-before-the-series", log: [robbed] },
  ])("$profile, $name", async ({ profile, name, log }) => {
    expect((await run(fileFor(name, profile), profile)).log).toEqual(log);
  });
});
