/**
 * What a text that is right is read as.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseTranscript } from "../../src/transcript/parse.ts";
import { decodeTranscript } from "../../src/transcript/text.ts";
import { RECORDINGS, recordingUrl, scriptOf } from "./fake-driver.ts";

test.each(RECORDINGS)("the recording %s is a script", (name) => {
  const text = readFileSync(recordingUrl(name), "utf8");
  const { lines, operations } = scriptOf(text, name);
  expect(lines.length).toBe(text.split("\n").length - 1);
  const nrOperations = text.split("\n").filter((line) => /^(?!machine)[^#]/.test(line)).length;
  expect(operations.length).toBe(nrOperations);
});

test("the whole language is understood", () => {
  const text = `
    A open f /mnt/huge/f creat trunc
    A mmap a 2h rw shared,noreserve fd=f off=0x7fffffffffe00000 => EOVERFLOW ;
    A fallocate f punch 1h 1h      => ok ; free=2
    A fstat f                      => size=2h+0 blocks=0 nlink=1 blksize=2097152 ;
    A memfd m huge=1G seal
    A shmget s 4h huge=2M noreserve
    A shmat b s rdonly at=0x10000000
    A shmdt b
    host mount /mnt/huge min_size=6M,size=50%,mode=0700,uid=5
    host statfs /mnt/huge`;
  expect(parseTranscript(text, "f", { refuseUnmodelled: false }).errors).toBeUndefined();
});

test("arguments", () => {
  const script = scriptOf(`
A mmap a 1h+0x10 rx private,anon,huge=1G,32bit off=2p at=0x7fff00000000+1g # why
A read a+2h+8
A touch write a 3 0xffffffffffffffff
A exit`);
  expect(script.operations.map(({ args }) => Object.fromEntries(args))).toEqual([
    {
      NAME: { kind: "word", word: "a" },
      LEN: { kind: "number", number: 2 ** 21 + 16 },
      PROT: { kind: "protection", protection: { read: true, write: false, execute: true } },
      FLAGS: {
        kind: "flags",
        flags: new Set(["private", "anon", "huge", "32bit"]),
        hugeSize: 2 ** 30,
      },
      off: { kind: "number", number: 8192 },
      at: { kind: "address", address: { offset: 0x7fff40000000 } },
    },
    { ADDR: { kind: "address", address: { name: "a", offset: 2 ** 22 + 8 } } },
    {
      "read|write": { kind: "word", word: "write" },
      ADDR: { kind: "address", address: { name: "a", offset: 0 } },
      PAGES: { kind: "number", number: 3 },
      VALUE: { kind: "value", value: 0xffffffffffffffffn },
    },
    {},
  ]);
  expect(script.operations[0].comment).toBe("# why");
});

test.each([
  ["0", 0],
  ["010", 10],
  ["0x10", 16],
  ["0xAf", 175],
  ["3h", 3 * 2 ** 21],
  ["0x10p", 2 ** 16],
  ["5k", 5120],
  ["5K", 5120],
  ["1m", 2 ** 20],
  ["1M", 2 ** 20],
  ["7g", 7 * 2 ** 30],
  ["7G", 7 * 2 ** 30],
])("the number %s is %d", (text, number) => {
  const [line] = scriptOf(`A munmap 0 ${text}`).operations;
  expect(line.args.get("LEN")).toEqual({ kind: "number", number });
});

test.each([
  ["nr_hugepages 3", undefined, "3"],
  ["nr_hugepages -1", undefined, "-1"],
  ["nr_hugepages abc", undefined, "abc"],
  ["nr_hugepages 1G", undefined, "1G"],
  ["nr_hugepages 1G 2", 2 ** 30, "2"],
  ["nr_hugepages 2M -1", 2 ** 21, "-1"],
  ["nr_overcommit_hugepages 3 4", undefined, "3 4"],
  ["sysctl_nr_hugepages 3 4 # five", undefined, "3 4"],
])("host %s", (text, size, count) => {
  const [line] = scriptOf(`host ${text}`).operations;
  const hugeSize = size === undefined ? undefined : { kind: "number", number: size };
  expect(line.args.get("SIZE")).toEqual(hugeSize);
  expect(line.args.get("COUNT")).toEqual({ kind: "word", word: count });
});

test("a size at the end is a size where nothing has to follow it", () => {
  const lines = scriptOf("host node_hugepages 1 1G\nhost node_hugepages 1").operations;
  expect(lines[0].args.get("SIZE")).toEqual({ kind: "number", number: 2 ** 30 });
  expect(lines[1].args.get("SIZE")).toBeUndefined();
});

test("expectations", () => {
  const script = scriptOf(`
A exec
A exec =>  killed   SIGBUS
A exec => ok ;
A exec => ok ; free=1  1G.surp=18446744073709551615 # [#1 as printed]
A pagemap 0 2 => [-] [#12 file  shared] ;
A pagemap 0 => dead`);
  expect(script.operations.map(({ expectation }) => expectation)).toEqual([
    undefined,
    { text: "killed SIGBUS", result: "killed SIGBUS" },
    { text: "ok ;", result: "ok", counters: new Map() },
    {
      text: "ok ; free=1 1G.surp=18446744073709551615",
      result: "ok",
      counters: new Map([
        ["free", 1n],
        ["1G.surp", 18446744073709551615n],
      ]),
    },
    {
      text: "[-] [#12 file shared] ;",
      result: "[-] [#12 file shared]",
      pages: [undefined, { label: 12, backing: "file", sharing: "shared" }],
      counters: new Map(),
    },
    { text: "dead", result: "dead" },
  ]);
});

test("the machine", () => {
  const { machine } = scriptOf(`# a big one
machine memory=64G kernel=6.12
machine cpus=2 cpu=skylake-sp hugepages=8 hugepages_1G=0
A exec`);
  const { places, ...values } = machine;
  expect(values).toEqual({
    memoryBytes: 64 * 2 ** 30,
    kernel: "6.12",
    cpu: "skylake-sp",
    nrCpus: 2,
    nrHugePages: 8,
    nrHugePages1G: 0,
  });
  expect(places.get("kernel")).toEqual({ file: "test.txt", line: 2, column: 27 });
});

test("comments and blank lines are kept", () => {
  const { lines } = scriptOf("machine memory=1G\n\n  # one\r\n \t\n A exec =>ok#no\t# two # 3\n");
  expect(lines.map(({ kind, text }) => [kind, text])).toEqual([
    ["machine", "machine memory=1G"],
    ["blank", ""],
    ["comment", "  # one"],
    ["blank", " \t"],
    ["operation", " A exec"],
  ]);
  expect(lines[4]).toMatchObject({ comment: "# two # 3", expectation: { result: "ok#no" } });
});

test("bytes that are not text are refused with their place", () => {
  const bytes = (...parts: (string | number[])[]) =>
    Buffer.concat(parts.map((p) => Buffer.from(p)));
  expect(decodeTranscript(bytes([0xef, 0xbb, 0xbf], "A exec"), "f")).toBe("A exec");
  expect(decodeTranscript(bytes("# \uFFFD ü"), "f")).toBe("# \uFFFD ü");
  expect(() => decodeTranscript(bytes("ü\nA ", [0xff], "x"), "f")).toThrow(
    "f:2:3: not a text file: not UTF-8",
  );
  expect(() => decodeTranscript(bytes("# \uFFFD", [0xc3]), "f")).toThrow(
    "f:1:4: not a text file: not UTF-8",
  );
});
