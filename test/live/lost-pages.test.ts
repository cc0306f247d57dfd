/**
 * A kernel that has lost four pages looks like one that has not, but for what it does with them.
 */
import { expect, test } from "vitest";
import { createEmulatedDriver } from "../../src/emulated/driver.ts";
import { losePages, lostPagesOf } from "../../src/live/lost-pages.ts";
import type { Driver } from "../../src/transcript/driver.ts";

function create(): Driver {
  return createEmulatedDriver({ kernel: "6.18", memoryBytes: 2 ** 30, nrCpus: 1 });
}

const LOST = new Map([[2 ** 21, 4]]);

function show(driver: Driver): string {
  return [...driver.counters()]
    .slice(0, 4)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

test("the counters are shown without them", async () => {
  const driver = create();
  const shown = await losePages(driver, LOST);
  expect(show(driver)).toBe("total=4 free=4 rsvd=4 surp=0");
  expect(lostPagesOf(driver.counters())).toEqual(LOST);
  expect(show(shown)).toBe("total=0 free=0 rsvd=0 surp=0");
});

test.each([
  ["nr_hugepages", "3", "ok", "total=3 free=3 rsvd=0 surp=0"],
  ["nr_hugepages", "+3", "ok", "total=3 free=3 rsvd=0 surp=0"],
  ["nr_hugepages", "-1", "EINVAL", "total=0 free=0 rsvd=0 surp=0"],
  ["nr_hugepages", "three", "EINVAL", "total=0 free=0 rsvd=0 surp=0"],
  ["sysctl_nr_hugepages", "3 4", "ok", "total=3 free=3 rsvd=0 surp=0"],
] as const)("%s %s", async (op, text, result, counters) => {
  const shown = await losePages(create(), LOST);
  expect(await shown.host({ op, text })).toEqual({ result });
  expect(show(shown)).toBe(counters);
});

test("a quota in percent is one of the pages that are there", async () => {
  const shown = await losePages(create(), LOST);
  await shown.host({ op: "nr_hugepages", text: "8" });
  await shown.host({ op: "mount", path: "/mnt/huge", options: "size=50%,mode=0700" });
  const { result } = await shown.host({ op: "statfs", path: "/mnt/huge" });
  expect(result).toMatch(/blocks=4 /);
});

test("nothing lost: the driver itself", async () => {
  const driver = create();
  expect(await losePages(driver, new Map())).toBe(driver);
});
