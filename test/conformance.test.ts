/**
 * The peers' tests as transcripts, with three kernels' answers: replayed under each one's profile,
 * and on `fixed` with the invariants after every line. test/conformance/README.md says what is where.
 */
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readScript, replay } from "./replay.ts";

/** One kernel's recordings, without those whose operations are not all implemented. */
function recordingsOf(kernel: string) {
  const folder = `test/conformance/${kernel}`;
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith(".txt"));
  return files
    .map((file) => ({ file, path: `${folder}/${file}`, script: readScript(`${folder}/${file}`) }))
    .filter(({ script }) => script !== undefined);
}

describe.each(["6.1", "6.12", "6.18"])("Linux %s", (kernel) => {
  test.each(recordingsOf(kernel))("$file", async ({ path, script }) => {
    const run = await replay(path);
    expect(run.differing).toEqual([]);
    expect(run.kernel).toBe(kernel);
    expect(run.nrAsserted).toBe(script?.operations.length);
  });
});

describe("fixed breaks no invariant", () => {
  test.each(recordingsOf("6.18"))("$file", async ({ path }) => {
    const { broken } = await replay(path, "fixed");
    expect(broken).toEqual([]);
  });
});
