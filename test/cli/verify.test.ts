/** `hugewalk verify` with an emulated kernel in the real one's place. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import type { RealKernels } from "../../src/cli/real-kernels.ts";
import { createEmulatedDriver, profileNames } from "../../src/emulated/driver.ts";
import { HugewalkError, ResourceError } from "../../src/errors.ts";
import type { RealKernel } from "../../src/live/real-kernel.ts";
import type { Driver, Outcome } from "../../src/transcript/driver.ts";

const FILES = {
  // The zap of an owner's page is where 6.1 and 6.18 part.
  "zap.txt": `host nr_hugepages 2
P mmap a 1h rw private,anon,huge => EBUSY ;
P write a 1
P fork C
P pagemap a
P munmap a 1h
C read a`,
  "fault.txt": "P signals catch\nP read 8\n",
  "moved.txt": `host nr_hugepages 2
P mmap a 2h rw private,anon,huge
P mremap b a 1h 1h fixed at=0x700000000000
`,
  "named.txt": "machine kernel=6.1 memory=2G\nhost nr_hugepages 1 # a pool\n",
  "wrong.txt": "P exce\n",
};

const EMULATOR = { profileNames, defaultProfile: "6.18", createEmulatedDriver };

interface Setting {
  /** What the real kernel is. */
  readonly profile?: string;
  readonly release?: string;
  /** What it says instead, by operation; it gets how often that was asked. */
  readonly answers?: Readonly<Record<string, (nth: number) => Outcome | undefined>>;
  readonly hasNoImage?: boolean;
}

let directory: string;
let opened: string[] = [];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "hugewalk-"));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text);
});

afterAll(() => rmSync(directory, { recursive: true }));

function fakeKernel({
  profile = "6.18",
  release = "6.18.1-test",
  answers = {},
}: Setting): RealKernel {
  const counts = new Map<string, number>();
  const other = (op: string): Outcome | undefined => {
    const nth = (counts.get(op) ?? 0) + 1;
    counts.set(op, nth);
    return answers[op]?.(nth);
  };
  return {
    release,
    description: `Linux ${release}`,
    lostPages: new Map(),
    async driver(): Promise<Driver> {
      const driver = createEmulatedDriver({ kernel: profile, memoryBytes: 2 ** 30, nrCpus: 1 });
      return {
        isFrameAlive: () => true,
        counters: () => driver.counters(),
        process: (actor, operation) => other(operation.op) ?? driver.process(actor, operation),
        host: (operation) => other(operation.op) ?? driver.host(operation),
      };
    },
    async close() {
      opened.push(`${release} closed`);
    },
  };
}

function fakeKernels(setting: Setting): RealKernels {
  const images = [
    { path: "/boot/vmlinuz-6.18.1", release: "6.18.1-test" },
    { path: "/boot/vmlinuz-6.1.5", release: "6.1.5-test" },
  ];
  return {
    findImages: async () => (setting.hasNoImage ? [] : images),
    imageDirectories: () => ["/cache/kernels", "/boot"],
    readImage: async (path) => {
      const image = images.find((known) => known.path === path);
      if (!image) throw new HugewalkError(`${path}: not the image of an x86 kernel`);
      return image;
    },
    openVm: async ({ release }) => {
      opened.push(release);
      return fakeKernel({ release, ...setting });
    },
    openLive: async () => {
      if (setting.release === undefined) throw new ResourceError("--live needs root");
      opened.push("live");
      return fakeKernel(setting);
    },
  };
}

function capture() {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => chunks.join("").replaceAll(`${directory}/`, "") };
}

async function hugewalk(command: string, setting: Setting = {}) {
  opened = [];
  const [out, err] = [capture(), capture()];
  const args = command.split(" ").map((arg) => (arg in FILES ? join(directory, arg) : arg));
  const io = { stdin: async function* () {}, stdout: out.stream, stderr: err.stream, env: {} };
  const code = await runCli(args, io, EMULATOR, fakeKernels(setting));
  return { code, out: out.text(), err: err.text(), opened };
}

test("kernels that agree; what the file expects is not looked at", async () => {
  expect(await hugewalk("verify zap.txt")).toEqual({
    code: 0,
    out: "# zap.txt: Linux 6.18.1-test, profile 6.18\n# 7 lines, 0 differ\n",
    err: "",
    opened: ["6.18.1-test", "6.18.1-test closed"],
  });
});

test("kernels that differ", async () => {
  const { code, out } = await hugewalk("verify --kernel 6.1 zap.txt");
  expect(code).toBe(1);
  expect(out).toBe(`# zap.txt: Linux 6.18.1-test, profile 6.1
# zap.txt:6
P munmap a 1h                                        => ok ; rsvd=18446744073709551615
#   emulator: ok ;
# 7 lines, 1 differ
`);
});

test("--quiet", async () => {
  expect((await hugewalk("verify --quiet zap.txt fault.txt")).out).toBe(
    "# 2 files, 9 lines, 0 differ\n",
  );
});

test("--json", async () => {
  const { out } = await hugewalk("verify --json --kernel 6.1 zap.txt");
  const objects = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(objects.length).toBe(9);
  expect(objects[5]).toEqual({
    type: "line",
    file: "zap.txt",
    line: 6,
    actor: "P",
    operation: "munmap",
    text: "P munmap a 1h",
    differs: true,
    real: { result: "ok", counters: { rsvd: "18446744073709551615" } },
    emulator: { result: "ok", counters: {} },
  });
  expect(objects[7]).toMatchObject({
    type: "file",
    release: "6.18.1-test",
    profile: "6.1",
    lines: 7,
    differ: 1,
    unavailable: 0,
    steady: true,
  });
  expect(objects[8]).toEqual({ type: "summary", files: 1, lines: 7, differ: 1, unavailable: 0 });
});

test("an address that is not where it should be", async () => {
  const answers = { read: () => ({ result: "SIGSEGV MAPERR", faultOffset: 4 }) };
  const { code, out } = await hugewalk("verify fault.txt", { answers });
  expect(code).toBe(1);
  expect(out).toContain("=> SIGSEGV MAPERR at +4 ;\n#   emulator: SIGSEGV MAPERR ;\n");
});

test("frames are compared by who shares them", async () => {
  const page = { frame: 9, backing: "anon", sharing: "exclusive" } as const;
  const answers = { pagemap: () => ({ result: "", pagemap: [page] }) };
  const { out } = await hugewalk("verify zap.txt", { answers });
  expect(out).toContain("=> [#1 anon exclusive] ;\n#   emulator: [#1 anon shared] ;\n");
});

test("what the kernel was built without is not compared, nor what follows", async () => {
  const answers = { fork: () => ({ result: "ENOSYS" }) };
  const { code, out } = await hugewalk("verify zap.txt", { answers });
  expect(code).toBe(0);
  expect(out).toContain("#   not available on this kernel; the rest was not compared\n");
  expect(out).toContain("# 7 lines, 0 differ, 4 not available\n");
});

test("a kernel that differs once is asked again", async () => {
  const answers = { write: (nth: number) => (nth === 1 ? { result: "EIO" } : undefined) };
  const { code, out } = await hugewalk("verify zap.txt", { answers });
  expect(code).toBe(0);
  expect(out).toContain(
    "# asked twice, the kernel says EIO ; and ok ; free=1 rsvd=0:\n# zap.txt:3\n",
  );
});

test("--record", async () => {
  const { code, out } = await hugewalk("verify --record - named.txt fault.txt");
  expect(code).toBe(0);
  expect(out).toBe(`machine kernel=6.1 memory=2G
host nr_hugepages 1                                  => ok ; total=1 free=1  # a pool
machine memory=4G kernel=6.18
P signals catch                                      => ok ;
P read 8                                             => SIGSEGV MAPERR ;
`);
  const folder = join(directory, "recorded");
  expect(await hugewalk(`verify --record ${folder} zap.txt`)).toMatchObject({ code: 0, out: "" });
  const recorded = readFileSync(join(folder, "zap.txt"), "utf8");
  expect(recorded).toContain(
    "P mmap a 1h rw private,anon,huge                     => ok ; rsvd=1\n",
  );
  expect(recorded).not.toContain("expected");
});

test("what is not the same twice is no recording", async () => {
  const answers = { write: (nth: number) => (nth === 1 ? { result: "EIO" } : undefined) };
  expect(await hugewalk("verify --record - zap.txt", { answers })).toMatchObject({
    code: 2,
    out: "",
    err: 'hugewalk: zap.txt:3:1: recorded twice, the kernel says "EIO ;" and "ok ; free=1 rsvd=0"\n',
  });
});

test("the image that fits the file, or the one that is asked for", async () => {
  expect((await hugewalk("verify named.txt fault.txt")).opened).toEqual([
    "6.1.5-test",
    "6.1.5-test closed",
    "6.18.1-test",
    "6.18.1-test closed",
  ]);
  const { opened } = await hugewalk("verify --vm /boot/vmlinuz-6.1.5 fault.txt");
  expect(opened).toEqual(["6.1.5-test", "6.1.5-test closed"]);
});

test.each<[string, Setting, string]>([
  ["verify wrong.txt", {}, 'wrong.txt:1:3: unknown operation "exce" (did you mean "exec"?)'],
  [
    "verify --kernel 7 zap.txt",
    {},
    `--kernel: unknown kernel "7"; one of ${profileNames.join(" ")}`,
  ],
  ["verify --live --vm x zap.txt", {}, "--live and --vm exclude each other"],
  ["verify --live zap.txt", {}, "zap.txt: --live needs root"],
  [
    "verify --max-pages many zap.txt",
    {},
    "option '--max-pages <n>' argument 'many' is invalid. not a number.",
  ],
  ["verify --vm /etc/passwd zap.txt", {}, "zap.txt: /etc/passwd: not the image of an x86 kernel"],
  [
    "verify zap.txt",
    { hasNoImage: true },
    'zap.txt: no kernel image to boot; "hugewalk kernels" says how to get one',
  ],
  [
    "verify zap.txt",
    { release: "6.8.0-31-generic" },
    `zap.txt: no profile for Linux 6.8.0-31-generic; --kernel takes one of ${profileNames.join(" ")}`,
  ],
  [
    "verify --live moved.txt",
    { release: "6.18.1-test" },
    "moved.txt:3:1: refused with --live: mremap of a part of a private mapping loses its pages (--vm runs it)",
  ],
])("hugewalk %s", async (command, setting, message) => {
  expect(await hugewalk(command, setting)).toMatchObject({
    code: 2,
    out: "",
    err: `hugewalk: ${message}\n`,
  });
});

test("kernels", async () => {
  const { code, out } = await hugewalk("kernels");
  expect(code).toBe(0);
  expect(out).toMatch(/^6\.18 +6\.18\.1-test +\/boot\/vmlinuz-6\.18\.1\n6\.1 +6\.1\.5-test /);
  expect(out).toContain("apt-get download linux-image-");
  expect((await hugewalk("kernels", { hasNoImage: true })).out).toMatch(
    /^# no kernel image found\n/,
  );
});
