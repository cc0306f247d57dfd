/** The stale-translation detector: a missing invalidation is reported, and nothing else is. */
import { readFileSync, readdirSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { type MachineOptions, type StaleUse, createKernel } from "../../src/index.ts";
import { EmulatedDriver } from "../../src/emulated/driver.ts";
import { parseTranscript } from "../../src/transcript/parse.ts";
import { runScript } from "../../src/transcript/run.ts";
import { MIB, READ_ONLY, type Scene, boot } from "./scene.ts";

const AT = 0x40000000;
const FRAME = 0x200000;

let scene: Scene;
let uses: StaleUse[];

function start(options: MachineOptions = {}): void {
  scene = boot(options);
  uses = [];
  scene.machine.detectStale((use) => uses.push(use));
  scene.map(AT, FRAME);
}
beforeEach(() => start());

const changes = (): string[] => uses.map(({ change }) => change);

describe("an invalidation is missing", () => {
  beforeEach(() => {
    scene.cpu.load(AT, 8);
  });

  test("after an unmap: where, what, since when, and what the tables say now", () => {
    const { cpu } = scene;
    cpu.load(AT + 8, 8);
    scene.unmap(AT);
    cpu.load(AT + 16, 8);
    expect(uses).toEqual([
      {
        address: BigInt(AT + 16),
        cpu: 0,
        cache: "TLB",
        change: "unmapped",
        walk: expect.any(Array),
        access: 3,
        lastRight: 2,
      },
    ]);
    const last = uses[0].walk.at(-1);
    expect(last).toEqual({ level: 1, address: scene.entryAddress(AT), entry: 0n });
  });

  test("after a remap, at each use", () => {
    scene.changeLeaf(AT, (entry) => entry ^ 0x1000n);
    scene.cpu.load(AT, 8);
    scene.cpu.store(AT, 8, 0n);
    expect(changes()[0]).toBe("frame 0x200000 is 0x201000");
  });

  test.each([
    ["write", 2n, "no right to write"],
    ["user", 4n, "no right to user"],
  ])("after the right to %s was taken", (_, bit, change) => {
    scene.changeLeaf(AT, (entry) => entry & ~bit);
    scene.cpu.load(AT, 8);
    expect(changes()).toEqual([change]);
  });

  test("after the right to execute was taken, and all of them", () => {
    scene.changeLeaf(AT, (entry) => (entry & ~6n) | (1n << 63n));
    scene.cpu.load(AT, 8);
    expect(changes()).toEqual(["no right to write, user, execute"]);
  });

  test("after a right was taken in an upper table", () => {
    const at = scene.entryAddress(AT, 4);
    scene.machine.ram.store(at, 8, scene.machine.ram.load(at, 8) & ~2n);
    scene.cpu.load(AT, 8);
    expect(changes()).toEqual(["no right to write"]);
  });

  test("after a table took the place of a 2M page", () => {
    const { cpu, machine } = scene;
    scene.map(AT + 0x200000, 0x800000, undefined, 2);
    cpu.load(AT + 0x200000, 8);
    machine.ram.store(0x500000, 8, 0x800007n);
    machine.ram.store(scene.entryAddress(AT + 0x200000, 2), 8, 0x500027n);
    cpu.load(AT + 0x200000, 8);
    expect(changes()).toEqual(["a page of level 2 is one of 1"]);
  });

  test("on the other CPU, which was not told", () => {
    start({ cpus: 2 });
    const { machine } = scene;
    for (const cpu of machine.cpus) cpu.load(AT, 8);
    scene.unmap(AT);
    machine.cpus[0].invalidatePage(AT);
    for (const cpu of machine.cpus) cpu.load(AT, 8);
    expect(uses.map(({ cpu }) => cpu)).toEqual([1]);
  });

  test("by an address of the page with metadata", () => {
    const { cpu } = scene;
    cpu.cr3 |= 1n << 62n; // LAM_U48
    cpu.load(AT, 8);
    scene.unmap(AT);
    cpu.load(BigInt(AT) | (0x7ffen << 48n), 8);
    expect(changes()).toEqual(["unmapped"]);
  });
});

describe("nothing is missing", () => {
  const invalidations: [string, (scene: Scene) => void][] = [
    ["INVLPG", ({ cpu }) => cpu.invalidatePage(AT + 0xabc)],
    ["CR3", ({ cpu, root }) => (cpu.cr3 = BigInt(root))],
    ["INVPCID 0", ({ cpu }) => cpu.invpcid(0, 0, AT)],
    ["INVPCID 1", ({ cpu }) => cpu.invpcid(1, 0, 0)],
    ["INVPCID 2", ({ cpu }) => cpu.invpcid(2, 0, 0)],
    ["INVPCID 3", ({ cpu }) => cpu.invpcid(3, 0, 0)],
    ["a range", ({ cpu }) => cpu.invalidateRange(0, AT, AT + 0x1000)],
    ["a flush", ({ cpu }) => cpu.flush()],
  ];
  test.each(invalidations)("after %s", (_, invalidate) => {
    const { cpu } = scene;
    const step = (change: (entry: bigint) => bigint): void => {
      cpu.load(AT, 8);
      scene.changeLeaf(AT, change);
      invalidate(scene);
      cpu.load(AT, 8);
      cpu.store(AT, 8, 0n);
    };
    step((entry) => entry ^ 0x1000n);
    step((entry) => entry & ~2n);
    step(() => 0n);
    expect(uses).toEqual([]);
  });

  test("where nothing was cached", () => {
    scene.unmap(AT);
    scene.cpu.load(AT, 8);
    scene.map(AT, FRAME);
    scene.cpu.load(AT, 8);
    expect(uses).toEqual([]);
  });

  test("where rights were only given", () => {
    const { cpu } = scene;
    scene.tables.protect(scene.root, AT, AT + 0x1000, READ_ONLY);
    cpu.load(AT, 8);
    scene.changeLeaf(AT, (entry) => entry | 2n);
    cpu.load(AT, 8);
    expect(cpu.store(AT, 8, 1n)).toBeUndefined();
    expect(uses).toEqual([]);
  });

  test("where A and D were changed, or bits that software has", () => {
    const { cpu } = scene;
    cpu.store(AT, 8, 1n);
    scene.changeLeaf(AT, (entry) => (entry & ~0x60n) | 0x200n);
    cpu.load(AT, 8);
    expect(uses).toEqual([]);
  });

  test("after the detector was taken off", () => {
    scene.cpu.load(AT, 8);
    scene.unmap(AT);
    scene.machine.detectStale(undefined);
    expect(scene.cpu.load(AT, 8)).toBe(0n);
    expect(uses).toEqual([]);
  });
});

describe("structure caches", () => {
  const structureCaches = { pml5e: 4, pml4e: 4, pdpte: 4, pde: 4 };
  beforeEach(() => {
    start({ structureCaches });
    scene.map(AT + 0x1000, FRAME + 0x1000);
    scene.cpu.load(AT, 8);
  });
  /** Gives the PDE another table, which maps the second page elsewhere. */
  function moveTable(): void {
    const { ram } = scene.machine;
    ram.store(0x500008, 8, 0x300007n);
    ram.store(scene.entryAddress(AT, 2), 8, 0x500007n);
  }

  test("a table that was replaced is reported, by the cache that has it", () => {
    const table = scene.entryAddress(AT) & ~0xfff;
    moveTable();
    scene.cpu.load(AT + 0x1000, 8);
    expect(uses).toMatchObject([{ cache: "structure cache" }]);
    expect(changes()).toEqual([`the level-2 entry's table 0x${table.toString(16)} is 0x500000`]);
  });

  test("a table that is gone is reported", () => {
    scene.machine.ram.store(scene.entryAddress(AT, 3), 8, 0n);
    scene.cpu.load(AT + 0x1000, 8);
    expect(uses).toMatchObject([{ cache: "structure cache", change: /is none$/ }]);
  });

  test("INVLPG of any address makes it right", () => {
    moveTable();
    scene.cpu.invalidatePage(0);
    scene.cpu.load(AT + 0x1000, 8);
    expect(uses).toEqual([]);
  });
});

describe("hugewalk's kernel invalidates what it changes: no report over the recordings", () => {
  const files = ["6.1", "6.12", "6.18"].flatMap((kernel) =>
    readdirSync(`test/recorded/${kernel}`).map((file) => `test/recorded/${kernel}/${file}`),
  );
  test.each(files)("%s", async (file) => {
    const { script, errors } = parseTranscript(readFileSync(file, "utf8"), file);
    if (!script) throw errors[0];
    const kernel = createKernel({
      profile: script.machine.kernel,
      machine: {
        ramBytes: script.machine.memoryBytes,
        linearBytes: 64 * MIB,
        structureCaches: { pml5e: 4, pml4e: 4, pdpte: 8, pde: 32 },
      },
    });
    const reports: StaleUse[] = [];
    kernel.state.machine.detectStale((use) => reports.push(use));
    let nrLines = 0;
    for await (const _ of runScript(script, new EmulatedDriver(kernel))) nrLines++;
    expect(reports).toEqual([]);
    expect(nrLines).toBeGreaterThan(15);
  });
});
