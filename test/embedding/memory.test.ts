/** A caller's own memory and module, reset, and counts. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ABI_VERSION } from "../../assembly/layout.ts";
import { OptionError, ResourceError, createMachine } from "../../src/index.ts";
import { MIB, boot, withTables } from "./scene.ts";

const AT = 0x40000000;

function memoryOf(bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: bytes / 65536, maximum: bytes / 65536 });
}

/** The bytes of `memory` from `from` on that are not `filler`. */
function nrOthers(memory: WebAssembly.Memory, from: number, filler: number): number {
  return new Uint8Array(memory.buffer, from).reduce((n, byte) => n + (byte === filler ? 0 : 1), 0);
}

describe("a caller's memory", () => {
  test("is used, and all of it", () => {
    const memory = memoryOf(32 * MIB);
    const machine = createMachine({ memory, ramBytes: 64 * MIB });
    expect(machine.memory).toBe(memory);
    machine.ram.store(0x1000, 8, 0x1122334455667788n);
    expect(Buffer.from(memory.buffer).includes(Buffer.from("8877665544332211", "hex"))).toBe(true);
    const fill = (): void => {
      for (let at = 0; at < 64 * MIB; at += 2 * MIB) machine.ram.store(at, 1, 1n);
    };
    expect(fill).toThrow(ResourceError);
    expect(machine.ram.backedBytes).toBe(28 * MIB);
  });

  test("belongs to the caller at and above linearBytes", () => {
    const memory = memoryOf(20 * MIB);
    const machine = createMachine({ memory, ramBytes: 64 * MIB, linearBytes: 16 * MIB });
    new Uint8Array(memory.buffer, 16 * MIB).fill(0x5a);
    const fill = (): void => {
      for (let at = 0; at < 64 * MIB; at += 2 * MIB) {
        machine.ram.write(at, new Uint8Array(2 * MIB).fill(0xff));
      }
    };
    expect(fill).toThrow(ResourceError);
    const snapshot = machine.snapshot();
    machine.reset();
    expect(fill).toThrow(ResourceError);
    machine.restore(snapshot);
    expect(nrOthers(memory, 16 * MIB, 0x5a)).toBe(0);
  });

  test("has to have the bytes that linearBytes says", () => {
    const memory = memoryOf(16 * MIB);
    const options = { memory, ramBytes: 64 * MIB };
    expect(() => createMachine({ ...options, linearBytes: 32 * MIB })).toThrow(OptionError);
    expect(() => createMachine({ ...options, memory: memoryOf(2 * MIB) })).toThrow(OptionError);
  });
});

describe("a caller's module", () => {
  test("core.wasm as a file is the one inside", () => {
    const module = new WebAssembly.Module(readFileSync("build/core.wasm"));
    const { cpu, map } = withTables(
      createMachine({ module, ramBytes: 64 * MIB, linearBytes: 64 * MIB }),
    );
    map(AT, 0x200000);
    expect(cpu.store(AT, 8, 5n)).toBeUndefined();
    expect(cpu.load(AT, 8)).toBe(5n);
  });

  test("one of another ABI is refused", () => {
    const bytes = readFileSync("build/core.wasm");
    // The body of `abiVersion`: its length, no locals, i32.const, end.
    const body = Buffer.of(4, 0, 0x41, ABI_VERSION, 0x0b);
    const at = bytes.indexOf(body);
    expect(bytes.indexOf(body, at + 1)).toBe(-1);
    bytes[at + 3] = ABI_VERSION + 1;
    const module = new WebAssembly.Module(bytes);
    expect(() => createMachine({ module, ramBytes: 64 * MIB })).toThrow("ABI version");
  });
});

describe("reset", () => {
  test("makes the machine as it was created", () => {
    const options = { cpus: 2, dirtyLog: true, leafAccessedOnFault: true, pages1G: false };
    const fresh = boot(options).machine;
    const scene = boot(options);
    const { machine, cpu } = scene;
    scene.map(AT, 0x200000);
    cpu.store(AT, 8, 1n);
    machine.cpus[1].load(AT + 0x1000, 8);
    cpu.pkru = 3;
    cpu.ac = true;
    cpu.setFeatures({ maxPhysicalAddressBits: 36, pages1G: true, leafAccessedOnFault: false });
    machine.setMmio([{ start: 0x300000, end: 0x301000, load: () => 1n, store: () => {} }]);
    machine.setWatchpoints([{ start: AT, end: AT + 1, kinds: ["read"], onHit: () => {} }]);
    machine.reset();
    fresh.reset();
    const state = (each: typeof machine) => ({
      backed: each.ram.backedBytes,
      cpus: each.cpus.map(({ cr0, cr3, cr4, efer, cpl, ac, pkru, pat, features, counts }) => {
        return { cr0, cr3, cr4, efer, cpl, ac, pkru, pat, features, counts };
      }),
      dirty: each.takeDirtyPages(),
      ram: Buffer.compare(each.ram.read(0, 2 * MIB), new Uint8Array(2 * MIB)),
    });
    expect(state(machine)).toEqual(state(fresh));
    expect(state(machine)).toMatchObject({ backed: 0, dirty: [], ram: 0 });
    expect(machine.cpus[0].features).toEqual({
      maxPhysicalAddressBits: 46,
      pages1G: false,
      leafAccessedOnFault: true,
    });
  });

  test("the same program runs alike after it", () => {
    const scene = boot();
    const run = (): unknown => {
      const { map, cpu } = withTables(scene.machine);
      for (let i = 0; i < 100; i++) {
        map(AT + i * 0x1000, 0x200000 + i * 0x1000);
        cpu.store(AT + i * 0x1000 + 8 * i, 8, BigInt(i));
      }
      return { counts: cpu.counts, last: cpu.load(AT + 99 * 0x1000 + 8 * 99, 8) };
    };
    scene.machine.reset();
    const first = run();
    scene.machine.reset();
    expect(run()).toEqual(first);
    expect(first).toMatchObject({ last: 99n });
  });

  test("the detector of stale translations stays on", () => {
    const { machine } = boot();
    const uses: string[] = [];
    machine.detectStale(({ change }) => uses.push(change));
    machine.reset();
    const scene = withTables(machine);
    scene.map(AT, 0x200000);
    scene.cpu.load(AT, 8);
    scene.cpu.load(AT, 8);
    // Served by the TLB, not by the lookaside, which the detector does not see.
    expect(scene.cpu.counts.l1Hits).toBe(1);
    scene.unmap(AT);
    scene.cpu.load(AT, 8);
    expect(uses).toEqual(["unmapped"]);
  });
});

describe("counts", () => {
  test("by array, page size, level and reason", () => {
    const scene = boot({ exactTlb: true });
    const { cpu } = scene;
    scene.map(AT, 0x200000);
    scene.map(AT + 0x200000, 0x800000, undefined, 2);
    scene.map(0x80000000, 0, undefined, 3);
    cpu.resetCounts();
    for (const at of [AT, AT + 0x200000, 0x80000000]) {
      cpu.load(at, 8);
      cpu.load(at + 8, 8);
    }
    cpu.load(AT + 0x1000, 8);
    cpu.load(2n ** 47n, 8);
    scene.changeLeaf(AT, (entry) => entry & ~2n);
    cpu.store(AT, 8, 0n);
    cpu.invalidatePage(AT);
    cpu.flush();
    expect(cpu.counts).toEqual({
      l1: { "4K": 2, "2M": 1, "1G": 1 },
      l2: { "4K": 0, "2M": 0, "1G": 0 },
      l1Hits: 4,
      l2Hits: 0,
      walks: 5,
      entryLoads: 4 + 3 + 2 + 4 + 4,
      structureHits: { 2: 0, 3: 0, 4: 0, 5: 0 },
      faults: {
        "not present": 1,
        "reserved bit": 0,
        denied: 1,
        "non-canonical": 1,
        "protection key": 0,
      },
      flushes: 1,
      invalidations: 1,
    });
    cpu.resetCounts();
    expect(JSON.stringify(cpu.counts)).not.toMatch(/:[1-9]/);
    cpu.load(AT, 8);
    expect(cpu.counts.walks).toBe(1);
  });

  test("a page that the first level has lost is found in the second", () => {
    const scene = boot({ exactTlb: true });
    for (let i = 0; i < 65; i++) scene.map(AT + i * 0x10000, 0x200000);
    for (let i = 0; i < 5; i++) scene.cpu.load(AT + i * 0x10000, 1); // 4 ways of one set
    scene.cpu.load(AT, 1);
    expect(scene.cpu.counts).toMatchObject({ l1Hits: 0, l2Hits: 1, walks: 5 });
    expect(scene.cpu.counts.l2).toEqual({ "4K": 1, "2M": 0, "1G": 0 });
  });
});
