/** Groups as files, as a program that embeds a kernel sees them; what they limit is recorded. */
import { describe, expect, test } from "vitest";
import { PAGE_2M, createKernel } from "../../src/index.ts";
import { brokenInvariants } from "../../src/kernel/invariants.ts";

const GROUP = "/sys/fs/cgroup/g";
const protection = { read: true, write: true, execute: false };

function kernelWithGroup() {
  const kernel = createKernel({
    machine: { ramBytes: 32 * PAGE_2M },
    hugePages: new Map([[PAGE_2M, 4]]),
  });
  expect(kernel.createCgroup("g")).toBe("ok");
  return kernel;
}

describe("the files of a group", () => {
  test("cgroup.procs lists living processes, and takes one", () => {
    const kernel = kernelWithGroup();
    const process = kernel.spawn("a");
    expect(kernel.readFile(`${GROUP}/cgroup.procs`)).toBe("");
    expect(kernel.writeFile(`${GROUP}/cgroup.procs`, `${process.pid}\n`)).toBe("ok");
    const child = process.fork("b");
    if (typeof child === "string") throw new Error(child);
    expect(kernel.readFile(`${GROUP}/cgroup.procs`)).toBe(`${process.pid}\n${child.pid}\n`);
    child.exit(0);
    expect(kernel.readFile(`${GROUP}/cgroup.procs`)).toBe(`${process.pid}\n`);
  });

  test.each([
    ["cgroup.procs", "x", "EINVAL"],
    ["cgroup.procs", "4711", "ESRCH"],
    ["hugetlb.2MB.current", "0", "EINVAL"],
    ["hugetlb.2MB.events", "0", "EINVAL"],
    ["hugetlb.4MB.max", "0", "ENOENT"],
    ["hugetlb.2MB.min", "0", "ENOENT"],
  ])("writing %s: %s is %s", (file, text, errno) => {
    expect(kernelWithGroup().writeFile(`${GROUP}/${file}`, text)).toBe(errno);
  });

  test("kernels of 2008 have none", () => {
    const kernel = createKernel({ profile: "2.6.27" });
    expect(kernel.createCgroup("g")).toBe("ENOENT");
    expect(kernel.removeCgroup("g")).toBe("ENOENT");
  });
});

test("a charge that is lost or left over is noticed", () => {
  const kernel = kernelWithGroup();
  const process = kernel.spawn("a");
  kernel.writeFile(`${GROUP}/cgroup.procs`, `${process.pid}`);
  const address = process.mmap({ length: PAGE_2M, protection, hugePageBytes: PAGE_2M });
  if (typeof address === "string") throw new Error(address);
  process.write(address, 1n);
  expect(brokenInvariants(kernel.state)).toEqual([]);
  const counters = kernel.state.cgroups.get("g")?.counters.get(PAGE_2M);
  counters?.pages.tryCharge(1);
  expect(brokenInvariants(kernel.state)).toEqual(["group g: 2 pages of 2097152, but 1 folios"]);
  counters?.pages.uncharge(1);
  counters?.reservations.tryCharge(1);
  expect(brokenInvariants(kernel.state)).toEqual([]);
  process.exit(0);
  expect(brokenInvariants(kernel.state)).toEqual(["group g: pays for 1 reservations of 2097152"]);
});
