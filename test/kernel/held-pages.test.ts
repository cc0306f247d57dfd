/** Pages that pipes and I/O hold, where no transcript of a real kernel can show it. */
import { describe, expect, test } from "vitest";
import { PAGE_2M, createKernel } from "../../src/index.ts";
import { brokenInvariants } from "../../src/kernel/invariants.ts";

const RW = { read: true, write: true, execute: false };
const HUGE = { length: PAGE_2M, protection: RW, hugePageBytes: PAGE_2M };

function boot(profile: string, nrPages: number) {
  const kernel = createKernel({
    profile,
    machine: { ramBytes: 2 ** 26 },
    hugePages: new Map([[PAGE_2M, nrPages]]),
  });
  const owner = kernel.spawn("owner");
  const address = owner.mmap(HUGE);
  if (typeof address === "string") throw new Error(address);
  expect(owner.write(address, 1n)).toBeUndefined();
  return { kernel, owner, address };
}

test("the call that splices into a full pipe never returns", () => {
  const { owner, address } = boot("6.18", 1);
  const pipe = owner.pipe();
  for (let i = 0; i < 16; i++) expect(owner.vmsplice(pipe, address)).toBe(8);
  expect(owner.isStuck).toBe(false);
  owner.vmsplice(pipe, address);
  expect(owner.isStuck).toBe(true);
});

test("a reference that nobody holds is a broken invariant", () => {
  const { kernel, owner, address } = boot("fixed", 1);
  owner.vmsplice(owner.pipe(), address);
  expect(brokenInvariants(kernel.state)).toEqual([]);
  for (const folio of kernel.state.folios.values()) folio.nrReferences++;
  expect(brokenInvariants(kernel.state)).toHaveLength(1);
});

test.each([
  { profile: "2.6.27", frames: "two" },
  { profile: "6.18", frames: "one" },
])("the last to map a page that a pipe refers to: on $profile $frames", ({ profile, frames }) => {
  const { owner, address } = boot(profile, 2);
  const child = owner.fork("child");
  if (typeof child === "string") throw new Error(child);
  const [before] = owner.pagemap(address, 1);
  owner.vmsplice(owner.pipe(), address);
  child.exit(0);
  expect(owner.write(address, 2n)).toBeUndefined();
  const [after] = owner.pagemap(address, 1);
  expect(after?.frame === before?.frame ? "one" : "two").toBe(frames);
});

describe("RLIMIT_FSIZE", () => {
  test("ends a process that extends a file beyond it, and no other", () => {
    const { owner } = boot("6.18", 2);
    const fd = owner.memfd({ hugePageBytes: PAGE_2M });
    if (typeof fd === "string") throw new Error(fd);
    expect(owner.setrlimit("fsize", BigInt(PAGE_2M))).toBe("ok");
    expect(owner.ftruncate(fd, PAGE_2M)).toBe("ok");
    expect(owner.fallocate(fd, "alloc", 0, PAGE_2M)).toBe("ok");
    expect(owner.status).toBeUndefined();
    owner.ftruncate(fd, 2 * PAGE_2M);
    expect(owner.status).toEqual({ kind: "killed", signal: "SIGXFSZ" });
  });
});

describe("fork", () => {
  test("that has no page for the copy of a pinned one leaves nothing behind", () => {
    const { kernel, owner, address } = boot("fixed", 1);
    const pin = owner.pin(address, 8);
    expect(pin).toEqual(expect.any(Number));
    expect(owner.fork("child")).toBe("ENOMEM");
    expect(kernel.state.processes.size).toBe(1);
    expect(brokenInvariants(kernel.state)).toEqual([]);
    expect(owner.write(address, 2n)).toBeUndefined();
    owner.exit(0);
    expect(brokenInvariants(kernel.state)).toEqual([]);
    expect(kernel.pool(PAGE_2M)).toMatchObject({ total: 1, free: 1, reserved: 0 });
  });
});
