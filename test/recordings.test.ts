/** Recordings of live kernels, replayed under their own profile: not one line may differ. */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { replay } from "./replay.ts";

describe.each(["6.1", "6.12", "6.18"].map((kernel) => ({ kernel })))(
  "Linux $kernel",
  ({ kernel }) => {
    const files = readdirSync(`test/recorded/${kernel}`).map((file) => ({ file }));
    test.each(files)("$file", async ({ file }) => {
      const run = await replay(`test/recorded/${kernel}/${file}`);
      expect(run.differing).toEqual([]);
      expect(run.kernel).toBe(kernel);
      expect(run.nrAsserted).toBeGreaterThan(15);
    });
  },
);

test("a recording of another kernel differs where the kernels do", async () => {
  const { differing } = await replay("test/recorded/6.18/03-fork.txt", "6.1");
  expect(differing).toEqual([
    "40: P munmap a 2h => ok",
    "45: C munmap a 2h => ok",
    "100: host kill P 9 => ok",
    "102: C munmap a 3h => ok",
  ]);
});

describe("fixed breaks no invariant in what was recorded", () => {
  const folders = ["recorded/6.1", "recorded/6.12", "recorded/6.18", "observed", "numa/6.12"];
  const files = folders.flatMap((folder) => {
    return readdirSync(`test/${folder}`).map((file) => `test/${folder}/${file}`);
  });
  test.each(files)("%s", async (file) => {
    expect((await replay(file, "fixed")).broken).toEqual([]);
  });
});
