/**
 * The peers' tests as transcripts, with three kernels' answers: replayed under each one's profile,
 * and on `fixed` with the invariants after every line. test/conformance/README.md says what is
 * where.
 */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readScript, replay } from "./replay.ts";

function recordingsOf(kernel: string) {
  const folder = `test/conformance/${kernel}`;
  return readdirSync(folder).map((file) => ({ file, path: `${folder}/${file}` }));
}

describe.each(["6.1", "6.12", "6.18"])("Linux %s", (kernel) => {
  test.each(recordingsOf(kernel))("$file", async ({ path }) => {
    const run = await replay(path);
    expect(run.differing).toEqual([]);
    expect(run.kernel).toBe(kernel);
    expect(run.nrAsserted).toBe(readScript(path).operations.length);
  });
});

describe("fixed breaks no invariant", () => {
  test.each(recordingsOf("6.18"))("$file", async ({ path }) => {
    const { broken } = await replay(path, "fixed");
    expect(broken).toEqual([]);
  });
});
