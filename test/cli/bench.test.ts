/** `hugewalk bench`: tables of synthetic programs. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROGRAMS } from "../../src/programs/programs.ts";
import { runCommand } from "./command.ts";
import { shell } from "./shell.ts";
import { SMALL_CPU } from "./small-cpu.ts";

const directory = mkdtempSync(join(tmpdir(), "hugewalk-"));
const CPU = join(directory, "cpu.json");
beforeAll(() => writeFileSync(CPU, SMALL_CPU));
afterAll(() => rmSync(directory, { recursive: true }));

async function bench(...args: readonly string[]) {
  return runCommand(["bench", "--threads", "1", "--cpu-file", CPU, ...args]);
}

test("text: who gains most, and a row for each program, size and processor", async () => {
  const { code, out, err } = await bench(
    "sequential",
    "stride",
    "--bytes",
    "1M,4M",
    "--references",
    "1000",
  );
  expect({ code, err }).toEqual({ code: 0, err: "" });
  // Two pages are walked to by 4 loads and 1; with 2M it is one, by 3; with 1G by 2.
  expect(out)
    .toBe(`Pages of 2M give most to stride 1M on small, 100 cycles a reference; least to sequential 4M on small, 0.200 cycles a reference.

| program       | cpu   | 4K miss | cycles | 2M miss | cycles | 1G miss | cycles | 2M saves | 1G saves |
| ------------- | ----- | ------- | ------ | ------- | ------ | ------- | ------ | -------- | -------- |
| sequential 1M | small | 0.2 %   | 0.500  | 0.1 %   | 0.300  | 0.1 %   | 0.200  | 40.0 %   | 60.0 %   |
| sequential 4M | small | 0.2 %   | 0.500  | 0.1 %   | 0.300  | 0.1 %   | 0.200  | 40.0 %   | 60.0 %   |
| stride 1M     | small | 100.0 % | 100    | 0.1 %   | 0.300  | 0.1 %   | 0.200  | 99.7 %   | 99.8 %   |
| stride 4M     | small | 100.0 % | 100    | 0.2 %   | 0.400  | 0.1 %   | 0.200  | 99.6 %   | 99.8 %   |
Miss: in both levels, of all accesses; cycles: of page walks, a reference.
`);
});

test("all programs, if none is named", async () => {
  const { code, out } = await bench("--references", "10", "--bytes", "64K", "--csv");
  const [, ...rows] = out.trimEnd().split("\n");
  expect(code).toBe(0);
  expect(rows.map((row) => row.split(",").slice(0, 3).join())).toEqual(
    PROGRAMS.flatMap(({ name }) => ["4K", "2M", "1G"].map((size) => `${name} 64K,small,${size}`)),
  );
});

test("--json: a study a line", async () => {
  const { out } = await bench("gups", "fork-and-write", "--json", "--references", "1000");
  const studies = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(studies.map(({ trace }) => trace)).toEqual(
    [
      { name: "gups 1G", references: { fetch: 0, load: 500, store: 500 } },
      { name: "fork-and-write 1G", references: { fetch: 0, load: 0, store: 1000 } },
    ].map((facts) => ({
      ...facts,
      format: "synthetic",
      nrBroken: 0,
      nrSkipped: 0,
      isCut: false,
    })),
  );
  for (const { runs } of studies) {
    expect(runs.map(({ policy }: { policy: string }) => policy)).toEqual(["4K", "2M", "1G"]);
  }
});

test("the same seed gives the same, another one does not", async () => {
  const outputs = [];
  for (const seed of ["1", "1", "2"]) {
    outputs.push((await bench("random", "--references", "5000", "--seed", seed, "--json")).out);
  }
  expect(outputs[1]).toBe(outputs[0]);
  expect(outputs[2]).not.toBe(outputs[0]);
});

test("what is asked twice is done once", async () => {
  const { out } = await bench(
    "gups",
    "gups",
    "--bytes",
    "1T,1024G, 1t",
    "--references",
    "10",
    "--csv",
  );
  expect(out.trimEnd().split("\n").length).toBe(1 + 3);
});

test("SIGINT: what was done until then is told, and that it is a part", async () => {
  const timer = setInterval(() => process.emit("SIGINT", "SIGINT"), 50);
  const { code, out } = await bench("gups", "chase", "--references", String(10 ** 15)).finally(() =>
    clearInterval(timer),
  );
  expect(code).toBe(130);
  expect(out).toMatch(/^Interrupted: gups 1G was ended after [\d,]+ references\.$/m);
  expect(out.match(/^\| gups 1G/gm)?.length).toBe(1);
  expect(out).not.toContain("chase");
});

describe("what cannot be is told in one line, before anything runs", () => {
  test.each([
    { args: ["gups", "nix"], message: /^<program>: "nix" is none of sequential .*$/ },
    { args: ["--bytes", "1G,big"], message: '--bytes: "big" is no size, as 64M or 1G' },
    { args: ["--bytes", "1G,4095"], message: '--bytes: "4095" is not from 4K to 64T' },
    { args: ["--bytes", "65T"], message: '--bytes: "65T" is not from 4K to 64T' },
    { args: ["--bytes", "T"], message: '--bytes: "T" is no size, as 64M or 1G' },
    { args: ["--bytes", "65537G"], message: '--bytes: "65537G" is not from 4K to 64T' },
    { args: ["--bytes", "-1"], message: '--bytes: "-1" is no size, as 64M or 1G' },
    { args: ["--bytes", ","], message: "--bytes: none is given" },
    { args: ["--references", "0"], message: '--references: "0" is no whole number from 1 on' },
    { args: ["--seed", "x"], message: '--seed: "x" is no whole number from 0 on' },
    { args: ["--threads", "0"], message: '--threads: "0" is no whole number from 1 on' },
    { args: ["--cpu", "zen9"], message: /^--cpu: "zen9" is none of .*$/ },
    {
      args: ["--json", "--csv"],
      message: "option '--csv' cannot be used with option '--json'",
    },
    { args: ["--policy", "4K"], message: "unknown option '--policy'" },
  ])("$args: $message", async ({ args, message }) => {
    const { code, out, err } = await runCommand([
      "bench",
      "--references",
      String(10 ** 15),
      ...args,
    ]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^hugewalk: [^\n]+\n$/);
    const said = err.slice("hugewalk: ".length, -1);
    if (typeof message === "string") expect(said).toBe(message);
    else expect(said).toMatch(message);
  });
});

test("a pipe that closes early is no error", () => {
  const script = "hugewalk bench gups --threads 1 --references 1000 | head -1";
  expect(shell(`${script}; echo "\${PIPESTATUS[0]}"`)).toMatch(
    /^Pages of 2M give most to gups 1G on [^\n]*\n0\n$/,
  );
});
