/** `hugewalk merge`: what was studied apart is printed as if it had been studied together. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "./command.ts";
import { quote } from "../../src/transcript/text.ts";
import { LACKEY, shell } from "./shell.ts";
import { SMALL_CPU } from "./small-cpu.ts";

const directory = mkdtempSync(join(tmpdir(), "hugewalk-"));
const at = (name: string) => join(directory, name);
beforeAll(() => writeFileSync(at("cpu.json"), SMALL_CPU));
afterAll(() => rmSync(directory, { recursive: true }));

const CPUS = ["zen4", "small"];
const POLICIES = ["4K", "2M", "hugetlb:400000-800000"];

/** Of processors and policies, joined by commas. */
async function tlb(cpu: string, policy: string, ...args: readonly string[]): Promise<string> {
  const own = cpu.includes("small") ? ["--cpu-file", at("cpu.json")] : [];
  const known = cpu === "small" ? [] : ["--cpu", cpu.replace(/,?small/, "")];
  const command = ["tlb", "--threads", "1", ...own, ...known, "--policy", policy, ...args, LACKEY];
  return (await runCommand(command)).out;
}

async function merge(args: readonly string[], stdin = "") {
  const { code, out, err } = await runCommand(["merge", ...args], stdin);
  return { code, out, err: err.replaceAll(`${directory}/`, "") };
}

describe.each([
  { form: "text", args: ["--top", "2"] },
  { form: "JSON", args: ["--json"] },
  { form: "CSV", args: ["--csv"] },
])("$form is that of one study", ({ args }) => {
  test("from a file for each run, and from all on standard input", async () => {
    const together = await tlb("small,zen4", POLICIES.join(), ...args);
    const parts: string[] = [];
    for (const policy of POLICIES) {
      for (const cpu of CPUS.toReversed()) parts.push(await tlb(cpu, policy, "--json"));
    }
    const files = parts.map((_, i) => at(`part-${i}.json`));
    for (const [i, part] of parts.entries()) writeFileSync(files[i], part);
    expect(await merge([...args, ...files])).toEqual({ code: 0, out: together, err: "" });
    expect(await merge([...args, "-"], parts.join(""))).toEqual({
      code: 0,
      out: together,
      err: "",
    });
  });
});

test("several traces: one after the other, with one heading of columns", async () => {
  const bench = async (name: string, ...args: readonly string[]) => {
    const options = ["--threads", "1", "--cpu", "zen4", "--references", "1000"];
    return (await runCommand(["bench", name, ...options, ...args])).out;
  };
  writeFileSync(at("both"), (await bench("gups", "--json")) + (await bench("zipf", "--json")));
  const { out } = await merge(["--csv", at("both")]);
  const [head, ...rows] = out.trimEnd().split("\n");
  expect(head).toMatch(/^trace,cpu,policy,/);
  expect(rows.map((row) => row.split(",").slice(0, 3).join())).toEqual(
    ["gups 1G", "zipf 1G"].flatMap((trace) => {
      return ["4K", "2M", "1G"].map((policy) => `${trace},zen4,${policy}`);
    }),
  );
  const text = (await merge([at("both")])).out;
  expect(text.match(/^It rests on .*$/gm)).toEqual([
    "It rests on gups 1G (synthetic): 500 loads, 500 stores.",
    "It rests on zipf 1G (synthetic): 1,000 loads, 0 stores.",
  ]);
  expect(text).toMatch(/\n\nLarger pages/);
});

test("samples", async () => {
  const perf = "ls 7 cpu/mem-loads/P: 400040 401000\n";
  const study = await runCommand(["tlb", "--json", "-"], perf);
  const report = await runCommand(["tlb", "-"], perf);
  expect(await merge(["-"], study.out)).toEqual({ code: 0, out: report.out, err: "" });
});

describe("what cannot be merged is told in one line", () => {
  beforeAll(async () => {
    const study = await tlb("small", "4K", "--json");
    writeFileSync(at("good"), study);
    writeFileSync(at("other-result"), study.replace(/"walks":14,/, '"walks":13,'));
    writeFileSync(at("other-trace"), study.replace(/"load":62/, '"load":63'));
    writeFileSync(at("version"), study.replace('"version":1', '"version":9'));
    writeFileSync(at("half"), study.slice(0, study.length / 2));
    writeFileSync(at("broken"), study.replace(/"walkers":\d+/, '"walkers":"two"'));
    writeFileSync(at("binary"), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 0xff, 10, 0xfe]));
    writeFileSync(at("csv"), await tlb("small", "4K", "--csv"));
    writeFileSync(at("empty"), "");
  });

  const TRACE = quote(LACKEY);
  test.each([
    {
      files: ["good", "other-result"],
      message: `two different results (walks) for small, 4K, of ${TRACE}`,
    },
    { files: ["good", "other-trace"], message: `two different traces are called ${TRACE}` },
    { files: ["good", "version"], message: "version: version 9; this hugewalk has 1" },
    { files: ["half"], message: "half:1: no JSON" },
    { files: ["good", "broken"], message: "broken: a study that is not whole" },
    { files: ["binary"], message: "binary:1: no JSON" },
    { files: ["csv"], message: "csv:1: no JSON" },
    { files: ["empty"], message: "empty: no study" },
    { files: ["none"], message: "none: no such file" },
    { files: ["good", "."], message: ": is a directory, not a file" },
    { files: ["good"], args: ["--top", "x"], message: '--top: "x" is no whole number from 0 on' },
    {
      files: ["good"],
      args: ["--csv", "--json"],
      message: "option '--csv' cannot be used with option '--json'",
    },
    { files: [], message: "missing required argument 'file'" },
  ])("$files $args: $message", async ({ files, args = [], message }) => {
    const told = await merge([...args, ...files.map(at)]);
    const err = told.err.replace(`${directory}`, "");
    expect({ ...told, err }).toEqual({ code: 2, out: "", err: `hugewalk: ${message}\n` });
  });
});

test("a pipe that closes early is no error", () => {
  writeFileSync(at("study"), shell(`hugewalk tlb --threads 1 --cpu zen4 --json "$LACKEY"`));
  expect(
    shell(`hugewalk merge ${at("study")} | head -1 | cut -c1-6; echo "\${PIPESTATUS[0]}"`),
  ).toBe("Larger\n0\n");
});
