import { describe, expect, it, test } from "vitest";
import { Tree } from "../../src/programs/b-tree.ts";
import { KiB, MiB, OffsetSink, TextSink, linesOf, offsetsOf } from "./recorded.ts";

function lookUp(nrNodes: number, leaf: number, place: number): string {
  const sink = new TextSink();
  new Tree(nrNodes).lookUp(leaf, place, sink);
  return sink.lines.map((line) => line.replace(/^R (.*)\+8$/, "$1")).join(" ");
}

/** Keys at 8 + 8 × number, children and values at 0x800 + 8 × number. */
test("a leaf alone: header, binary search, value", () => {
  // Keys 127, 63, 31, 15, 7, 3, 1, 0 are compared, and are not below.
  expect(lookUp(1, 0, 0)).toBe("0x0 0x400 0x200 0x100 0x80 0x40 0x20 0x10 0x8 0x800");
  // Key 127, the one looked for, is not below; 63, 95, 111, 119, 123, 125, 126 are.
  expect(lookUp(1, 0, 127)).toBe("0x0 0x400 0x200 0x300 0x380 0x3c0 0x3e0 0x3f0 0x3f8 0xbf8");
  // Keys 127, 191, 223, 239, 247, 251, 253 are below the last one, 254, which is compared, too.
  expect(lookUp(1, 0, 254)).toBe("0x0 0x400 0x600 0x700 0x780 0x7c0 0x7e0 0x7f0 0x7f8 0xff0");
});

test("three nodes: a root with two children, one key between them", () => {
  const rest = "400 200 100 80 40 20 10 8 800".split(" ");
  const leafAt = (page: number) => ["000", ...rest].map((o) => `0x${page}${o.padStart(3, "0")}`);
  expect(lookUp(3, 0, 0)).toBe(["0x0 0x8 0x800", ...leafAt(1)].join(" "));
  expect(lookUp(3, 1, 0)).toBe(["0x0 0x8 0x808", ...leafAt(2)].join(" "));
});

describe("depth", () => {
  it.each([
    [1, 1, 1],
    // A root with one child would be none.
    [2, 1, 1],
    [3, 2, 2],
    [257, 2, 256],
    [258, 2, 256],
    [259, 2, 256],
    // Two nodes above 257 leaves, and the root.
    [260, 3, 257],
    [1 + 256 + 65536, 3, 65536],
    [1 + 256 + 65536 + 3, 3, 65536],
    [1 + 2 + 257 + 65537, 4, 65537],
    // 1 GiB: 261,120 leaves, 1020, 4, 1 are too many nodes by 1.
    [262_144, 4, 261_119],
  ])("of %d nodes: %d levels, %d leaves", (nrNodes, depth, nrLeaves) => {
    const tree = new Tree(nrNodes);
    expect([tree.depth, tree.nrLeaves]).toEqual([depth, nrLeaves]);
  });

  it("is as many pages a look-up", () => {
    const offsets = offsetsOf("b-tree", { bytes: 64 * MiB, nrReferences: 30_000 });
    // 16,384 nodes: 16,319 leaves, 64, 1. A look-up begins at the root's header.
    const starts = offsets.flatMap((offset, i) => (offset === 0 ? [i] : []));
    const pagesOf = (from: number, end: number) => {
      return new Set(offsets.slice(from, end).map((offset) => Math.floor(offset / 4096))).size;
    };
    const pages = starts.slice(1).map((end, i) => pagesOf(starts[i], end));
    expect(new Set(pages)).toEqual(new Set([3]));
  });
});

test("each leaf is reached through its own way down", () => {
  const tree = new Tree(1000);
  // 995 leaves, 4 nodes above, and the root.
  expect(tree.nrLeaves).toBe(995);
  const leaves = Array.from({ length: tree.nrLeaves }, (_, leaf) => {
    const sink = new OffsetSink();
    tree.lookUp(leaf, 0, sink);
    return [...new Set(sink.offsets.map((offset) => Math.floor(offset / 4096)))];
  });
  expect(leaves).toEqual(
    Array.from({ length: 995 }, (_, leaf) => [0, 1 + Math.floor(leaf / 256), 5 + leaf]),
  );
});

test("keys are uniformly random", () => {
  const offsets = offsetsOf("b-tree", { bytes: 4 * KiB, nrReferences: 100_000 });
  const values = offsets.filter((offset) => offset >= 2048);
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  // 255 values, some 39 times each.
  expect(counts.size).toBe(255);
  expect(Math.max(...counts.values())).toBeLessThan(80);
  expect(linesOf("b-tree", { nrReferences: 1 })).toEqual(["R 0x0+8"]);
});
