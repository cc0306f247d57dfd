/** Where kernels differ beyond the seed's examples: a table for each field of a profile. */
import { describe, expect, test } from "vitest";
import { PAGE_2M, PAGE_4K, type UserProcess, createKernel } from "../../src/index.ts";

const RW = { read: true, write: true, execute: false };
const HUGE = { protection: RW, hugePageBytes: PAGE_2M };

function boot(profile: string, nrPages: number) {
  const kernel = createKernel({
    profile,
    machine: { ramBytes: 64 * 2 ** 20, linearBytes: 96 * 2 ** 20 },
    hugePages: new Map([[PAGE_2M, nrPages]]),
  });
  return { kernel, process: kernel.spawn("p") };
}

function map(process: UserProcess, request: Parameters<UserProcess["mmap"]>[0]): number {
  const address = process.mmap(request);
  if (typeof address === "string") throw new Error(address);
  return address;
}

const move = (process: UserProcess, address: number, oldLength: number, fixedAt: number) =>
  process.mremap({ address, oldLength, newLength: oldLength, mayMove: true, fixedAt });

const TARGET = 0x7000_0000_0000;

describe("part of a private huge mapping moves", () => {
  test.each([
    // Not run live: the two pages' reservation is lost until the machine is booted again.
    { profile: "6.1", lost: 2 },
    { profile: "6.12", lost: 2 },
    { profile: "6.18", lost: 2 },
    { profile: "fixed", lost: 0 },
  ])("on $profile $lost reservations are lost for ever", ({ profile, lost }) => {
    const { kernel, process } = boot(profile, 3);
    const a = map(process, { ...HUGE, length: 3 * PAGE_2M });
    expect(move(process, a + PAGE_2M, PAGE_2M, TARGET)).toBe(TARGET);
    expect(kernel.pool(PAGE_2M)).toMatchObject({ free: 3, reserved: 3 });
    process.exit(0);
    expect(kernel.pool(PAGE_2M)).toMatchObject({ total: 3, free: 3, reserved: lost });
  });

  test.each([
    { profile: "6.18", parents: 2n, childs: 2n },
    { profile: "fixed", parents: 3n, childs: undefined },
  ])("on $profile the owner steals if it is one still", ({ profile, parents, childs }) => {
    const { process } = boot(profile, 2);
    process.catchesSignals = true;
    const a = map(process, { ...HUGE, length: 2 * PAGE_2M });
    process.write(a, 2n);
    process.write(a + PAGE_2M, 9n);
    move(process, a + PAGE_2M, PAGE_2M, TARGET);
    const child = process.fork("child");
    if (typeof child === "string") throw new Error(child);
    process.write(a, 3n);
    expect(process.read(a)).toBe(parents);
    const seen = child.read(a);
    if (childs === undefined) expect(seen).toMatchObject({ signal: "SIGBUS" });
    else expect(seen).toBe(childs);
  });
});

describe("mremap to a fixed address", () => {
  test.each([
    { profile: "6.1", result: "EFAULT", isThere: false },
    { profile: "6.12", result: "EFAULT", isThere: false },
    { profile: "6.18", result: TARGET, isThere: false },
  ])("of two mappings on $profile: $result", ({ profile, result, isThere }) => {
    const { process } = boot(profile, 0);
    const victim = map(process, { length: PAGE_4K, protection: RW, at: TARGET });
    const a = map(process, { length: 2 * PAGE_4K, protection: RW, at: 0x1_0000_0000 });
    process.mprotect(a, PAGE_4K, { ...RW, write: false });
    process.catchesSignals = true;
    process.write(victim, 7n);
    expect(move(process, a, 2 * PAGE_4K, TARGET)).toBe(result);
    // Older kernels have unmapped the target before they see that it cannot be.
    expect(process.read(victim) === 7n).toBe(isThere);
    expect(process.nrMappings(a, 2 * PAGE_4K)).toBe(result === TARGET ? 0 : 2);
  });

  test.each([
    { profile: "6.1", result: "EFAULT", isThere: false },
    { profile: "6.12", result: "EFAULT", isThere: false },
    { profile: "6.18", result: "EFAULT", isThere: true },
  ])("of more than is mapped on $profile", ({ profile, result, isThere }) => {
    const { process } = boot(profile, 0);
    process.catchesSignals = true;
    const victim = map(process, { length: PAGE_4K, protection: RW, at: TARGET });
    process.write(victim, 7n);
    const a = map(process, { length: PAGE_4K, protection: RW, at: 0x1_0000_0000 });
    const request = { address: a, oldLength: 2 * PAGE_4K, mayMove: true, fixedAt: TARGET };
    expect(process.mremap({ ...request, newLength: 3 * PAGE_4K })).toBe(result);
    expect(process.read(victim) === 7n).toBe(isThere);
  });

  test.each([
    { profile: "6.12", result: "EFAULT" },
    { profile: "6.18", result: "EINVAL" },
  ])("of nothing to an unaligned one on $profile: $result", ({ profile, result }) => {
    const { process } = boot(profile, 0);
    expect(move(process, 0x1_0000_0000, PAGE_4K, TARGET + 8)).toBe(result);
  });

  test("of huge memory on 2.6.27: the target is gone before it is refused", () => {
    const { process } = boot("2.6.27", 1);
    const victim = map(process, { length: PAGE_4K, protection: RW, at: TARGET });
    const a = map(process, { ...HUGE, length: PAGE_2M });
    expect(move(process, a, PAGE_2M, TARGET)).toBe("EINVAL");
    expect(process.nrMappings(victim, PAGE_4K)).toBe(0);
    expect(process.nrMappings(a, PAGE_2M)).toBe(1);
  });
});

test.each([
  { profile: "2.6.27", isAtOnce: true },
  { profile: "6.1", isAtOnce: false },
  { profile: "6.18", isAtOnce: false },
])("a replaced file's reservation goes at once on $profile: $isAtOnce", ({ profile, isAtOnce }) => {
  const { kernel, process } = boot(profile, 1);
  const a = map(process, { ...HUGE, length: PAGE_2M, isShared: true });
  const request = { ...HUGE, length: PAGE_2M, isShared: true, at: a };
  expect(process.mmap({ ...request, placement: "fixed" })).toBe(isAtOnce ? a : "ENOMEM");
  expect(kernel.pool(PAGE_2M)).toMatchObject({ reserved: isAtOnce ? 1 : 0 });
});

test.each([
  { profile: "6.1", aligned: false, letters: ["rd", "wr", "mr", "mw", "me", "de", "ht"] },
  { profile: "6.12", aligned: true, letters: ["rd", "wr", "mr", "mw", "me", "de", "ht", "nh"] },
  { profile: "6.18", aligned: true, letters: ["rd", "wr", "mr", "mw", "me", "de", "ht", "nh"] },
])("transparent huge pages on $profile", ({ profile, aligned, letters }) => {
  const { process } = boot(profile, 1);
  expect(map(process, { length: PAGE_2M, protection: RW }) % PAGE_2M === 0).toBe(aligned);
  const stack = map(process, { ...HUGE, length: PAGE_2M, isStack: true });
  expect(process.smaps(stack)?.flags).toEqual(letters);
});

test.each([
  { profile: "2.6.27", result: "EINVAL" },
  { profile: "6.1", result: "ok" },
])("MADV_WIPEONFORK on $profile: $result", ({ profile, result }) => {
  const { process } = boot(profile, 0);
  const a = map(process, { length: PAGE_4K, protection: RW });
  expect(process.madvise(a, PAGE_4K, "wipeonfork")).toBe(result);
});

test("pagemap tells the frame of 4K inside a huge page, and the page's life", () => {
  const { process } = boot("6.18", 1);
  const a = map(process, { ...HUGE, length: PAGE_2M });
  process.write(a, 1n);
  const [first, second] = process.pagemap(a, 2, PAGE_4K);
  const [inside] = process.pagemap(a + 5 * PAGE_4K, 1);
  expect(second).toEqual({ ...first, frame: (first?.frame ?? 0) + PAGE_4K });
  expect(inside).toEqual({ ...first, frame: (first?.frame ?? 0) + 5 * PAGE_4K });
});
