/** `hugewalk run --tlb`: what it prints, and what it leaves alone. */
import { readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { PRESETS } from "../../src/tlb/presets.ts";
import { runCommand } from "./command.ts";

const EXAMPLE = "examples/tlb/fork-costs.txt";

const SCRIPT = `machine memory=64M cpus=2
host nr_hugepages 1
P mmap a 1h rw private,anon,huge
P write a 1
P fork C
C read a
P write a 2
`;

const run = (args: readonly string[], script = SCRIPT) => runCommand(["run", ...args, "-"], script);
const jsonOf = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("the example prints what docs/transcripts.md shows", async () => {
  const docs = readFileSync("docs/transcripts.md", "utf8");
  const [, shown] = /`examples\/tlb\/fork-costs\.txt`:\n\n```\n([^]*?)```/.exec(docs) ?? [];
  const { code, out } = await runCommand(["run", "--tlb", EXAMPLE]);
  expect([code, out.slice(out.indexOf("parent mmap"))]).toEqual([0, shown]);
});

test.each(readdirSync("examples/tlb").map((file) => `examples/tlb/${file}`))(
  "without the flag %s says nothing of TLBs, and asserts every line",
  async (file) => {
    const { code, out } = await runCommand(["run", "--explain", file]);
    expect(code).toBe(0);
    expect(out).not.toMatch(/^#.*(miss|refill|translation|shootdown)/m);
    expect(out).toMatch(/^# ([0-9]+) lines, \1 asserted, 0 differ$/m);
  },
);

test("the output is a transcript, whose notes and tables a second run replaces", async () => {
  const { out } = await run(["--tlb"], `${SCRIPT}\n# the end\n`);
  expect(out).toContain("#   - shootdown: CPU 1 is interrupted; 1 translation leaves\n");
  expect(out).toContain("# TLB | CPU | accesses |");
  const again = await run(["--tlb"], out);
  expect(again.out).toBe(out.replace("0 asserted", "6 asserted"));
  expect((await run([], out)).out).not.toMatch(/TLB|shootdown/);
});

test("--quiet leaves the tables", async () => {
  const { out } = await run(["--tlb", "--quiet"]);
  expect(out).toMatch(/^# TLB \| CPU .*\n(# TLB \|.*\n){4,}# 6 lines, 0 asserted, 0 differ\n$/);
});

test("a run without accesses has no tables", async () => {
  const { out } = await run(["--tlb"], "host nr_hugepages 1\n");
  expect(out).not.toContain("# TLB");
});

test("--json: lines, and the file's sum", async () => {
  const records = jsonOf((await run(["--tlb", "--json"])).out);
  const write = records.find(({ text }) => text === "P write a 2");
  expect(write.tlb.cpus.map(({ cpu }: { cpu: number }) => cpu)).toEqual([0, 1]);
  expect(write.tlb.operations).toEqual([
    {
      operation: "steal",
      times: 1,
      invalidations: 1,
      interrupts: 1,
      dropped: 1,
      refills: 0,
      refillCycles: 0,
    },
    {
      operation: "write",
      times: 1,
      invalidations: 1,
      interrupts: 0,
      dropped: 0,
      refills: 0,
      refillCycles: 0,
    },
    {
      operation: "fork",
      times: 0,
      invalidations: 0,
      interrupts: 0,
      dropped: 0,
      refills: 1,
      refillCycles: expect.any(Number),
    },
  ]);
  const file = records.find(({ type }) => type === "file");
  expect(file.tlb.cpus[0]).toMatchObject({ cpu: 0, accesses: 2, misses: 2, refills: 1, faults: 2 });
  expect(file.tlb.operations[0]).toMatchObject({ operation: "fork", times: 1, refills: 1 });
  const without = jsonOf((await run(["--json"])).out);
  expect(without.some((record) => "tlb" in record)).toBe(false);
});

test("several kernels: a table for each", async () => {
  const { out } = await run(["--tlb", "--kernel", "2.6.26,6.18"]);
  expect(out).toMatch(/^# TLB 2\.6\.26 \| CPU /m);
  expect(out).toMatch(/^# TLB 6\.18 \| steal +\| 1 /m);
  expect((await run(["--tlb", "--kernel", "2.6.26,6.18"], out)).out).toBe(out);
  const records = jsonOf((await run(["--tlb", "--json", "--kernel", "2.6.26,6.18"])).out);
  const file = records.find(({ type }) => type === "file");
  expect(Object.keys(file.tlb)).toEqual(["2.6.26", "6.18"]);
  expect(records[2].kernels["6.18"].tlb.cpus[0]).toMatchObject({ misses: 1, faults: 1 });
});

test("every processor of hugewalk cpus, and an error that lists them for any other", async () => {
  for (const { processor } of PRESETS) {
    const { code, out } = await run(["--tlb"], SCRIPT.replace("cpus=2", `cpu=${processor.name}`));
    expect([code, out]).toEqual([0, expect.stringContaining("after fork")]);
  }
  const { code, err } = await run([], SCRIPT.replace("cpus=2", "cpu=z80"));
  expect(code).toBe(2);
  expect(err).toMatch(/^hugewalk: <stdin>:1:24: cpu: "z80" is none of haswell-ep .* zen5\n$/);
});
