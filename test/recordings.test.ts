/** Recordings of live kernels, replayed under their own profile: not one line may differ. */
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createKernel } from "../src/index.ts";
import { EmulatedDriver } from "../src/emulated/driver.ts";
import { parseTranscript } from "../src/transcript/parse.ts";
import { runScript } from "../src/transcript/run.ts";

async function differingLines(file: string, profile?: string) {
  const { script, errors } = parseTranscript(readFileSync(file, "utf8"), file);
  if (!script) throw errors[0];
  const kernel = createKernel({
    profile: profile ?? script.machine.kernel,
    machine: { ramBytes: script.machine.memoryBytes, linearBytes: 2 ** 26 },
  });
  const differing: string[] = [];
  let nrAsserted = 0;
  for await (const { line, result, differs } of runScript(script, new EmulatedDriver(kernel))) {
    if (line.expectation) nrAsserted++;
    if (differs) differing.push(`${line.place.line}: ${line.text} => ${result}`);
  }
  return { differing, nrAsserted, kernel: script.machine.kernel };
}

describe.each(["6.1", "6.12", "6.18"].map((kernel) => ({ kernel })))(
  "Linux $kernel",
  ({ kernel }) => {
    const files = readdirSync(`test/recorded/${kernel}`).map((file) => ({ file }));
    test.each(files)("$file", async ({ file }) => {
      const run = await differingLines(`test/recorded/${kernel}/${file}`);
      expect(run.differing).toEqual([]);
      expect(run.kernel).toBe(kernel);
      expect(run.nrAsserted).toBeGreaterThan(15);
    });
  },
);

test("a recording of another kernel differs where the kernels do", async () => {
  const { differing } = await differingLines("test/recorded/6.18/03-fork.txt", "6.1");
  expect(differing).toEqual([
    "40: P munmap a 2h => ok",
    "45: C munmap a 2h => ok",
    "100: host kill P 9 => ok",
    "102: C munmap a 3h => ok",
  ]);
});
