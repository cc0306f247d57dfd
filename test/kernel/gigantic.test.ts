/** Large machines and pages of 1G: they cost what is touched. */
import { expect, test } from "vitest";
import { PAGE_1G, PAGE_2M, createKernel } from "../../src/index.ts";

const RW = { read: true, write: true, execute: false };
const TIB = 2 ** 40;

function bootTerabyte() {
  return createKernel({
    machine: { ramBytes: TIB },
    hugePages: new Map([[PAGE_1G, 512]]),
  });
}

test("a machine of 1 TiB with 512 pages of 1G backs nothing until it is touched", () => {
  const kernel = bootTerabyte();
  expect(kernel.pool(PAGE_1G)).toMatchObject({ total: 512, free: 512 });
  expect(kernel.state.machine.ram.backedBytes).toBe(0);
});

test("fork and copy-on-write of a page of 1G copy only what is there", () => {
  const kernel = bootTerabyte();
  const { ram } = kernel.state.machine;
  const parent = kernel.spawn("parent");
  const a = parent.mmap({ length: PAGE_1G, protection: RW, hugePageBytes: PAGE_1G });
  if (typeof a === "string") throw new Error(a);
  parent.write(a, 1n);
  parent.write(a + 700 * 2 ** 20, 2n);
  const before = ram.backedBytes;
  const child = parent.fork("child");
  if (typeof child === "string") throw new Error(child);
  const forked = ram.backedBytes;
  // The child's page tables share a section with the parent's.
  expect(forked).toBe(before);
  parent.write(a, 3n);
  // Two touched sections of the 512 are copied.
  expect(ram.backedBytes - forked).toBe(2 * PAGE_2M);
  expect([child.read(a), child.read(a + 700 * 2 ** 20), child.read(a + 300 * 2 ** 20)]).toEqual([
    1n,
    2n,
    0n,
  ]);
  expect([parent.read(a), parent.read(a + 700 * 2 ** 20)]).toEqual([3n, 2n]);
  child.exit(0);
  parent.exit(0);
  expect(kernel.pool(PAGE_1G)).toMatchObject({ total: 512, free: 512, reserved: 0 });
});

test("a pool that RAM cannot hold is an error that says so", () => {
  expect(() =>
    createKernel({ machine: { ramBytes: 2 ** 30 }, hugePages: new Map([[PAGE_2M, 600]]) }),
  ).toThrow("hugePages: 600 pages of 2M do not fit in RAM: 511 do");
});
