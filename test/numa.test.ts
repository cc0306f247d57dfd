/**
 * Recordings of kernels on machines of two and three nodes (QEMU, the CPU on node 0), replayed. For
 * those of boot the pages were asked for on the kernel's command line, which `verify` does not do.
 */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { replay } from "./replay.ts";

describe.each(["6.1", "6.12"])("Linux %s", (kernel) => {
  test.each(readdirSync(`test/numa/${kernel}`))("%s", async (file) => {
    const { differing, kernel: recorded } = await replay(`test/numa/${kernel}/${file}`);
    expect(differing).toEqual([]);
    expect(recorded).toBe(kernel);
  });
});

test("a recording of another kernel differs where the kernels do", async () => {
  const { differing } = await replay("test/numa/6.12/05-surplus.txt", "6.1");
  expect(differing[0]).toBe("10: A mmap a 2h rw private,anon,huge => ENOMEM");
});

test("shrinking leaves a node with more surplus than pages, which is a defect", async () => {
  const file = "test/numa/6.12/11-surplus-shrunk.txt";
  expect((await replay(file)).broken[0]).toContain("on node 0: F <= T, S <= T");
  expect((await replay(file, "fixed")).broken).toEqual([]);
});
