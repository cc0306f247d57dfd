/** What every format's records mean. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { binaryEnd, binaryHeader } from "../../src/trace/binary.ts";
import { createBinaryEncoder } from "../../src/trace/encode.ts";
import { FORMAT_NAMES, formatNamed } from "../../src/trace/formats.ts";
import { Trace } from "../../src/trace/trace.ts";
import { encodeReference } from "../../src/hardware/access-kind.ts";
import { champsim, drmemtrace, inPieces, read } from "./traces.ts";

const LACKEY = readFileSync(new URL("../traces/small.lackey", import.meta.url));

describe("lackey", () => {
  test("a real trace", async () => {
    const { trace, lines } = await read(LACKEY);
    expect(trace.format.name).toBe("lackey");
    const count = (kind: string) => lines.filter((line) => line.split(",")[1] === kind).length;
    const text = LACKEY.toString();
    const has = (kind: string) => text.split(`\n${kind} `).length - 1;
    expect([count("F"), count("R"), count("W")]).toEqual([
      has("I "),
      has(" L") + has(" M"),
      has(" S") + has(" M"),
    ]);
    expect(count("F")).toBe(138);
    expect(lines.slice(0, 4)).toEqual([
      "0,F,0x4014f0,2",
      "0,F,0x4014f2,3",
      "0,F,0x4014f5,1",
      "0,R,0x1fff000780,8",
    ]);
  });

  test("every kind, size and length of address", async () => {
    const text = ` M ffffffff81000ff8,512\r\n==1== done\n\n L 0000000a,16\n S 123456789abcdef,17\n${"I  7fffffffffff,15"}`;
    expect((await read(text, { format: formatNamed("lackey"), isLenient: true })).lines).toEqual([
      "0,R,0xffffffff81000ff8,512",
      "0,W,0xffffffff81000ff8,512",
      "0,R,0xa,16",
      "0,F,0x7fffffffffff,15",
    ]);
  });
});

test("drmemtrace: instructions, bundles, threads; all else is passed over", async () => {
  const bytes = drmemtrace(
    [25, 0, 2n],
    [28, 3, 99n],
    [22, 0, 0x1_0000_0007n],
    [24, 0, 7n],
    [47, 4, 0x90909090n],
    [10, 4, 0xffff_fffen],
    [17, 2, 0x0503n],
    [0, 8, 0x7fff_ffff_eff8n],
    [1, 64, 0x1000n],
    [3, 1, 0x2000n],
    [29, 2, 0x3000n],
    [16, 1, 0x3000n],
    [31, 2, 0x3001n],
    [48, 2, 0x3003n],
    [49, 2, 0x3005n],
    [26, 0, 0n],
  );
  const { trace, lines } = await read(bytes);
  expect(trace.format.name).toBe("drmemtrace");
  expect(lines).toEqual(
    [
      "F,0xfffffffe,4",
      "F,0x100000002,3",
      "F,0x100000005,5",
      "R,0x7fffffffeff8,8",
      "W,0x1000,64",
      "F,0x3000,1",
      "F,0x3001,2",
      "F,0x3003,2",
      "F,0x3005,2",
    ].map((line) => `4294967303,${line}`),
  );
});

test("ChampSim and CloudSuite are told apart by content", async () => {
  const [loads, stores] = [[0x5000n, 0n, 0x6000n], [0x7000n]];
  const standard = [0x400000n, 0x400004n, 0x400008n].map((ip) => champsim(ip, { loads, stores }));
  const cloud = [0x400000n, 0x400004n].map((ip, asid) => champsim(ip, { loads, stores, asid }));
  const one = await read(Buffer.concat(standard));
  expect(one.trace.format.name).toBe("champsim");
  expect(one.lines.slice(0, 5)).toEqual(
    ["F,0x400000", "R,0x5000", "R,0x6000", "W,0x7000", "F,0x400004"].map((line) => `0,${line},1`),
  );
  const other = await read(Buffer.concat(cloud));
  expect(other.trace.format.name).toBe("cloudsuite");
  expect(other.lines.slice(3, 6)).toEqual(["0,W,0x7000,1", "1,F,0x400004,1", "1,R,0x5000,1"]);
});

test("CSV: kinds, bases, headings and comments", async () => {
  const text =
    "# a comment\ntid,kind,addr,size\n\n1,R,0x7ffff7a00ff8,16\r\n" +
    "1,store,4096,8\n18446744,i,18446744071578845184,1\n2,M,0XABC,3";
  const { trace, lines } = await read(text);
  expect(trace.format.name).toBe("csv");
  expect(lines).toEqual([
    "1,R,0x7ffff7a00ff8,16",
    "1,W,0x1000,8",
    "18446744,F,0xffffffff81000000,1",
    "2,R,0xabc,3",
    "2,W,0xabc,3",
  ]);
});

test("perf script: samples with and without addresses", async () => {
  const text = [
    " 5161 page-faults:     555f8bf675c0 ffffffff81775b9a",
    "              ls  5162 [001] 17745.2:      1 cpu/mem-stores/P:  7f7d74d70110 7f7d74d70000 f+0x1",
    "  perf 12/13 1.5: 100 mem-loads: 7f00 5080021 |OP LOAD|LVL L1 hit|TLB N/A| 401000 main (a.out)",
    " 5161 cycles:                0 401234",
    " 5161 7f7d74d77000 401238",
    "\t401234 main (a.out)",
    "",
  ].join("\n");
  const { trace, lines } = await read(text);
  expect([trace.format.name, trace.hasSamples]).toEqual(["perf", true]);
  expect(lines).toEqual([
    "5161,R,0x555f8bf675c0,1",
    "5162,W,0x7f7d74d70110,1",
    "13,R,0x7f00,1",
    "5161,F,0x401234,1",
    "5161,R,0x7f7d74d77000,1",
  ]);
});

describe("binary", () => {
  async function toBinary(bytes: Uint8Array, name?: string) {
    const trace = await Trace.open(inPieces(bytes, 1000), name ?? "trace");
    const encoder = createBinaryEncoder(trace.hasSamples);
    const parts = [Buffer.from(encoder.begin())];
    let nrReferences = 0;
    for await (const batch of trace.batches()) {
      parts.push(Buffer.from(encoder.encode(batch)));
      ({ nrReferences } = batch);
    }
    return Buffer.concat([...parts, encoder.end(nrReferences)]);
  }

  test("is the same trace again", async () => {
    const text =
      "7,R,0xffffffff81000ff8,16\n7,W,0x7fff,17\n4294967303,F,0x7fffffffffff,512\n0,R,0x1,8\n";
    const { trace, lines } = await read(await toBinary(Buffer.from(text)));
    expect(trace.format.name).toBe("binary");
    expect(lines.join("\n")).toBe(text.trimEnd());
    expect((await read(await toBinary(LACKEY))).lines).toEqual((await read(LACKEY)).lines);
  });

  test("keeps that it has samples, and their instructions", async () => {
    const bytes = await toBinary(Buffer.from("5161 page-faults: 555f8bf675c0 ffffffff81775b9a\n"));
    expect((await read(bytes)).trace.hasSamples).toBe(true);
    const words = new BigUint64Array(
      bytes.buffer.slice(bytes.byteOffset + 16, bytes.byteOffset + bytes.length),
    );
    expect([...words].map((word) => word.toString(16))).toEqual([
      "c00000000001429",
      "2dffffff81775b9a",
      "555f8bf675c0",
      "fc00000000000001",
    ]);
  });

  test("a reference of up to 8 bytes is one of `Cpu.replay`", async () => {
    const word = Buffer.alloc(8);
    word.writeBigUInt64LE(encodeReference(0xffff_ffff_8100_0ff8n, "write", 8));
    const bytes = Buffer.concat([binaryHeader(false), word, binaryEnd(1)]);
    expect((await read(bytes)).lines).toEqual(["0,W,0xffffffff81000ff8,8"]);
  });
});

test("pieces of any length give the same", async () => {
  const bytes = drmemtrace(
    [25, 0, 2n],
    ...Array.from({ length: 300 }, (_, i): [number, number, bigint] => [
      i % 2,
      20,
      BigInt(i) << 12n,
    ]),
  );
  for (const whole of [LACKEY, bytes]) {
    const { lines } = await read(whole);
    expect(lines.length).toBeGreaterThan(200);
    for (const nrBytes of [1, 13, 4096])
      expect((await read(whole, { nrBytes })).lines).toEqual(lines);
  }
});

test("a format can be named; content beats the name, the name decides where content is silent", async () => {
  expect(FORMAT_NAMES).toContain("lackey");
  const header = drmemtrace([22, 0, 5n], [0, 8, 0x1000n]);
  expect((await read(header, { format: formatNamed("drmemtrace") })).lines).toEqual([
    "5,R,0x1000,8",
  ]);
  expect((await read(header, { name: "a.memtrace.gz" })).lines).toEqual(["5,R,0x1000,8"]);
  expect((await read("1,R,0x10,1\n", { name: "x.champsimtrace" })).trace.format.name).toBe("csv");
  await expect(read(header)).rejects.toThrow(
    "trace: no format of traces that is known; name one of binary, ",
  );
});
