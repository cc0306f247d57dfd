/** Records that cannot be understood, traces that end early, and what compresses them. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { binaryEnd, binaryHeader } from "../../src/trace/binary.ts";
import { formatNamed } from "../../src/trace/formats.ts";
import { champsim, drmemtrace, read } from "./traces.ts";

const LACKEY = readFileSync(new URL("../traces/small.lackey", import.meta.url));

describe("a broken record names its place, and --lenient skips it", () => {
  const word = Buffer.alloc(8, 0xff);
  const cases: [string, Buffer | string, string, number][] = [
    [
      "lackey",
      " L 10,4\n L 1g,4\n S 20,8\n",
      'line 2: no reference as lackey writes them: " L 1g,4"',
      2,
    ],
    ["lackey", " L 10,4\n L 10,0\n", 'line 2: no reference as lackey writes them: " L 10,0"', 1],
    ["csv", "1,R,0x10,4\n1,X,0x10,4\n", "line 2: no kind: R, W, F or M", 1],
    ["csv", "1,R,0x10,4\nx,R,1,4\n", "line 2: no decimal tid", 1],
    ["csv", "1,R,0x10,4\n1,R,zz,4\n", "line 2: no address", 1],
    ["csv", "1,R,0x10,4\n1,R\n", "line 2: no address", 1],
    ["csv", "1,R,0x10,4\n1,R,0x7f00000000000000,4\n", "line 2: a non-canonical address", 1],
    ["csv", "1,R,0x10,4\n1,R,0x20,4x\n", "line 2: no decimal size", 1],
    ["csv", "1,R,0x10,4\n1,R,0x20,0\n", "line 2: a size that is not 1 to 1048576", 1],
    [
      "drmemtrace",
      drmemtrace([0, 4, 16n], [77, 0, 0n], [1, 4, 16n]),
      "byte 12: a record of type 77, which no drmemtrace has",
      2,
    ],
    ["drmemtrace", drmemtrace([0, 4, 16n], [0, 0, 16n]), "byte 12: an access of 0 bytes", 1],
    [
      "drmemtrace",
      drmemtrace([0, 4, 16n], [0, 4, 1n << 60n]),
      "byte 12: a non-canonical address",
      1,
    ],
    [
      "drmemtrace",
      drmemtrace([0, 4, 16n], [0, 4, 16n]).subarray(0, 23),
      "byte 12: the trace ends within a record, after 11 bytes",
      1,
    ],
    [
      "champsim",
      Buffer.concat([champsim(64n), Buffer.alloc(64)]),
      "byte 64: an instruction at address 0",
      1,
    ],
    [
      "champsim",
      Buffer.concat([champsim(64n), champsim(1n << 60n)]),
      "byte 64: a non-canonical address",
      1,
    ],
    [
      "perf",
      "1 x: 10 20\nnonsense\n",
      "line 2: no sample as `perf script -F tid,event,addr,ip` prints them",
      1,
    ],
    ["binary", Buffer.concat([binaryHeader(false), word, binaryEnd(0)]), "byte 16: ", 0],
    [
      "binary",
      Buffer.concat([binaryHeader(false), Buffer.alloc(8)]),
      "byte 24: the trace's end is missing",
      1,
    ],
    [
      "binary",
      Buffer.concat([binaryHeader(false), binaryEnd(0), Buffer.alloc(8)]),
      "byte 24: a word behind the end",
      0,
    ],
    [
      "binary",
      Buffer.concat([binaryHeader(false), binaryEnd(3)]),
      "byte 16: 0 references where 3 were written",
      0,
    ],
    ["binary", "HWTRACE\0\u0009\0\0\0\0\0\0\0", "byte 0: version 9; this reads 1", 0],
  ];
  for (const [name, bytes, message, nrRead] of cases) {
    test(`${name}: ${message}`, async () => {
      const format = formatNamed(name);
      await expect(read(bytes, { format })).rejects.toThrow(`trace: ${message}`);
      const { trace, lines } = await read(bytes, { format, isLenient: true });
      expect(lines.length).toBe(nrRead);
      expect(trace.nrBroken).toBeGreaterThan(0);
      expect(trace.firstBroken?.message).toContain(message);
    });
  }

  test("its place is the same in pieces", async () => {
    const format = formatNamed("drmemtrace");
    const bytes = drmemtrace([0, 4, 16n], [0, 4, 16n], [77, 0, 0n]);
    await expect(read(bytes, { format, nrBytes: 5 })).rejects.toThrow("byte 24: ");
  });
});

test("nothing, and a line without end", async () => {
  await expect(read("")).rejects.toThrow("trace: an empty trace");
  const endless = ` L 10,4\n${"x".repeat(70_000)}`;
  await expect(read(endless, { nrBytes: 1000 })).rejects.toThrow("byte 8: a line without end");
});

describe("compressed", () => {
  const whole = async () => (await read(LACKEY)).lines;

  test("gzip, also of several members", async () => {
    expect((await read(gzipSync(LACKEY))).lines).toEqual(await whole());
    const two = Buffer.concat([gzipSync(LACKEY.subarray(0, 999)), gzipSync(LACKEY.subarray(999))]);
    expect((await read(two, { nrBytes: 10 })).lines).toEqual(await whole());
  });

  test("gzip that ends early or is broken", async () => {
    const bytes = gzipSync(LACKEY);
    await expect(read(bytes.subarray(0, 300))).rejects.toThrow(
      /^trace: the compressed data ends early, behind \d+ bytes of the trace$/,
    );
    bytes[200] ^= 0xff;
    await expect(read(bytes)).rejects.toThrow(/^trace: broken \(/);
  });

  test("xz, by its program", async () => {
    const bytes = execFileSync("xz", ["-c"], { input: LACKEY });
    expect((await read(bytes, { nrBytes: 100 })).lines).toEqual(await whole());
    await expect(read(bytes.subarray(0, 300))).rejects.toThrow(
      "trace: xz cannot read it: Unexpected end of input",
    );
    const { PATH } = process.env;
    process.env["PATH"] = "/nowhere";
    try {
      await expect(read(bytes)).rejects.toThrow(
        "trace: needs xz to be read: install the package xz-utils",
      );
    } finally {
      process.env["PATH"] = PATH;
    }
  });

  test("a zip of chunks, by its program and from its standard input", async () => {
    const directory = mkdtempSync(join(tmpdir(), "hugewalk-"));
    try {
      const [one, two] = [LACKEY.subarray(0, 1500), LACKEY.subarray(1500)];
      writeFileSync(join(directory, "chunk.0000"), one);
      writeFileSync(join(directory, "chunk.0001"), two);
      const chunks = ["chunk.0000", "chunk.0001"];
      for (const flags of ["-q", "-q0"]) {
        const bytes = execFileSync("zip", [flags, "-", ...chunks], { cwd: directory });
        if (flags === "-q")
          expect((await read(bytes, { nrBytes: 50 })).lines).toEqual(await whole());
        execFileSync("zip", [flags, "trace.zip", ...chunks], { cwd: directory });
        const file = readFileSync(join(directory, "trace.zip"));
        for (const nrBytes of [7, 1 << 20])
          expect((await read(file, { nrBytes })).lines).toEqual(await whole());
        rmSync(join(directory, "trace.zip"));
        await expect(read(file.subarray(0, 1000))).rejects.toThrow("trace: the");
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
