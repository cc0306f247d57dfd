/** Recordings of kernels on machines of two and three nodes (QEMU, CPU on node 0), replayed. */
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { PAGE_2M, createKernel } from "../src/index.ts";
import { EmulatedDriver } from "../src/emulated/driver.ts";
import { parseTranscript } from "../src/transcript/parse.ts";
import { runScript } from "../src/transcript/run.ts";

async function differingLines(file: string, profile?: string): Promise<string[]> {
  const { script, errors } = parseTranscript(readFileSync(file, "utf8"), file);
  if (!script) throw errors[0];
  const { kernel, memoryBytes, nrNodes, nrHugePages = 0 } = script.machine;
  const driver = new EmulatedDriver(
    createKernel({
      profile: profile ?? kernel,
      machine: { ramBytes: memoryBytes, linearBytes: 2 ** 26 },
      nodes: nrNodes,
      hugePages: new Map([[PAGE_2M, nrHugePages]]),
    }),
  );
  const differing: string[] = [];
  for await (const { line, result, differs } of runScript(script, driver)) {
    if (differs) differing.push(`${line.place.line}: ${line.text} => ${result}`);
  }
  return differing;
}

describe.each(["6.1", "6.12"])("Linux %s", (kernel) => {
  test.each(readdirSync(`test/numa/${kernel}`))("%s", async (file) => {
    expect(await differingLines(`test/numa/${kernel}/${file}`)).toEqual([]);
  });
});

test("a recording of another kernel differs where the kernels do", async () => {
  const differing = await differingLines("test/numa/6.12/05-surplus.txt", "6.1");
  expect(differing[0]).toBe("10: A mmap a 2h rw private,anon,huge => ENOMEM");
});
