/** Device memory: who is asked for what, and that RAM behind it stays as it was. */
import { beforeEach, describe, expect, test } from "vitest";
import { type MmioRange, OptionError } from "../../src/index.ts";
import { type Scene, boot, slowAccesses } from "./scene.ts";

const DEVICE = 0x200000;
const DEVICE_END = DEVICE + 0x800;
/** RAM's pages before and behind that of the device; the device ends in the middle of its own. */
const VIRTUAL = 0x40000000;
const AT = VIRTUAL + 0x1000;

let scene: Scene;
let calls: string[];

function device(start: number, end: number, name = ""): MmioRange {
  return {
    start,
    end,
    load(address, nrBytes) {
      calls.push(`${name}load ${address - start} ${nrBytes}`);
      return 0x8877665544332211n >> BigInt(8 * ((address - start) % 8));
    },
    store(address, nrBytes, value) {
      calls.push(`${name}store ${address - start} ${nrBytes} ${value.toString(16)}`);
    },
  };
}

beforeEach(() => {
  scene = boot();
  calls = [];
  scene.map(VIRTUAL, DEVICE - 0x1000);
  scene.map(AT, DEVICE);
  scene.map(AT + 0x1000, DEVICE + 0x1000);
  scene.machine.ram.write(DEVICE - 0x1000, new Uint8Array(0x3000).fill(0xaa));
  scene.machine.setMmio([device(DEVICE, DEVICE_END)]);
});

/** RAM of the three pages, where it differs from what it was filled with. */
function changes(): [number, number][] {
  const bytes = scene.machine.ram.read(DEVICE - 0x1000, 0x3000);
  return [...bytes.entries()]
    .filter(([, byte]) => byte !== 0xaa)
    .map(([i, byte]) => [i - 0x1000, byte]);
}

describe("within a device", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])("a load and a store of %i bytes", (nrBytes) => {
    const { cpu } = scene;
    expect(cpu.load(AT + 8, nrBytes)).toBe(BigInt.asUintN(8 * nrBytes, 0x8877665544332211n));
    expect(cpu.store(AT + 16, nrBytes, 0x1122334455667788n)).toBeUndefined();
    const value = BigInt.asUintN(8 * nrBytes, 0x1122334455667788n).toString(16);
    expect(calls).toEqual([`load 8 ${nrBytes}`, `store 16 ${nrBytes} ${value}`]);
    expect(changes()).toEqual([]);
  });

  test("it is asked each time, at any alignment and by a bigint's address", () => {
    const { cpu } = scene;
    cpu.load(AT + 3, 4);
    cpu.load(AT + 3, 4);
    cpu.load(BigInt(AT + 3), 4);
    expect(calls).toEqual(["load 3 4", "load 3 4", "load 3 4"]);
  });

  test("flags are set and the translation counted as for RAM; `access` asks no device", () => {
    const { cpu, machine } = scene;
    cpu.store(AT, 1, 1n);
    expect(machine.ram.load(scene.entryAddress(AT), 1)).toBe(0x67n);
    expect(cpu.access(AT, "read")).toBe(DEVICE);
    expect(calls).toEqual(["store 0 1 1"]);
  });

  test("an access that faults does not reach it", () => {
    const { cpu } = scene;
    scene.changeLeaf(AT, (entry) => entry & ~2n);
    expect(cpu.store(AT, 8, 1n)).toMatchObject({ reason: "denied" });
    expect(calls).toEqual([]);
  });

  test("beyond RAM", () => {
    const { cpu, machine } = scene;
    machine.setMmio([device(2 ** 40, 2 ** 40 + 0x1000)]);
    scene.map(AT + 0x5000, 2 ** 40);
    expect(cpu.load(AT + 0x5000, 4)).toBe(0x44332211n);
    cpu.store(AT + 0x5ff8, 8, 5n);
    expect(calls).toEqual(["load 0 4", "store 4088 8 5"]);
  });
});

describe("across its bounds", () => {
  test("one that only meets it, in one page, goes to it whole", () => {
    const { cpu } = scene;
    cpu.load(AT + 0x7fc, 8);
    cpu.store(AT + 0x7fc, 8, 0x12n);
    expect(calls).toEqual(["load 2044 8", "store 2044 8 12"]);
    expect(changes()).toEqual([]);
  });

  test("from RAM's page into the device's, byte by byte", () => {
    const { cpu } = scene;
    expect(cpu.load(AT - 3, 5)).toBe(0x2211aaaaaan);
    expect(calls).toEqual(["load 0 1", "load 1 1"]);
    calls.length = 0;
    expect(cpu.store(AT - 3, 5, 0x0504030201n)).toBeUndefined();
    expect(calls).toEqual(["store 0 1 4", "store 1 1 5"]);
    expect(changes()).toEqual([
      [-3, 1],
      [-2, 2],
      [-1, 3],
    ]);
  });

  test("from the device's page into RAM's, byte by byte", () => {
    const { cpu, machine } = scene;
    machine.setMmio([device(DEVICE, DEVICE + 0x1000)]);
    expect(cpu.load(AT + 0xfff, 2)).toBe(0xaa88n);
    cpu.store(AT + 0xfff, 2, 0x0201n);
    expect(calls).toEqual(["load 4095 1", "store 4095 1 1"]);
    expect(changes()).toEqual([[0x1000, 2]]);
  });

  test("from one device into another", () => {
    const { cpu, machine } = scene;
    machine.setMmio([
      device(DEVICE, DEVICE + 0x1000, "a "),
      device(DEVICE + 0x1000, DEVICE + 0x2000, "b "),
    ]);
    cpu.store(AT + 0xfff, 2, 0x0201n);
    expect(calls).toEqual(["a store 4095 1 1", "b store 0 1 2"]);
  });

  test("of pages that are not side by side in RAM", () => {
    const { cpu, machine } = scene;
    scene.map(AT + 0x6000, 0x300000);
    scene.map(AT + 0x7000, DEVICE);
    expect(cpu.store(AT + 0x6fff, 2, 0x0201n)).toBeUndefined();
    expect(calls).toEqual(["store 0 1 2"]);
    expect(machine.ram.load(0x300fff, 2)).toBe(1n);
  });

  test("nothing is done at all if the other page faults", () => {
    const { cpu } = scene;
    scene.unmap(AT + 0x1000);
    scene.machine.setMmio([device(DEVICE, DEVICE + 0x1000)]);
    expect(cpu.store(AT + 0xfff, 2, 0x0201n)).toMatchObject({ address: BigInt(AT + 0x1000) });
    expect(calls).toEqual([]);
    expect(changes()).toEqual([]);
  });

  test("hooks and watchpoints see it as one access", () => {
    const { cpu, machine } = scene;
    const seen: unknown[] = [];
    machine.setWatchpoints([
      { start: AT - 8, end: AT + 8, kinds: ["write"], onHit: (_, at) => seen.push(at) },
    ]);
    cpu.onMiss = (at) => seen.push(`miss ${at}`);
    cpu.store(AT - 3, 5, 0n);
    expect(seen).toEqual([`miss ${AT - 3}`, AT - 3]);
  });
});

describe("around a device", () => {
  test("the rest of its page is RAM", () => {
    const { cpu } = scene;
    expect(cpu.load(AT + 0x800, 8)).toBe(0xaaaaaaaaaaaaaaaan);
    cpu.store(AT + 0x800, 1, 1n);
    expect(changes()).toEqual([[0x800, 1]]);
    expect(calls).toEqual([]);
  });

  test("other pages are served by the lookaside, its own is not", () => {
    const { cpu } = scene;
    const twice = (address: number) => () => {
      cpu.load(address, 8);
      cpu.load(address, 8);
    };
    expect(slowAccesses(cpu, twice(VIRTUAL))).toBe(1);
    expect(slowAccesses(cpu, twice(AT))).toBe(2);
    expect(slowAccesses(cpu, twice(AT + 0x900))).toBe(2);
  });

  test("a page that is in the lookaside becomes a device's, and RAM again", () => {
    const { cpu, machine } = scene;
    machine.setMmio([]);
    expect(cpu.load(AT, 1)).toBe(0xaan);
    expect(cpu.load(AT, 1)).toBe(0xaan);
    machine.setMmio([device(DEVICE, DEVICE_END)]);
    expect(cpu.load(AT, 1)).toBe(0x11n);
    machine.setMmio([]);
    expect(cpu.load(AT, 1)).toBe(0xaan);
  });

  test("bad ranges are errors", () => {
    const { machine } = scene;
    expect(() => machine.setMmio([device(5, 5)])).toThrow(OptionError);
    expect(() => machine.setMmio([device(0.5, 2)])).toThrow(OptionError);
    const many = Array.from({ length: 65 }, (_, i) => device(i, i + 1));
    expect(() => machine.setMmio(many)).toThrow(OptionError);
    expect(() => machine.setMmio(many.slice(1))).not.toThrow();
  });
});
