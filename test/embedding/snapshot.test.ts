/** Snapshots: what comes back, what goes on alike, and what a snapshot is refused by. */
import { describe, expect, test } from "vitest";
import { type Machine, type MachineOptions, OptionError, createMachine } from "../../src/index.ts";
import { CR4, READ_ONLY, type Scene, boot, setCr4, slowAccesses } from "./scene.ts";

const AT = 0x40000000;
const FRAME = 0x200000;

/** A machine that has done a little of everything. */
function used(options: MachineOptions = {}): Scene {
  const scene = boot({ cpus: 2, dirtyLog: true, ...options });
  const { cpu, machine } = scene;
  setCr4(cpu, CR4.pge);
  setCr4(cpu, CR4.pcide);
  cpu.pkru = 0xc;
  cpu.pat = 0x0007040600070401n;
  cpu.ac = true;
  for (let i = 0; i < 16; i++) scene.map(AT + i * 0x1000, FRAME + i * 0x1000);
  scene.map(AT + 0x200000, 0x800000, READ_ONLY, 2);
  for (let i = 0; i < 16; i++) cpu.store(AT + i * 0x1000, 8, BigInt(i));
  machine.cpus[1].load(AT + 0x200000, 8);
  machine.cpus[1].store(AT + 0x200000, 8, 1n);
  return scene;
}

/** Everything a program could see: registers, counts, memory, tables, faults. */
function visible(machine: Machine): unknown {
  const { ram, cpus } = machine;
  return {
    ram: Buffer.from(ram.read(0, 0x100000)).toString("base64"),
    data: Buffer.from(ram.read(FRAME, 0x20000)).toString("base64"),
    large: ram.load(0x800000, 8),
    backed: ram.backedBytes,
    cpus: cpus.map((cpu) => {
      const { cr0, cr3, cr4, efer, pkru, pkrs, pat, cpl, ac, features, counts, fault } = cpu;
      return { cr0, cr3, cr4, efer, pkru, pkrs, pat, cpl, ac, features, counts, fault };
    }),
  };
}

/** Goes on from where a machine is, and tells what came of it. */
function goOn({ machine, cpu }: Pick<Scene, "machine" | "cpu">): unknown {
  const results: unknown[] = [];
  for (let i = 1; i < 16; i++) results.push(cpu.load(AT + i * 0x1000, 8));
  for (let i = 0; i < 100; i++) {
    const address = AT + ((i * 7919) % 20) * 0x1000 + ((i * 13) % 0x1000);
    results.push(i % 3 === 0 ? cpu.store(address, 8, BigInt(i)) : cpu.load(address, 8));
    if (i % 10 === 0) cpu.invalidatePage(AT + 0x3000);
  }
  return { results, dirty: machine.takeDirtyPages(), after: visible(machine) };
}

/** Changes all that a snapshot holds. */
function mutate(scene: Scene): void {
  const { cpu, machine } = scene;
  scene.unmap(AT);
  scene.map(AT, 0x300000);
  scene.map(AT + 0x100000, 0x1000000);
  for (const each of machine.cpus) each.flush();
  cpu.pkru = 0;
  cpu.pat = 0n;
  cpu.ac = false;
  cpu.cr3 = 0n;
  cpu.cpl = 0;
  cpu.setFeatures({ maxPhysicalAddressBits: 40, pages1G: false, leafAccessedOnFault: true });
  setCr4(cpu, CR4.pcide, false);
  machine.ram.write(FRAME, new Uint8Array(0x10000).fill(0xcc));
  for (let at = 0x1000000; at < 0x3000000; at += 0x200000) machine.ram.store(at, 8, 0xddn);
  machine.takeDirtyPages();
  cpu.resetCounts();
}

describe.each([{ exactTlb: false }, { exactTlb: true }])("with exactTlb: $exactTlb", (options) => {
  test("all that was changed since comes back", () => {
    const scene = used(options);
    const before = visible(scene.machine);
    const snapshot = scene.machine.snapshot();
    mutate(scene);
    expect(visible(scene.machine)).not.toEqual(before);
    scene.machine.restore(snapshot);
    expect(visible(scene.machine)).toEqual(before);
    // What was written since the snapshot reads as zeros again.
    expect(scene.machine.ram.load(0x1000000, 8)).toBe(0n);
    scene.machine.ram.store(0x1000008, 8, 1n);
    expect(scene.machine.ram.load(0x1000000, 8)).toBe(0n);
  });

  test("the machine, the restored one, and another of its kind go on alike", () => {
    const scene = used(options);
    const { machine } = scene;
    const snapshot = machine.snapshot();
    const first = goOn(scene);
    mutate(scene);
    machine.restore(snapshot);
    expect(goOn(scene)).toEqual(first);
    machine.restore(snapshot);
    expect(goOn(scene)).toEqual(first);
    const other = used({ ...options, linearBytes: 2 ** 26 }).machine;
    other.restore(snapshot);
    expect(goOn({ machine: other, cpu: other.cpus[0] })).toEqual(first);
  });
});

test("the TLB comes back: a stale entry is stale again, and hits are where they were", () => {
  const scene = used({ exactTlb: true });
  const { cpu, machine } = scene;
  cpu.load(AT, 8);
  scene.changeLeaf(AT, (entry) => entry ^ 0x1000n);
  const snapshot = machine.snapshot();
  const hits = (): number => {
    const before = cpu.counts.l1Hits;
    expect(cpu.load(AT, 8)).toBe(0n);
    return cpu.counts.l1Hits - before;
  };
  expect(hits()).toBe(1);
  cpu.flush();
  expect(cpu.load(AT, 8)).toBe(1n);
  machine.restore(snapshot);
  expect(hits()).toBe(1);
});

test("structure caches come back", () => {
  const structureCaches = { pml5e: 2, pml4e: 2, pdpte: 4, pde: 16 };
  const { cpu, machine } = used({ structureCaches });
  const snapshot = machine.snapshot();
  cpu.flush();
  cpu.load(AT + 0xf000, 8);
  machine.restore(snapshot);
  const before = cpu.counts.structureHits[2];
  cpu.load(AT + 0x10000, 8);
  expect(cpu.counts.structureHits[2]).toBe(before + 1);
});

test("a snapshot is a value: later writes do not change it, and it can be put back twice", () => {
  const scene = used();
  const snapshot = scene.machine.snapshot();
  const { bytes } = snapshot;
  const copy = bytes.slice();
  mutate(scene);
  scene.machine.restore(snapshot);
  goOn(scene);
  expect(Buffer.compare(bytes, copy)).toBe(0);
});

test("the lookaside serves what is right now, not what it held before the restore", () => {
  const scene = used();
  const { cpu, machine } = scene;
  const snapshot = machine.snapshot();
  scene.changeLeaf(AT, () => 0x301067n);
  cpu.invalidatePage(AT);
  cpu.store(AT, 8, 9n);
  cpu.store(AT, 8, 9n);
  expect(slowAccesses(cpu, () => cpu.load(AT, 8))).toBe(0);
  machine.restore(snapshot);
  expect(cpu.load(AT, 8)).toBe(0n);
});

test("devices and watchpoints stay as they are now, with the ranges that they have now", () => {
  const { cpu, machine } = used();
  const calls: string[] = [];
  const device = (start: number, name: string) => ({
    start,
    end: start + 0x1000,
    load: () => (calls.push(name), 7n),
    store: () => calls.push(name),
  });
  machine.setMmio([device(FRAME, "old")]);
  const snapshot = machine.snapshot();
  machine.setMmio([device(FRAME + 0x1000, "new")]);
  machine.setWatchpoints([
    { start: AT, end: AT + 8, kinds: ["read"], onHit: () => calls.push("watch") },
  ]);
  machine.restore(snapshot);
  expect(cpu.load(AT, 8)).toBe(0n);
  expect(cpu.load(AT + 0x1000, 8)).toBe(7n);
  expect(cpu.load(AT + 0x1000, 8)).toBe(7n);
  expect(calls).toEqual(["watch", "new", "new"]);
});

test("the detector still sees what the lookaside would have served", () => {
  const scene = used();
  const { cpu, machine } = scene;
  const snapshot = machine.snapshot();
  const uses: string[] = [];
  machine.detectStale(({ change }) => uses.push(change));
  machine.restore(snapshot);
  cpu.load(AT, 8);
  expect(slowAccesses(cpu, () => cpu.load(AT, 8))).toBe(1);
  scene.changeLeaf(AT, () => 0n);
  cpu.load(AT, 8);
  expect(uses).toEqual(["unmapped"]);
});

describe("a snapshot of a machine of another kind is refused", () => {
  const tlb = {
    l1For4K: { sets: 8, ways: 8 },
    l1For2M: { sets: 8, ways: 4 },
    l1For1G: { sets: 1, ways: 4 },
    l2: { sets: 128, ways: 12 },
    l2For1G: { sets: 4, ways: 4 },
  };
  test.each([
    ["more RAM", { ramBytes: 2 ** 27 }],
    ["another number of CPUs", { cpus: 1 }],
    ["no log", { dirtyLog: false }],
    ["another TLB of the same size", { tlb }],
    ["no room", { linearBytes: 6 * 2 ** 20 }],
  ])("%s", (_, options) => {
    const { machine } = used();
    const snapshot = machine.snapshot();
    const base = { ramBytes: 2 ** 26, linearBytes: 2 ** 27, cpus: 2, dirtyLog: true };
    const other = createMachine({ ...base, ...options });
    expect(() => other.restore(snapshot)).toThrow(OptionError);
    expect(() => createMachine(base).restore(snapshot)).not.toThrow();
  });
});
