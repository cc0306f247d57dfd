/** Programs so small that what they must refer to is written here, by hand. */
import { expect, test } from "vitest";
import { transposeMatrix } from "../../src/programs/transpose.ts";
import { KiB, TextSink, linesOf } from "./recorded.ts";

test("sequential: to the last whole word, and again", () => {
  const lines = linesOf("sequential", { bytes: 4103, nrReferences: 514 });
  expect(lines.slice(0, 3)).toEqual(["R 0x0+8", "R 0x8+8", "R 0x10+8"]);
  expect(lines.slice(510)).toEqual(["R 0xff0+8", "R 0xff8+8", "R 0x0+8", "R 0x8+8"]);
});

test("stride: a page and a line further, and again", () => {
  const lines = linesOf("stride", { bytes: 3 * 4160 + 8, nrReferences: 6 });
  expect(lines).toEqual([
    "R 0x0+8",
    "R 0x1040+8",
    "R 0x2080+8",
    "R 0x30c0+8",
    "R 0x0+8",
    "R 0x1040+8",
  ]);
  // One byte less, and the last word does not fit.
  expect(linesOf("stride", { bytes: 3 * 4160 + 7, nrReferences: 4 })[3]).toBe("R 0x0+8");
});

test("random: words, all of them in the end", () => {
  const lines = linesOf("random", { nrReferences: 10_000 });
  const all = Array.from({ length: 512 }, (_, i) => `R 0x${(i * 8).toString(16)}+8`);
  expect(new Set(lines)).toEqual(new Set(all));
});

test("gups: what is loaded is stored; all words in the end", () => {
  const lines = linesOf("gups", { nrReferences: 20_000 });
  const loads = lines.filter((_, i) => i % 2 === 0);
  const stores = lines.filter((_, i) => i % 2 === 1);
  expect(stores).toEqual(loads.map((line) => line.replace("R", "W")));
  expect(new Set(loads).size).toBe(512);
});

test("transpose: 4 × 4", () => {
  const sink = new TextSink();
  for (const _ of transposeMatrix(sink, 4));
  // Rows of 0x20 bytes; the result is at 0x80.
  expect(sink.lines.join("  ")).toBe(
    [
      "R 0x0+8  W 0x80+8  R 0x8+8  W 0xa0+8  R 0x10+8  W 0xc0+8  R 0x18+8  W 0xe0+8",
      "R 0x20+8  W 0x88+8  R 0x28+8  W 0xa8+8  R 0x30+8  W 0xc8+8  R 0x38+8  W 0xe8+8",
      "R 0x40+8  W 0x90+8  R 0x48+8  W 0xb0+8  R 0x50+8  W 0xd0+8  R 0x58+8  W 0xf0+8",
      "R 0x60+8  W 0x98+8  R 0x68+8  W 0xb8+8  R 0x70+8  W 0xd8+8  R 0x78+8  W 0xf8+8",
    ].join("  "),
  );
});

test("transpose: as large a matrix as fits twice, again and again", () => {
  // 4 KiB: 16 × 16 words of 8 bytes, twice.
  const lines = linesOf("transpose", { bytes: 4 * KiB, nrReferences: 514 });
  expect(lines.slice(0, 4)).toEqual(["R 0x0+8", "W 0x800+8", "R 0x8+8", "W 0x880+8"]);
  expect(lines.slice(510)).toEqual(["R 0x7f8+8", "W 0xff8+8", "R 0x0+8", "W 0x800+8"]);
  expect(new Set(lines.slice(0, 512)).size).toBe(512);
});

test("zipf: a bucket, then its value from end to end; a key has one of each", () => {
  // 4 KiB: three keys, their buckets at 0xc00.
  const lines = linesOf("zipf", { nrReferences: 65 * 200 });
  const valueOf = new Map<string, string>();
  for (let i = 0; i < lines.length; i += 65) {
    const [bucket, ...loads] = lines.slice(i, i + 65);
    const value = Number(loads[0].slice(2, -3));
    expect(loads).toEqual(
      Array.from({ length: 64 }, (_, i) => `R 0x${(value + 16 * i).toString(16)}+16`),
    );
    expect(valueOf.get(bucket) ?? loads[0]).toBe(loads[0]);
    valueOf.set(bucket, loads[0]);
  }
  expect(new Set(valueOf.keys())).toEqual(new Set(["R 0xc00+8", "R 0xc08+8", "R 0xc10+8"]));
  expect(new Set(valueOf.values())).toEqual(new Set(["R 0x0+16", "R 0x400+16", "R 0x800+16"]));
});

test("hash-join: built in order, probed in order, each key in its slot, and again", () => {
  // 4 KiB: 36 tuples of 16 bytes, 72 slots from 0x240 on, 144 probes from 0x6c0 on.
  const perBuild = 36 * 3;
  const perJoin = perBuild + 144 * 2;
  const lines = linesOf("hash-join", { nrReferences: perJoin + 3 });
  const slots = new Set<number>();
  for (let i = 0; i < 36; i++) {
    const [tuple, key, write] = lines.slice(3 * i, 3 * i + 3);
    const slot = Number(key.slice(2, -2));
    expect(tuple).toBe(`R 0x${(16 * i).toString(16)}+16`);
    expect(write).toBe(`W 0x${slot.toString(16)}+16`);
    expect(slot % 16 === 0 && slot >= 0x240 && slot < 0x6c0).toBe(true);
    slots.add(slot);
  }
  expect(slots.size).toBe(36);
  const probed = new Set<number>();
  for (let i = 0; i < 144; i++) {
    const [tuple, slot] = lines.slice(perBuild + 2 * i, perBuild + 2 * i + 2);
    expect(tuple).toBe(`R 0x${(0x6c0 + 16 * i).toString(16)}+16`);
    expect(slot).toMatch(/\+16$/);
    probed.add(Number(slot.slice(2, -3)));
  }
  // 144 of 36 keys: about 35 of them are probed.
  expect(probed.size).toBeGreaterThan(30);
  expect([...probed].filter((slot) => !slots.has(slot))).toEqual([]);
  expect(lines.slice(perJoin)).toEqual(lines.slice(0, 3));
});
