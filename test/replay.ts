/** Replays a recording of a live kernel on the emulated one. */
import { readFileSync } from "node:fs";
import { EmulatedDriver } from "../src/emulated/driver.ts";
import { PAGE_2M, createKernel } from "../src/index.ts";
import { brokenInvariants } from "../src/kernel/invariants.ts";
import { parseTranscript } from "../src/transcript/parse.ts";
import { runScript } from "../src/transcript/run.ts";

export function readScript(file: string) {
  const { script, errors } = parseTranscript(readFileSync(file, "utf8"), file);
  if (!script) throw errors[0];
  return script;
}

/** `profile` stands in for the recording's own kernel. */
export async function replay(file: string, profile?: string) {
  const script = readScript(file);
  const { memoryBytes, nrNodes, nrHugePages = 0 } = script.machine;
  const kernel = createKernel({
    profile: profile ?? script.machine.kernel,
    machine: { ramBytes: memoryBytes, linearBytes: 2 ** 26 },
    nodes: nrNodes,
    hugePages: new Map([[PAGE_2M, nrHugePages]]),
  });
  const differing: string[] = [];
  const broken: string[] = [];
  let nrAsserted = 0;
  for await (const { line, result, differs } of runScript(script, new EmulatedDriver(kernel))) {
    const text = `${line.place.line}: ${line.text} => ${result}`;
    if (line.expectation) nrAsserted++;
    if (differs) differing.push(text);
    broken.push(...brokenInvariants(kernel.state).map((what) => `after ${text}: ${what}`));
  }
  return { differing, broken, nrAsserted, kernel: script.machine.kernel };
}
