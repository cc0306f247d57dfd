/**
 * `hugewalk run`: what goes to which stream, and the exit code.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import { createFakeEmulator } from "./fake-emulator.ts";

const FILES = {
  "good.txt": "A exec => ok ;\nhost nr_hugepages 3 => ok ; total=3 free=3\n",
  "free.txt": "A exec\n",
  "bad.txt": "# bad\nA exec => ENOMEM ;\nA exec => ok\n",
  "wrong.txt": "A exce\nA read a\nA read b\n",
  "many.txt": "A x\n".repeat(30),
  "old.txt": "machine memory=8G cpus=2\nmachine kernel=5.4\nA exec\n",
  "strict.txt": "machine kernel=strict\nA exec => ENOMEM ;\n",
  "large.txt": "A exec\n\n\n# x\nmachine memory=2097152g\n".split("\n").toReversed().join("\n"),
  "cpus.txt": "machine cpus=65\nA exec\n",
  "resource.txt": "A exec\n\nA smaps 0\nA exec\n",
  "option.txt": "A vmas 0 1\n",
  "internal.txt": "A exec\nA status\n",
  "binary.txt": Buffer.from([0x41, 0x20, 0xff, 0xfe]),
  "empty.txt": "",
};

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hugewalk-"));
  for (const [name, content] of Object.entries(FILES))
    writeFileSync(join(directory, name), content);
  mkdirSync(join(directory, "folder"));
});

afterAll(() => rmSync(directory, { recursive: true }));

function capture(isTTY?: boolean) {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY }), text: () => chunks.join("") };
}

interface Setting {
  readonly stdin?: string;
  readonly isTTY?: boolean;
  readonly env?: Record<string, string>;
}

function isFile(arg: string): boolean {
  return arg in FILES || arg === "folder" || arg === "missing";
}

function local(text: string): string {
  return text.replaceAll(`${directory}/`, "");
}

/** Runs the command; file names are those of FILES, and the directory is left out of messages. */
async function hugewalk(args: readonly string[], { stdin = "", isTTY, env = {} }: Setting = {}) {
  const out = capture(isTTY);
  const err = capture();
  const paths = args.map((arg) => (isFile(arg) ? join(directory, arg) : arg));
  async function* input() {
    yield Buffer.from(stdin);
  }
  const emulator = createFakeEmulator();
  const io = { stdin: input, stdout: out.stream, stderr: err.stream, env };
  const code = await runCli(paths, io, emulator);
  return { code, out: local(out.text()), err: local(err.text()), configs: emulator.configs };
}

const EXEC = "A exec                                               =>";

describe("exit codes", () => {
  test.each<[args: string, code: number, err: string]>([
    ["run good.txt", 0, ""],
    ["run free.txt", 0, ""],
    ["run bad.txt", 1, ""],
    ["run good.txt bad.txt free.txt", 1, ""],
    [
      "run wrong.txt",
      2,
      'hugewalk: wrong.txt:1:3: unknown operation "exce" (did you mean "exec"?)\n',
    ],
    ["run empty.txt", 2, "hugewalk: empty.txt:1:1: no operation in this file\n"],
    ["run binary.txt", 2, "hugewalk: binary.txt:1:3: not a text file: not UTF-8\n"],
    ["run missing", 2, "hugewalk: missing: no such file\n"],
    ["run folder", 2, "hugewalk: folder: is a directory, not a file\n"],
    [
      "run missing folder",
      2,
      "hugewalk: missing: no such file\nhugewalk: folder: is a directory, not a file\n",
    ],
    [
      "run - -",
      2,
      "hugewalk: -: standard input can be read only once\n" +
        "hugewalk: <stdin>:1:1: no operation in this file\n",
    ],
    ["run old.txt", 2, 'hugewalk: old.txt:2:16: unknown kernel "5.4"; one of 6.1 6.18 strict\n'],
    ["run --kernel 6.1 old.txt", 0, ""],
    [
      "run --kernel 7 old.txt",
      2,
      'hugewalk: --kernel: unknown kernel "7"; one of 6.1 6.18 strict\n',
    ],
    ["run large.txt", 2, "hugewalk: large.txt:2:16: memory: too much\n"],
    ["run cpus.txt", 2, "hugewalk: cpus.txt: sockets: too many\n"],
    ["run resource.txt", 2, "hugewalk: resource.txt:3:1: out of backing: raise --backing\n"],
    ["run option.txt", 2, "hugewalk: option.txt:1:1: length: too long\n"],
    ["run", 2, "hugewalk: missing required argument 'file'\n"],
    ["run --jsno good.txt", 2, "hugewalk: unknown option '--jsno' (Did you mean --json?)\n"],
    ["run --kernel", 2, "hugewalk: option '--kernel <profile>' argument missing\n"],
    ["rum good.txt", 2, "hugewalk: unknown command 'rum' (Did you mean run?)\n"],
  ])("hugewalk %s", async (command, code, err) => {
    const result = await hugewalk(command.split(" "));
    expect([result.code, result.err]).toEqual([code, err]);
  });

  test("a bug of ours is reported as one, with its stack", async () => {
    const { code, out, err } = await hugewalk(["run", "internal.txt"]);
    expect(code).toBe(70);
    expect(out).toBe(`${EXEC} ok ;\n`);
    const [message, ...stack] = err.split("\n");
    expect(message).toBe(
      "hugewalk: InternalError: broken invariant: free is at most total; " +
        "this is a bug of hugewalk: please report it with the command",
    );
    expect(stack.join("\n")).toMatch(/^InternalError: .*\n +at /);
  });
});

test("nothing runs when one of the files cannot be read", async () => {
  const { out, configs } = await hugewalk(["run", "good.txt", "wrong.txt", "bad.txt"]);
  expect([out, configs]).toEqual(["", []]);
});

test("when there are too many errors, it says so", async () => {
  const lines = (await hugewalk(["run", "many.txt"])).err.trimEnd().split("\n");
  expect(lines.length).toBe(21);
  expect(lines[20]).toBe("hugewalk: many.txt: there may be more errors");
});

test("a file", async () => {
  const { out } = await hugewalk(["run", "bad.txt"]);
  expect(out).toBe(`# bad
${EXEC} ok ;
#   expected: ENOMEM ;
${EXEC} ok ;
# 2 lines, 2 asserted, 1 differ
`);
});

test("several files", async () => {
  const { out } = await hugewalk(["run", "free.txt", "bad.txt"]);
  expect(out).toBe(`# free.txt
${EXEC} ok ;
# 1 line, 0 asserted, 0 differ
# bad.txt
# bad
${EXEC} ok ;
#   expected: ENOMEM ;
${EXEC} ok ;
# 2 lines, 2 asserted, 1 differ
# 2 files, 3 lines, 2 asserted, 1 differ
`);
});

test("standard input", async () => {
  const { code, out } = await hugewalk(["run", "-"], { stdin: "A exec => ok" });
  expect([code, out]).toEqual([0, `${EXEC} ok ;\n# 1 line, 1 asserted, 0 differ\n`]);
  expect((await hugewalk(["run", "-"])).err).toBe(
    "hugewalk: <stdin>:1:1: no operation in this file\n",
  );
  const large = await hugewalk(["run", "-"], { stdin: "#".repeat(2 ** 23 + 1) });
  expect([large.code, large.err]).toEqual([2, "hugewalk: <stdin>: larger than 8 MiB\n"]);
});

test("--quiet", async () => {
  const { out } = await hugewalk(["run", "--quiet", "good.txt", "bad.txt"]);
  expect(out).toBe(`# good.txt
# 2 lines, 2 asserted, 0 differ
# bad.txt
# bad.txt:2
${EXEC} ok ;
#   expected: ENOMEM ;
# 2 lines, 2 asserted, 1 differ
# 2 files, 4 lines, 4 asserted, 1 differ
`);
});

test("--explain", async () => {
  const { out } = await hugewalk(["run", "--explain", "free.txt"]);
  expect(out).toBe(`${EXEC} ok ;\n#   - A does exec\n# 1 line, 0 asserted, 0 differ\n`);
});

test("--json", async () => {
  const { code, out } = await hugewalk(["run", "--json", "--explain", "free.txt", "bad.txt"]);
  const objects = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(code).toBe(1);
  expect(objects.map(({ type, differs, differ }) => [type, differs ?? differ])).toEqual([
    ["line", false],
    ["file", 0],
    ["line", true],
    ["line", false],
    ["file", 1],
    ["summary", 1],
  ]);
  expect(objects[0].events).toEqual(["A does exec"]);
  expect(objects[4]).toMatchObject({ kernel: "6.18", lines: 2, asserted: 2 });
  expect(objects[5]).toEqual({ type: "summary", files: 2, lines: 3, asserted: 2, differ: 1 });
  const quiet = await hugewalk(["run", "--json", "--quiet", "good.txt"]);
  expect(quiet.out.split("\n").length).toBe(3);
});

test("a machine that cannot be, in a later file, is found before anything runs", async () => {
  const { code, out, err } = await hugewalk(["run", "good.txt", "large.txt"]);
  expect({ code, out, err }).toEqual({
    code: 2,
    out: "",
    err: "hugewalk: large.txt:2:16: memory: too much\n",
  });
});

test("the machine comes from the header, --kernel from the command line", async () => {
  const GiB = 2 ** 30;
  const config = { memoryBytes: 4 * GiB, nrCpus: 1, nrNodes: 1, hugePages: new Map() };
  const two = await hugewalk(["run", "good.txt", "strict.txt"]);
  // The first one stands for both while it is seen whether there can be such a machine.
  expect(two.configs.slice(1)).toEqual([
    { ...config, kernel: "6.18" },
    { ...config, kernel: "strict" },
  ]);
  const old = await hugewalk(["run", "--kernel", "strict", "old.txt"]);
  expect(old.configs).toEqual([{ ...config, kernel: "strict", memoryBytes: 8 * GiB, nrCpus: 2 }]);
  const pools = await hugewalk(["run", "-"], {
    stdin: "machine hugepages=3 hugepages_1G=1 cpu=skylake-sp\nA exec",
  });
  const hugePages = new Map([
    [2 ** 21, 3],
    [GiB, 1],
  ]);
  expect(pools.configs).toEqual([{ ...config, kernel: "6.18", cpu: "skylake-sp", hugePages }]);
  expect(old.out).toContain("machine kernel=strict\n");
  expect((await hugewalk(["run", "--kernel", "6.1", "strict.txt"])).code).toBe(1);
});

test.each<[Setting, boolean]>([
  [{}, false],
  [{ isTTY: true }, true],
  [{ isTTY: true, env: { NO_COLOR: "1" } }, false],
  [{ isTTY: true, env: { NO_COLOR: "" } }, true],
  [{ isTTY: true, env: { TERM: "dumb" } }, false],
  [{ env: { FORCE_COLOR: "1" } }, true],
  [{ isTTY: true, env: { FORCE_COLOR: "0" } }, false],
  [{ env: { FORCE_COLOR: "1", NO_COLOR: "1" } }, false],
])("colours under %o: %s", async (setting, isColored) => {
  const { out } = await hugewalk(["run", "bad.txt"], setting);
  expect(out.includes("\u001b[")).toBe(isColored);
});

describe("help", () => {
  test.each([
    ["--help", "hugewalk run --explain"],
    ["run --help", "one of 6.1 6.18 strict"],
    ["help run", "one of 6.1 6.18 strict"],
  ])("hugewalk %s", async (command, part) => {
    const { code, out, err } = await hugewalk(command.split(" "));
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^Usage: hugewalk[^]*Examples:\n {2}\$ hugewalk run/);
    expect(out).toContain(part);
  });

  test("without a command it goes to standard error", async () => {
    const { code, out, err } = await hugewalk([]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/^Usage: hugewalk/);
  });

  test("--version", async () => {
    const { code, out } = await hugewalk(["--version"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

async function* twoLines() {
  yield Buffer.from("A exec => ENOMEM\nA exec\n");
}

function failing(code: string): NodeJS.WritableStream {
  return new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error(`write ${code}`), { code }));
    },
  });
}

async function runInto(stdout: NodeJS.WritableStream) {
  const err = capture();
  const io = { stdin: twoLines, stdout, stderr: err.stream, env: {} };
  return { code: await runCli(["run", "-"], io, createFakeEmulator()), err: err.text() };
}

describe("a stream that fails", () => {
  test("a reader that went away changes nothing but the output", async () => {
    expect(await runInto(failing("EPIPE"))).toEqual({ code: 1, err: "" });
  });

  test("a full disk is an error", async () => {
    expect(await runInto(failing("ENOSPC"))).toEqual({
      code: 2,
      err: "hugewalk: cannot write the output: write ENOSPC\n",
    });
  });

  test("a slow reader is waited for", async () => {
    const chunks: string[] = [];
    const slow = new Writable({
      highWaterMark: 1,
      write(chunk, _encoding, done) {
        setTimeout(() => {
          chunks.push(String(chunk));
          done();
        }, 1);
      },
    });
    expect((await runInto(slow)).code).toBe(1);
    expect(chunks.filter(Boolean).length).toBe(4);
  });
});
