/** `hugewalk tlb`: what it cannot use, told in one line. */
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { LACKEY } from "./shell.ts";
import { at, directory, tlb } from "./tlb-command.ts";

describe("what cannot be used is told in one line", () => {
  const CPUS = /^--cpu: "zen9" is none of haswell-ep .* zen5$/;
  test.each([
    { args: ["--cpu", "zen9", LACKEY], message: CPUS },
    { args: ["--cpu", "zen4,zen9", LACKEY], message: CPUS },
    { args: ["--cpu", ",", LACKEY], message: "--cpu: none is given" },
    { args: ["--policy", "", LACKEY], message: "--policy: none is given" },
    { args: ["--policy", "4K,3M", LACKEY], message: /^--policy: unknown policy "3M"; one of 4K, / },
    {
      args: ["--policy", "hugetlb:2-1", LACKEY],
      message: '--policy: "2-1" is an empty range',
    },
    {
      args: [
        "--policy",
        Array.from({ length: 17 }, (_, i) => `hugetlb:0-${i + 1}`).join(","),
        LACKEY,
      ],
      message: "--policy: 17 are more than 16",
    },
    { args: ["--policy", "ranges:none", LACKEY], message: "none: no such file" },
    { args: ["--maps", at("none"), LACKEY], message: "none: no such file" },
    { args: ["--maps", LACKEY, LACKEY], message: `--maps: LACKEY:1: no line of /proc/PID/maps` },
    {
      args: ["--format", "elf", LACKEY],
      message: /^--format: unknown format "elf"; one of binary /,
    },
    ...["--top", "--skip"].flatMap((option) => {
      return ["-1", "x", "", "1.5", "1e3", "0x10", "9007199254740992"].map((number) => ({
        args: [option, number, LACKEY],
        message: `${option}: "${number}" is no whole number from 0 on`,
      }));
    }),
    ...["--references", "--interval", "--threads"].flatMap((option) => {
      return ["0", "", "-5", "99999999999999999999999999999999999999999999"].map((number) => ({
        args: [option, number, LACKEY],
        message: new RegExp(`^${option}: ".*" is no whole number from 1 on$`),
      }));
    }),
    {
      args: ["--json", "--csv", LACKEY],
      message: "option '--csv' cannot be used with option '--json'",
    },
    { args: [], message: "missing required argument 'trace'" },
    { args: ["--nix", LACKEY], message: "unknown option '--nix'" },
    { args: [at("none")], message: "none: no such file" },
    { args: [directory], message: `${directory}: is a directory, not a file` },
    { args: ["-"], message: "<stdin>: an empty trace" },
    {
      args: ["-"],
      stdin: Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 7919) % 251)).toString(
        "latin1",
      ),
      message: /^<stdin>: no format of traces that is known; name one of /,
    },
    {
      args: ["--format", "lackey", "-"],
      stdin: "\0\u0001\u001b[31m\n",
      message: /^<stdin>: line 1: no reference as lackey writes them: "\\u0000/,
    },
    {
      args: ["-"],
      stdin: " L 1000,8\n L ?\n",
      message: '<stdin>: line 2: no reference as lackey writes them: " L ?"',
    },
    {
      args: ["--format", "csv", "-"],
      stdin: "tid,kind,addr,size\n",
      message: "<stdin>: no references",
    },
    { args: ["--skip", "240", LACKEY], message: "LACKEY: no references behind the first 240" },
    {
      args: ["--skip", "9007199254740991", LACKEY],
      message: "LACKEY: no references behind the first 9007199254740991",
    },
  ])("$args: $message", async ({ args, message, stdin = "" }) => {
    const { code, out, err } = await tlb(args, stdin);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^hugewalk: [^\n]+\n$/);
    const said = err.slice("hugewalk: ".length, -1).replaceAll(LACKEY, "LACKEY");
    if (typeof message === "string") expect(said).toBe(message);
    else expect(said).toMatch(message);
  });

  const FIRST = { name: "L1", entries: 4, ways: 4 };
  test.each([
    { processor: "", message: "no JSON: Unexpected end of JSON input" },
    { processor: { name: "mine" }, message: "firstLevel: is missing" },
    {
      processor: { name: "mine", firstLevel: [{ ...FIRST, ways: 3 }] },
      message: "firstLevel[0].ways: 3 does not divide 4 entries",
    },
    {
      processor: { name: "mine", firstLevel: [{ ...FIRST, entries: 512, ways: "full" }] },
      message: "firstLevel[0].ways: 512 are more than 255",
    },
    {
      processor: { name: "zen4", firstLevel: [FIRST] },
      args: ["--cpu", "zen4"],
      message: '--cpu: two are called "zen4"',
    },
  ])("a processor: $message", async ({ processor, args = [], message }) => {
    const text = typeof processor === "string" ? processor : JSON.stringify(processor);
    writeFileSync(at("bad.json"), text);
    const { code, err } = await tlb([...args, "--cpu-file", at("bad.json"), LACKEY]);
    const place = message.startsWith("--") ? "" : "bad.json: ";
    expect({ code, err }).toEqual({ code: 2, err: `hugewalk: ${place}${message}\n` });
  });

  test("a gzip file that is cut", async () => {
    const bytes = gzipSync(readFileSync(LACKEY));
    writeFileSync(at("cut.gz"), bytes.subarray(0, bytes.length - 20));
    const { code, out, err } = await tlb([at("cut.gz")]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^hugewalk: cut\.gz: the compressed data ends early, .*\n$/);
  });
});
