/** Shrinking: what is left fails as the script did, and nothing of it can be left out. */
import { describe, expect, test } from "vitest";
import { repair, shrink } from "../../src/fuzz/shrink.ts";
import type { Script } from "../../src/transcript/script.ts";

const SCRIPT = `host nr_hugepages 4
P signals catch
P mmap m0 4h rw private,anon,huge,populate at=0x1000000000
P fork C0
C0 write m0+2h 57
C0 fork C1
C1 mmap m1 2h r shared,anon,huge,noreserve
C1 touch write m1 2 9
C1 read m0+1h+8
P mremap m3 m0 2h 2h maymove fixed at=0x1000400000`.split("\n");

const textOf = ({ operations }: Script): string => operations.map(({ text }) => text).join("\n");

async function shrinkTo(pattern: RegExp, budget = 1000) {
  let nrRun = 0;
  const fails = (script: Script) => {
    nrRun++;
    return Promise.resolve(pattern.test(textOf(script)));
  };
  const lines = await shrink(SCRIPT, { fails, budget });
  return { lines, nrRun };
}

describe("shrink", () => {
  test("drops lines, and those that make no sense without them", async () => {
    const { lines } = await shrinkTo(/ touch write \w+/);
    expect(lines).toEqual(["P mmap a 0h rw noreserve", "P touch write a 1 0"]);
  });

  test("keeps what must be there", async () => {
    const { lines } = await shrinkTo(/P fork[^]*C\d? read \w+\+/);
    expect(lines.join("\n")).toMatch(/^P mmap a 0h rw \w+\nP fork C\nC read a\+0h$/);
  });

  test("makes arguments simpler", async () => {
    const { lines } = await shrinkTo(/ mremap \w+ \w+/);
    expect(lines.at(-1)).toBe("P mremap b a 0h 0h");
  });

  test("runs no more scripts than it may", async () => {
    expect((await shrinkTo(/read/, 7)).nrRun).toBeLessThanOrEqual(7);
  });
});

test("repair drops what cannot be read alone, and ends when nothing is left", () => {
  expect(repair(["P read a", "P mmap b 1h rw private,anon", "C read b"])?.lines).toEqual([
    "P mmap b 1h rw private,anon",
  ]);
  expect(repair(["P read a"])).toBeUndefined();
});
