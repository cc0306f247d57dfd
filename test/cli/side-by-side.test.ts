/** `hugewalk run --kernel A,B`: kernels compared with each other. */
import { expect, test } from "vitest";
import { profileNames } from "../../src/index.ts";
import { runCommand } from "./command.ts";

/** A defect of 6.18: the owner goes while its child still maps the page. */
const SCRIPT = `machine memory=64M kernel=6.1
# why
host nr_hugepages 1 => ENOMEM ;
P mmap a 1h rw private,anon,huge
P write a 1
P fork C
P munmap a 1h  # here
C read a
`;

const run = (...args: string[]) => runCommand(["run", ...args, "-"], SCRIPT);

test("a line where they agree, and a line for each where not", async () => {
  const { code, out, err } = await run("--kernel", "6.12,6.18");
  expect([code, err]).toEqual([1, ""]);
  expect(out).toBe(`machine memory=64M
# why
host nr_hugepages 1                                  => ok ; total=1 free=1
P mmap a 1h rw private,anon,huge                     => ok ; rsvd=1
P write a 1                                          => ok ; free=0 rsvd=0
P fork C                                             => ok ;
P munmap a 1h                                          # here
#   6.12  => ok ;
#   6.18  => ok ; rsvd=18446744073709551615
C read a                                             => 1 ;
# 6 lines, 1 differ between 6.12 6.18
`);
});

test("what is printed is a transcript, whose notes a second run replaces", async () => {
  const { out } = await run("--kernel", "6.12,6.18");
  expect((await runCommand(["run", "--kernel", "6.12,6.18", "-"], out)).out).toBe(out);
  const fixed = await runCommand(["run", "--kernel", "fixed", "-"], out);
  expect(fixed.code).toBe(0);
  expect(fixed.out).not.toContain("#   6.12");
});

test("kernels that agree: exit code 0, and what the file expects is not judged", async () => {
  const { code, out } = await run("--kernel", "6.12,fixed", "--quiet");
  expect([code, out]).toEqual([0, "# 6 lines, 0 differ between 6.12 fixed\n"]);
});

test("--kernel all", async () => {
  const { out } = await run("--kernel", "all", "--quiet");
  for (const profile of profileNames) expect(out).toMatch(new RegExp(`^#   ${profile} +=> `, "m"));
});

test("the same kernel twice is one kernel", async () => {
  const { code, out } = await run("--kernel", "6.1,6.1", "--quiet");
  expect(code).toBe(1);
  expect(out).toContain("#   expected: ENOMEM ;");
});

test("a kernel that is not there", async () => {
  const { code, err } = await run("--kernel", "6.12,7");
  expect(code).toBe(2);
  expect(err).toMatch(/^hugewalk: --kernel: unknown kernel "7"; one of 2\.6\.26 /);
});

test("--explain says what happened where they differ, and only there", async () => {
  const { out } = await run("--kernel", "6.12,6.18", "--explain");
  expect(out).toContain("#   6.18  => ok ; rsvd=18446744073709551615\n#   - ");
  expect(out.split("\n").filter((line) => line.startsWith("#   - ")).length).toBeLessThan(6);
});

test("--json", async () => {
  const { out } = await run("--kernel", "6.12,6.18", "--json", "--quiet");
  const objects = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(objects).toEqual([
    {
      type: "compared",
      file: "<stdin>",
      line: 7,
      actor: "P",
      operation: "munmap",
      text: "P munmap a 1h",
      differs: true,
      kernels: {
        "6.12": { result: "ok", counters: {}, events: [] },
        "6.18": { result: "ok", counters: { rsvd: "18446744073709551615" }, events: [] },
      },
    },
    { type: "file", file: "<stdin>", kernels: ["6.12", "6.18"], lines: 6, asserted: 0, differ: 1 },
    { type: "summary", files: 1, lines: 6, asserted: 0, differ: 1 },
  ]);
});

test("several files end in one summary", async () => {
  const file = "test/recorded/6.18/01-basic-private.txt";
  const { out } = await runCommand(["run", "--kernel", "6.12,6.18", "--quiet", file, file]);
  expect(out).toMatch(/\n# 2 files, 38 lines, 0 differ between 6\.12 6\.18\n$/);
});
