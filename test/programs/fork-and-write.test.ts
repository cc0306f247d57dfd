import { describe, expect, it, test } from "vitest";
import type { PageSize } from "../../src/tlb/config.ts";
import { GiB, KiB, MiB, linesOf } from "./recorded.ts";

describe.each<[PageSize, number, number]>([
  ["4K", 4 * KiB, 1024],
  ["2M", 2 * MiB, 2],
  ["1G", GiB, 1],
])("of 4 MiB in pages of %s", (pageSize, pageBytes, nrPages) => {
  const lines = linesOf("fork-and-write", { bytes: 4 * MiB, pageSize, nrReferences: 5000 });
  const firstWrites = lines.slice(1, 1 + 3 * nrPages);

  it("begins without translations", () => {
    expect(lines.lastIndexOf("flush")).toBe(0);
  });

  it("faults once a page: the write, the invalidation, the write again", () => {
    const pages = new Set<number>();
    for (let i = 0; i < firstWrites.length; i += 3) {
      const [faulting, invalidation, again] = firstWrites.slice(i, i + 3);
      expect(faulting).toMatch(/^W 0x[0-9a-f]*[08]\+8$/);
      expect(again).toBe(faulting);
      const page = Math.floor(Number(faulting.slice(2, -2)) / pageBytes);
      expect(invalidation).toBe(`invalidate 0x${(page * pageBytes).toString(16)}+${pageBytes}`);
      pages.add(page);
    }
    expect(pages.size).toBe(nrPages);
  });

  it("then writes all over its memory, without a fault", () => {
    const later = lines.slice(1 + 3 * nrPages);
    expect(later.length).toBe(5000 - 2 * nrPages);
    expect(later.every((line) => /^W 0x[0-9a-f]*[08]\+8$/.test(line))).toBe(true);
    const offsets = later.map((line) => Number(line.slice(2, -2)));
    expect(Math.max(...offsets)).toBeGreaterThan(3.9 * MiB);
    expect(Math.min(...offsets)).toBeLessThan(0.1 * MiB);
  });
});

test("pages are written to in no order", () => {
  const lines = linesOf("fork-and-write", { bytes: 4 * MiB, nrReferences: 2048 });
  const pages = lines
    .filter((line) => line.startsWith("invalidate"))
    .map((line) => Number(line.slice(11, -5)) / 4096);
  const nrRising = pages.filter((page, i) => i > 0 && page > pages[i - 1]).length;
  // Half of 1023, standard deviation 9.
  expect(Math.abs(nrRising - 511)).toBeLessThan(60);
});
