/** `hugewalk tlb`: what it prints, and what it refuses. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "./command.ts";
import { LACKEY, Running, shell } from "./shell.ts";
import { SMALL_CPU } from "./small-cpu.ts";

const directory = mkdtempSync(join(tmpdir(), "hugewalk-"));
const at = (name: string) => join(directory, name);
const CPU = at("cpu.json");
beforeAll(() => {
  writeFileSync(CPU, SMALL_CPU);
  writeFileSync(at("maps"), MAPS);
});
afterAll(() => rmSync(directory, { recursive: true }));

const MAPS = `00400000-00800000 r-xp 00000000 08:02 173521 /usr/bin/app
1ffec00000-1fff200000 rw-p 00000000 00:00 0 [stack]
`;

/** On one thread: others are JavaScript's, and this is TypeScript. */
async function tlb(args: readonly string[], stdin = "") {
  const { code, out, err } = await runCommand(["tlb", "--threads", "1", ...args], stdin);
  return { code, out: out.replaceAll(LACKEY, "LACKEY"), err: err.replaceAll(directory, "") };
}

/** On the small processor. */
async function small(args: readonly string[], stdin = "") {
  return tlb(["--cpu-file", CPU, ...args], stdin);
}

describe("text", () => {
  test("the answer, what it rests on, the table, what to back first", async () => {
    expect(await small(["--top", "2", LACKEY])).toEqual({ code: 0, err: "", out: "" });
  });

  test("policies of several sizes, intervals, instructions, names", async () => {
    const { code, out } = await small([
      ...["--policy", "4K,2M,hugetlb:app", "--maps", at("maps")],
      ...["--interval", "100", "--instructions", "--top", "1", LACKEY],
    ]);
    expect({ code, out }).toEqual({ code: 0, out: "" });
  });

  test("a part of a trace of data alone, with broken records", async () => {
    const lines = Array.from({ length: 2000 }, (_, i) => ` L ${(i * 4096).toString(16)},8`);
    const args = ["--skip", "500", "--references", "1000", "--lenient", "--no-regions", "-"];
    const { out, err } = await small(args, [" L ?", ...lines].join("\n"));
    expect({ out, err }).toEqual({ out: "", err: "" });
  });

  test("nothing to compare", async () => {
    const { out } = await small(["--policy", "4K", "--no-regions", LACKEY]);
    expect(out).toBe("");
  });

  test("samples", async () => {
    const samples = `ls 7 cpu/mem-loads/P: 400040 401000
ls 7 cpu/mem-loads/P: 400048 401000
ls 7 cpu/mem-stores/P: 1ffee00000 401000
`;
    expect(await small(["--maps", at("maps"), "-"], samples)).toEqual({ code: 0, err: "", out: "" });
  });
});
