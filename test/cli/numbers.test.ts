/** How reports write numbers. */
import { expect, test } from "vitest";
import {
  address,
  bytes,
  count,
  counted,
  figure,
  percent,
  percentOf,
  ratio,
} from "../../src/cli/numbers.ts";

test.each([
  [0, "0.0 %"],
  [1, "100.0 %"],
  [0.123456, "12.3 %"],
  [0.9989, "99.9 %"],
  [0.9991, "99.910 %"],
  [0.999999, "99.999 %"],
  [1 - 1e-12, "99.999 %"],
  [0.001, "0.1 %"],
  [0.0009, "0.090 %"],
  [0.00001, "0.001 %"],
  [0.000004, "<0.001 %"],
  [1e-300, "<0.001 %"],
  [-0.5, "-50.0 %"],
  [-0.0001, "-0.010 %"],
  [-1e-9, ">-0.001 %"],
  [-12, "-1200.0 %"],
])("percent(%d): %s", (share, text) => {
  expect(percent(share)).toBe(text);
});

test.each([
  [0, "0"],
  [1234567.8, "1,234,568"],
  [100, "100"],
  [99.94, "99.9"],
  [10, "10.0"],
  [9.994, "9.99"],
  [0.5, "0.500"],
  [0.001, "0.001"],
  [0.00099, "9.9e-4"],
  [-12.34, "-12.3"],
])("figure(%d): %s", (n, text) => {
  expect(figure(n)).toBe(text);
});

test("of nothing", () => {
  expect([percentOf(0, 0), ratio(5, 0), percentOf(1, 4), ratio(1, 4)]).toEqual([
    "-",
    "-",
    "25.0 %",
    "0.250",
  ]);
});

test("counts, bytes, addresses", () => {
  expect([count(1e15), counted(1, "load"), counted(0, "load"), counted(2000, "load")]).toEqual([
    "1,000,000,000,000,000",
    "1 load",
    "0 loads",
    "2,000 loads",
  ]);
  expect([0, 4096, 1.5 * 2 ** 30, 2 ** 46, 2 ** 52].map(bytes)).toEqual([
    "0 B",
    "4 KiB",
    "1.5 GiB",
    "64 TiB",
    "4096 TiB",
  ]);
  expect([0, 2 ** 47 - 1, 2 ** 47, 2 ** 48 - 1].map(address)).toEqual([
    "0x0",
    "0x7fffffffffff",
    "0xffff800000000000",
    "0xffffffffffffffff",
  ]);
});
