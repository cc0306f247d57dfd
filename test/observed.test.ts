/**
 * What a live Linux 6.18.44 was seen to do, a file for each rule, replayed: not one line may
 * differ.
 */
import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { createKernel, createMachine } from "../src/index.ts";
import { EmulatedDriver } from "../src/emulated/driver.ts";
import { parseTranscript } from "../src/transcript/parse.ts";
import { runScript } from "../src/transcript/run.ts";

const FOLDER = "test/observed";
const machine = createMachine({ ramBytes: 2 ** 28, linearBytes: 2 ** 28 + 2 ** 26 });

test.each(readdirSync(FOLDER))("%s", async (file) => {
  const { script, errors } = parseTranscript(readFileSync(`${FOLDER}/${file}`, "utf8"), file);
  if (!script) throw errors[0];
  machine.reset();
  const kernel = createKernel({ profile: script.machine.kernel, machine });
  const differing: string[] = [];
  let nrLines = 0;
  for await (const { line, result, differs } of runScript(script, new EmulatedDriver(kernel))) {
    nrLines++;
    expect(line.expectation, `${file}: every line is asserted`).toBeDefined();
    if (differs) differing.push(`${line.place.line}: ${line.text} => ${result}`);
  }
  expect(differing).toEqual([]);
  expect(nrLines).toBeGreaterThan(10);
});
