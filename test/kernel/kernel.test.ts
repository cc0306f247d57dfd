/** What scripts do not say: defects that have no script, texts of /proc, several CPUs, ends. */
import { describe, expect, test } from "vitest";
import {
  type NumberedEvent,
  PAGE_2M,
  PAGE_4K,
  type UserProcess,
  createKernel,
  describeEvent,
  profileNames,
} from "../../src/index.ts";
import { brokenInvariants } from "../../src/kernel/invariants.ts";

const RW = { read: true, write: true, execute: false };
const MIB = 2 ** 20;

function boot(profile: string, nrPages: number, cpus = 1) {
  return createKernel({
    profile,
    machine: { ramBytes: 64 * MIB, linearBytes: 96 * MIB, cpus },
    hugePages: new Map([[PAGE_2M, nrPages]]),
  });
}

function map(process: UserProcess, nrPages: number, isShared = false): number {
  const address = process.mmap({
    length: nrPages * PAGE_2M,
    protection: RW,
    hugePageBytes: PAGE_2M,
    isShared,
  });
  if (typeof address === "string") throw new Error(address);
  return address;
}

function forkOf(process: UserProcess, name: string): UserProcess {
  const child = process.fork(name);
  if (typeof child === "string") throw new Error(child);
  return child;
}

describe("a steal that cannot find the page", () => {
  const moveAndWrite = (profile: string) => {
    const kernel = boot(profile, 1);
    const parent = kernel.spawn("parent");
    const a = map(parent, 1);
    parent.write(a, 1n);
    const child = forkOf(parent, "child");
    const moved = child.mremap({
      address: a,
      oldLength: PAGE_2M,
      newLength: PAGE_2M,
      mayMove: true,
      fixedAt: 0x7000_0000_0000,
    });
    return { kernel, parent, child, a, moved, stop: parent.write(a, 2n) };
  };

  test.each(["6.1", "6.12", "6.18"])("is stuck on %s, and the process can be killed", (profile) => {
    const { kernel, parent, child, moved, stop } = moveAndWrite(profile);
    expect(moved).toBe(0x7000_0000_0000);
    expect(stop).toEqual({ kind: "stuck" });
    expect(parent.isStuck).toBe(true);
    expect(child.read(0x7000_0000_0000)).toBe(1n);
    expect(parent.kill()).toBe("ok");
    child.exit(0);
    expect(kernel.pool(PAGE_2M)).toMatchObject({ total: 1, free: 1, reserved: 0 });
  });

  test("finds it on fixed", () => {
    const { parent, child, a, stop } = moveAndWrite("fixed");
    expect(stop).toBeUndefined();
    expect(parent.read(a)).toBe(2n);
    child.catchesSignals = true;
    expect(child.read(0x7000_0000_0000)).toMatchObject({ signal: "SIGBUS", code: "ADRERR" });
  });

  test.each(["2.6.27-seed", "2.6.27"])("misses a piece at a file offset on %s: BUG", (profile) => {
    const kernel = boot(profile, 2);
    const parent = kernel.spawn("parent");
    const a = map(parent, 2);
    parent.write(a, 1n);
    parent.write(a + PAGE_2M, 2n);
    // The second page is now the first of a piece whose offset is not zero.
    parent.munmap(a, PAGE_2M);
    kernel.writeFile("/proc/sys/vm/nr_hugepages", "1");
    const child = forkOf(parent, "child");
    expect(parent.write(a + PAGE_2M, 3n)).toEqual({ kind: "stuck" });
    expect(kernel.log).toContain("kernel BUG at mm/hugetlb.c!");
    expect(child.read(a + PAGE_2M)).toBe(2n);
  });
});

describe("several CPUs", () => {
  test("a write-protection at fork reaches each CPU that ran the address space", () => {
    const kernel = boot("6.18", 4, 2);
    const events: NumberedEvent[] = [];
    kernel.onEvent((event) => events.push(event));
    const parent = kernel.spawn("parent");
    const other = kernel.spawn("other");
    const a = map(parent, 1);
    const b = map(other, 1);
    expect(a).toBe(b);
    parent.write(a, 1n);
    other.write(b, 2n);
    const child = forkOf(parent, "child");
    parent.write(a, 3n);
    expect([child.read(a), parent.read(a), other.read(b)]).toEqual([1n, 3n, 2n]);
    const shootdowns = events.filter((event) => event.kind === "invalidate");
    expect(shootdowns.map(({ pid, cpus }) => ({ pid, cpus }))).toEqual([
      { pid: parent.pid, cpus: [0] },
      { pid: parent.pid, cpus: [0] },
    ]);
    expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => i + 1));
    expect(events.map(describeEvent).every((line) => !line.includes("\n"))).toBe(true);
  });
});

describe("a CPU that has gone over to another process", () => {
  test("drops what was invalidated meanwhile when it comes back, all of the process", () => {
    const kernel = boot("6.18", 2, 2);
    const seen: string[] = [];
    kernel.onEvent((event) => {
      if (event.kind === "switch") seen.push(`CPU ${event.cpu}: ${event.pid} ${event.cached}`);
      if (event.kind !== "invalidate") return;
      const { pid, cpus, atOnce, asker } = event;
      seen.push(`CPU ${asker} asks: ${pid} on ${cpus}, at once on ${atOnce}`);
    });
    const parent = kernel.spawn("parent");
    const a = map(parent, 2);
    parent.write(a, 1n);
    parent.write(a + PAGE_2M, 2n);
    const child = forkOf(parent, "child");
    child.catchesSignals = true;
    expect([child.read(a), child.read(a + PAGE_2M)]).toEqual([1n, 2n]);
    // The child runs on CPU 1: it is robbed there.
    parent.write(a, 3n);
    const third = kernel.spawn("third");
    const fourth = kernel.spawn("fourth");
    expect([third.hugetlbBytes, fourth.hugetlbBytes]).toEqual([0, 0]);
    // It does not any more, nor does the parent on CPU 0 until now.
    parent.write(a + PAGE_2M, 4n);
    expect(child.read(a + PAGE_2M)).toMatchObject({ signal: "SIGBUS" });
    expect(seen).toEqual([
      "CPU 0: 100 none",
      "CPU 0 asks: 100 on 0, at once on 0",
      "CPU 1: 101 none",
      "CPU 0 asks: 101 on 1, at once on 1",
      "CPU 0 asks: 100 on 0, at once on 0",
      "CPU 0: 102 none",
      "CPU 1: 103 none",
      "CPU 0: 100 kept",
      "CPU 0 asks: 101 on 1, at once on ",
      "CPU 0 asks: 100 on 0, at once on 0",
      "CPU 1: 101 dropped",
    ]);
  });

  test("uses no stale translation, whatever was invalidated meanwhile", () => {
    const kernel = boot("6.18", 2);
    const stale: unknown[] = [];
    kernel.state.machine.detectStale((use) => stale.push(use));
    const parent = kernel.spawn("parent");
    const a = map(parent, 2);
    parent.write(a, 1n);
    parent.write(a + PAGE_2M, 2n);
    const child = forkOf(parent, "child");
    child.catchesSignals = true;
    expect([child.read(a), child.read(a + PAGE_2M)]).toEqual([1n, 2n]);
    parent.write(a, 3n);
    expect(child.read(a)).toMatchObject({ signal: "SIGBUS" });
    expect(child.read(a + PAGE_2M)).toBe(2n);
    expect(stale).toEqual([]);
  });
});

describe("4K private anonymous memory", () => {
  test("zeros, copy-on-write, and reuse by the last user", () => {
    const kernel = boot("6.18", 0);
    const parent = kernel.spawn("parent");
    const a = parent.mmap({ length: 4 * PAGE_4K, protection: RW });
    if (typeof a === "string") throw new Error(a);
    expect(parent.read(a)).toBe(0n);
    parent.write(a, 7n);
    parent.write(a + PAGE_4K - 4, 0x1122334455667788n);
    const child = forkOf(parent, "child");
    parent.write(a, 8n);
    expect([child.read(a), parent.read(a)]).toEqual([7n, 8n]);
    expect(child.read(a + PAGE_4K - 4)).toBe(0x1122334455667788n);
    const before = child.pagemap(a, 1, PAGE_4K)[0]?.frame;
    child.write(a, 9n);
    expect(child.pagemap(a, 1, PAGE_4K)[0]?.frame).toBe(before);
    expect(brokenInvariants(kernel.state)).toEqual([]);
    child.exit(0);
    parent.exit(0);
    expect(brokenInvariants(kernel.state)).toEqual([]);
  });

  test("neighbours merge, and split pieces merge back (observed on 6.18)", () => {
    const process = boot("6.18", 0).spawn("p");
    const a = process.mmap({ length: 8 * PAGE_4K, protection: RW });
    if (typeof a === "string") throw new Error(a);
    const R = { read: true, write: false, execute: false };
    process.write(a, 1n);
    process.mprotect(a + 2 * PAGE_4K, 3 * PAGE_4K, R);
    expect(process.nrMappings(a, 8 * PAGE_4K)).toBe(3);
    process.mprotect(a + 2 * PAGE_4K, 3 * PAGE_4K, RW);
    expect(process.nrMappings(a, 8 * PAGE_4K)).toBe(1);
    // Outer pieces touched while split have each an anon_vma of their own... but the first had one.
    expect(process.mprotect(a + PAGE_4K, PAGE_4K, R)).toBe("ok");
    const child = forkOf(process, "child");
    expect(child.mprotect(a + PAGE_4K, PAGE_4K, RW)).toBe("ok");
    expect(child.nrMappings(a, 8 * PAGE_4K)).toBe(3);
  });

  test("what a system call refuses, and what it did before", () => {
    const process = boot("6.18", 0).spawn("p");
    const a = process.mmap({ length: 8 * PAGE_4K, protection: RW });
    if (typeof a === "string") throw new Error(a);
    process.catchesSignals = true;
    expect(process.munmap(a + 3 * PAGE_4K, PAGE_4K)).toBe("ok");
    const R = { read: true, write: false, execute: false };
    expect(process.mprotect(a, 8 * PAGE_4K, R)).toBe("ENOMEM");
    expect(process.write(a, 1n)).toMatchObject({ signal: "SIGSEGV", code: "ACCERR", address: a });
    expect(process.write(a + 4 * PAGE_4K, 1n)).toBeUndefined();
    expect(process.read(a + 3 * PAGE_4K + 8)).toMatchObject({
      signal: "SIGSEGV",
      code: "MAPERR",
      address: a + 3 * PAGE_4K + 8,
    });
    // A crossing access reports the second page's base.
    expect(process.read(a + 3 * PAGE_4K - 4)).toMatchObject({ address: a + 3 * PAGE_4K });
    expect(process.madvise(a, 8 * PAGE_4K, "dontneed")).toBe("ENOMEM");
    expect(process.read(a + 4 * PAGE_4K)).toBe(0n);
    expect(process.munmap(a, 0)).toBe("EINVAL");
    expect(process.munmap(a + 1, 1)).toBe("EINVAL");
    expect(process.mincore(a, 3 * PAGE_4K)).toBe(0);
    expect(process.mincore(a, 8 * PAGE_4K)).toBe("ENOMEM");
  });
});

describe("placement (observed on 6.18)", () => {
  test("huge mappings descend; a fixed one takes the old one's reservation first", () => {
    const kernel = boot("6.18", 2);
    const process = kernel.spawn("p");
    const a = map(process, 1);
    const b = map(process, 1);
    expect(b).toBe(a - PAGE_2M);
    const request = { length: PAGE_2M, protection: RW, hugePageBytes: PAGE_2M };
    expect(process.mmap({ ...request, at: a, placement: "fixed" })).toBe(a);
    expect(kernel.pool(PAGE_2M)).toMatchObject({ free: 2, reserved: 2 });
    const two = { ...request, length: 2 * PAGE_2M };
    expect(process.mmap({ ...two, at: a, placement: "fixed" })).toBe("ENOMEM");
    expect(process.nrMappings(a, PAGE_2M)).toBe(0);
    expect(process.mmap({ ...request, at: b, placement: "fixed_noreplace" })).toBe("EEXIST");
    expect(process.mmap({ ...request, at: b + PAGE_4K, placement: "fixed" })).toBe("EINVAL");
    expect(process.mmap({ ...request, at: 0x1000_0000_1000 })).toBe(0x1000_0020_0000);
  });
});

describe("texts", () => {
  test("/proc and sysfs read as Linux's do", () => {
    const kernel = boot("6.18", 4);
    const parent = kernel.spawn("parent");
    const a = map(parent, 2);
    parent.write(a, 1n);
    const meminfo = kernel.readFile("/proc/meminfo");
    expect(meminfo).toContain("HugePages_Total:       4\n");
    expect(meminfo).toContain("HugePages_Free:        3\n");
    expect(meminfo).toContain("HugePages_Rsvd:        1\n");
    expect(meminfo).toContain("HugePages_Surp:        0\n");
    expect(meminfo).toContain("Hugepagesize:       2048 kB\n");
    expect(meminfo).toContain("Hugetlb:            8192 kB\n");
    const sysfs = "/sys/kernel/mm/hugepages/hugepages-2048kB";
    expect(kernel.readFile(`${sysfs}/resv_hugepages`)).toBe("1\n");
    expect(kernel.readFile(`/proc/${parent.pid}/status`)).toContain("HugetlbPages:\t    2048 kB\n");
    const smaps = kernel.readFile(`/proc/${parent.pid}/smaps`);
    expect(smaps).toContain("/anon_hugepage (deleted)\n");
    expect(smaps).toContain("Private_Hugetlb:    2048 kB\n");
    expect(smaps).toContain("VmFlags: rd wr mr mw me de ht \n");
    expect(kernel.readFile(`/proc/${parent.pid}/maps`)).toMatch(
      /^7ffff7a00000-7ffff7e00000 rw-p 00000000 00:00 0 +\/anon_hugepage \(deleted\)\n$/,
    );
    expect(kernel.readFile("/proc/1/smaps")).toBe("ENOENT");
    expect(kernel.readFile("/proc/nothing")).toBe("ENOENT");
    expect(kernel.writeFile(`${sysfs}/nr_hugepages`, "6\n")).toBe("ok");
    expect(kernel.writeFile(`${sysfs}/free_hugepages`, "6\n")).toBe("EACCES");
    expect(kernel.writeFile(`${sysfs}/nr_hugepages`, "-1")).toBe("EINVAL");
    expect(kernel.writeFile(`${sysfs}/nr_hugepages`, "99999999999999999999")).toBe("ERANGE");
    expect(kernel.writeFile("/proc/sys/vm/nr_hugepages", "3 4")).toBe("ok");
    expect(kernel.readFile("/proc/sys/vm/nr_hugepages")).toBe("3\n");
  });

  test("maps names the file", () => {
    const kernel = createKernel({ hugePages: new Map([[PAGE_2M, 4]]) });
    const process = kernel.spawn("p");
    kernel.mount("/mnt/huge");
    const protection = { read: true, write: true, execute: false };
    const mapped = (fd: number | string) => {
      if (typeof fd === "string") throw new Error(fd);
      return process.mmap({ length: PAGE_2M, protection, isShared: true, fd });
    };
    mapped(process.open("/mnt/huge/f", { isCreated: true }));
    mapped(process.memfd({ hugePageBytes: PAGE_2M }));
    const id = process.shmget({ length: PAGE_2M, hugePageBytes: PAGE_2M });
    if (typeof id === "number") process.shmat({ id });
    const names = () => `${kernel.readFile(`/proc/${process.pid}/maps`)}`.match(/\/.*$/gm);
    const others = ["/SYSV00000000 (deleted)", "/memfd: (deleted)"];
    expect(names()).toEqual([...others, "/mnt/huge/f"]);
    process.unlink("/mnt/huge/f");
    expect(names()).toEqual([...others, "/mnt/huge/f (deleted)"]);
  });

  test("R below zero reads as the kernel's unsigned number", () => {
    const kernel = boot("6.18", 2);
    const parent = kernel.spawn("parent");
    const a = map(parent, 1);
    parent.write(a, 1n);
    forkOf(parent, "child");
    parent.munmap(a, PAGE_2M);
    expect(kernel.readFile("/proc/meminfo")).toContain("HugePages_Rsvd:    18446744073709551615\n");
  });
});

test.each([
  // Observed on 6.18 from T=4 F=3 R=-1: what each size of the pool leaves.
  { count: 0, pool: { total: 1, free: 0, surplus: 1 } },
  { count: 1, pool: { total: 1, free: 0, surplus: 0 } },
  { count: 2, pool: { total: 2, free: 1, surplus: 0 } },
  { count: 4, pool: { total: 4, free: 3, surplus: 0 } },
  { count: 6, pool: { total: 6, free: 5, surplus: 0 } },
])("a pool whose reservation wrapped is set to $count", ({ count, pool }) => {
  const kernel = boot("6.18", 4);
  const parent = kernel.spawn("parent");
  const a = map(parent, 1);
  parent.write(a, 1n);
  const child = forkOf(parent, "child");
  parent.munmap(a, PAGE_2M);
  kernel.writeFile("/proc/sys/vm/nr_hugepages", `${count}`);
  expect(kernel.pool(PAGE_2M)).toMatchObject({ ...pool, reserved: -1 });
  child.exit(0);
  expect(kernel.pool(PAGE_2M)).toMatchObject({
    total: count,
    free: count,
    reserved: 0,
    surplus: 0,
  });
});

test.each(profileNames)("on %s everything comes back when everybody is gone", (profile) => {
  const kernel = boot(profile, 4, 3);
  const free = kernel.state.nodes.freeBytes;
  for (let round = 0; round < 3; round++) {
    const parent = kernel.spawn("parent");
    const a = map(parent, 1);
    const s = map(parent, 1, true);
    parent.write(a, 1n);
    parent.write(s, 2n);
    const child = forkOf(parent, "child");
    expect(child.read(s)).toBe(2n);
    child.write(s, 3n);
    expect(parent.read(s)).toBe(3n);
    child.exec();
    expect(child.mincore(a, PAGE_2M)).toBe("ENOMEM");
    parent.exit(3);
    expect(parent.status).toEqual({ kind: "exited", code: 3 });
    child.kill();
    expect(child.kill()).toBe("ESRCH");
    expect(() => child.read(a)).toThrow("process: child (PID");
  }
  expect(kernel.state.nodes.freeBytes).toBe(free);
  expect(brokenInvariants(kernel.state)).toEqual([]);
});
