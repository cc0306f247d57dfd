/** `hugewalk cpus`: the table, one processor, and one's own. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseProcessor } from "../../src/tlb/parse.ts";
import { PRESETS } from "../../src/tlb/presets.ts";
import { runCommand } from "./command.ts";

test("docs/cpus.md is what the command prints: `hugewalk cpus > docs/cpus.md`", async () => {
  const { code, out } = await runCommand(["cpus"]);
  expect(code).toBe(0);
  expect(readFileSync("docs/cpus.md", "utf8")).toBe(out);
});

test("a name: its numbers with sources, and no source that none rests on", async () => {
  const { code, out } = await runCommand(["cpus", "skylake-sp"]);
  expect(code).toBe(0);
  expect(out).toMatch(
    /secondLevel STLB 4K\+2M +\| indexGroups 2, replacement mru3-plru, pcids 4 +\| high +\| tlbdr/,
  );
  expect(out).not.toContain("amd guide");
});

test("--json: a processor a line, each of which can be given back as a file", async () => {
  const { out } = await runCommand(["cpus", "--json"]);
  const lines = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ name }) => name)).toEqual(PRESETS.map(({ processor }) => processor.name));
  for (const [i, { processor, facts }] of lines.entries()) {
    expect(parseProcessor(JSON.stringify(processor), "x")).toEqual(PRESETS[i].processor);
    expect(facts[0]).toHaveProperty("confidence");
  }
});

test("--cpu-file: what a file describes, with its defaults", async () => {
  const mine = { name: "mine", firstLevel: [{ name: "TLB", entries: 64, ways: 4 }] };
  const { code, out } = await runCommand(["cpus", "--cpu-file", "-"], JSON.stringify(mine));
  expect(code).toBe(0);
  expect(out).toContain("entries 64, ways 4, pageSizes 4K 2M 1G");
});

test.each([
  { args: ["cpus", "zen9"], stdin: "", complaint: 'name: "zen9" is none of haswell-ep ' },
  {
    args: ["cpus", "--cpu-file", "-"],
    stdin: '{"name":"mine","firstLevel":[{"name":"TLB","entries":64,"ways":7}]}',
    complaint: "<stdin>: firstLevel[0].ways: 7 does not divide 64 entries\n",
  },
  { args: ["cpus", "--cpu-file", "/none"], stdin: "", complaint: "/none: no such file\n" },
])("$complaint", async ({ args, stdin, complaint }) => {
  const { code, out, err } = await runCommand(args, stdin);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err.startsWith(`hugewalk: ${complaint}`)).toBe(true);
});
