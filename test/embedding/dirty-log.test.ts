/** The log of written pages: what is in it, what clears it, and what it costs. */
import { beforeEach, describe, expect, test } from "vitest";
import { OptionError, encodeReference } from "../../src/index.ts";
import { type Scene, boot, slowAccesses } from "./scene.ts";

const AT = 0x40000000;
const FRAME = 0x200000;

let scene: Scene;
const take = (): number[] => scene.machine.takeDirtyPages();

beforeEach(() => {
  scene = boot({ dirtyLog: true, cpus: 2 });
  for (let i = 0; i < 4; i++) scene.map(AT + i * 0x1000, FRAME + i * 0x1000);
});

describe("what is logged", () => {
  test("a page at its first write, in order of addresses", () => {
    const { cpu } = scene;
    expect(take()).toEqual([]);
    cpu.store(AT + 0x2008, 8, 1n);
    cpu.store(AT, 1, 1n);
    cpu.store(AT + 0x2010, 8, 1n);
    expect(take()).toEqual([FRAME, FRAME + 0x2000]);
  });

  test("no load, no fetch, no fault, no store of the host", () => {
    const { cpu, machine } = scene;
    cpu.load(AT, 8);
    cpu.access(AT, "fetch");
    cpu.store(AT + 0x4000, 8, 1n);
    machine.ram.store(FRAME, 8, 1n);
    expect(take()).toEqual([]);
  });

  test("again after it was taken, however the page was written before", () => {
    const { cpu } = scene;
    for (let round = 0; round < 3; round++) {
      cpu.store(AT, 8, 1n);
      cpu.store(AT, 8, 2n);
      expect(take()).toEqual([FRAME]);
      expect(take()).toEqual([]);
    }
  });

  test("after a load that put the page into the lookaside", () => {
    const { cpu } = scene;
    cpu.store(AT, 8, 1n);
    cpu.store(AT, 8, 1n);
    take();
    cpu.load(AT, 8);
    cpu.load(AT, 8);
    cpu.store(AT, 8, 2n);
    expect(take()).toEqual([FRAME]);
  });

  test("both pages of a crossing write", () => {
    scene.cpu.store(AT + 0xffc, 8, 1n);
    expect(take()).toEqual([FRAME, FRAME + 0x1000]);
    scene.cpu.access(AT + 0xfff, "write", 2);
    expect(take()).toEqual([FRAME, FRAME + 0x1000]);
  });

  test("the first page of one that faults in its second: that page has D set too", () => {
    const { cpu, machine } = scene;
    expect(cpu.store(AT + 0x3fff, 2, 0n)).toMatchObject({ address: BigInt(AT + 0x4000) });
    expect(machine.ram.load(scene.entryAddress(AT + 0x3000), 1)).toBe(0x67n);
    expect(take()).toEqual([FRAME + 0x3000]);
  });

  test("by any CPU, and by batches", () => {
    const { machine } = scene;
    machine.cpus[1].store(AT, 1, 1n);
    machine.cpus[0].replay(BigUint64Array.of(encodeReference(AT + 0x1000, "write", 8)));
    machine.cpus[0].replay(BigUint64Array.of(encodeReference(AT + 0x2000, "read", 8)));
    expect(take()).toEqual([FRAME, FRAME + 0x1000]);
  });

  test("of a 2M page the 4K that was written", () => {
    const { cpu } = scene;
    scene.map(AT + 0x200000, 0x800000, undefined, 2);
    cpu.store(AT + 0x2fe008, 8, 1n);
    expect(take()).toEqual([0x8fe000]);
  });

  test("by a page's other address too, and by the same page on the other CPU", () => {
    const { machine } = scene;
    scene.map(AT + 0x8000, FRAME);
    machine.cpus[0].store(AT, 1, 1n);
    machine.cpus[1].store(AT, 1, 1n);
    take();
    machine.cpus[1].store(AT + 0x8000, 1, 1n);
    expect(take()).toEqual([FRAME]);
  });
});

test("a page that is logged is served by the lookaside, until the log is taken", () => {
  const { cpu } = scene;
  const slow = (run: () => void): number => slowAccesses(cpu, run);
  cpu.store(AT, 8, 1n); // backs the section
  cpu.store(AT, 8, 1n);
  expect(slow(() => cpu.store(AT, 8, 2n))).toBe(0);
  cpu.load(AT + 0x1000, 8);
  expect(slow(() => cpu.load(AT + 0x1000, 8))).toBe(0);
  take();
  expect(slow(() => cpu.store(AT, 8, 3n))).toBe(1);
  expect(slow(() => cpu.store(AT, 8, 3n))).toBe(0);
});

test("without the option there is no log", () => {
  const { machine } = boot();
  expect(() => machine.takeDirtyPages()).toThrow(OptionError);
});
