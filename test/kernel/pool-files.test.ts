/** Numbers as /proc/sys/vm/nr_hugepages reads them (observed on 6.18). */
import { expect, test } from "vitest";
import { PAGE_2M, createKernel } from "../../src/index.ts";

test.each([
  { text: "8", result: "ok", total: 8 },
  { text: "7 3", result: "ok", total: 7 },
  { text: " 6\n", result: "ok", total: 6 },
  { text: "0x8", result: "ok", total: 8 },
  { text: "0XA", result: "ok", total: 10 },
  { text: "011", result: "ok", total: 9 },
  { text: "0", result: "ok", total: 0 },
  { text: "00", result: "ok", total: 0 },
  { text: "08", result: "EINVAL", total: 3 },
  { text: "0x", result: "EINVAL", total: 3 },
  { text: "6x", result: "EINVAL", total: 3 },
  { text: "6,7", result: "EINVAL", total: 3 },
  { text: "+5", result: "EINVAL", total: 3 },
  { text: "-1", result: "EINVAL", total: 3 },
  { text: "-0", result: "EINVAL", total: 3 },
  { text: "- 5", result: "EINVAL", total: 3 },
  { text: "abc", result: "EINVAL", total: 3 },
  { text: "18446744073709551616", result: "EINVAL", total: 3 },
])("$text", ({ text, result, total }) => {
  const kernel = createKernel({
    machine: { ramBytes: 64 * 2 ** 20, linearBytes: 96 * 2 ** 20 },
    hugePages: new Map([[PAGE_2M, 3]]),
  });
  expect(kernel.writeFile("/proc/sys/vm/nr_hugepages", text)).toBe(result);
  expect(kernel.pool(PAGE_2M)).toMatchObject({ total, free: total });
});
