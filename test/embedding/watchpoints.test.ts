/** Watchpoints: which accesses are reported, and that nothing else pays for them. */
import { beforeEach, describe, expect, test } from "vitest";
import { CPU_EVENT, CPU_EVENT_ADDRESS, EVENT_WATCH } from "../../assembly/layout.ts";
import type { AccessKind, Watchpoint } from "../../src/index.ts";
import { SUPERVISOR, type Scene, boot, slowAccesses } from "./scene.ts";

const AT = 0x40000000;

let scene: Scene;
let hits: (number | bigint)[];

beforeEach(() => {
  scene = boot();
  hits = [];
  for (let i = 0; i < 4; i++) scene.map(AT + i * 0x1000, 0x200000 + i * 0x1000);
});

function watch(start: number, end: number, ...kinds: Watchpoint["kinds"][number][]): Watchpoint {
  return { start, end, kinds, onHit: (_, address) => hits.push(address) };
}

const set = (...watchpoints: Watchpoint[]): void => scene.machine.setWatchpoints(watchpoints);

describe("kinds", () => {
  const every: readonly AccessKind[] = ["read", "write", "fetch"];
  test.each(["read", "write", "fetch"] as const)("%s alone", (kind) => {
    set(watch(AT, AT + 8, kind));
    for (const one of every) scene.cpu.access(AT, one, 8);
    expect(hits).toEqual([AT]);
    scene.cpu.load(AT + 1, 1);
    scene.cpu.store(AT + 2, 1, 0n);
    const more = { read: [AT + 1], write: [AT + 2], fetch: [] }[kind];
    expect(hits).toEqual([AT, ...more]);
  });

  test("all three", () => {
    set(watch(AT, AT + 8, "read", "write", "fetch"));
    for (const one of every) scene.cpu.access(AT, one);
    expect(hits).toEqual([AT, AT, AT]);
  });

  test("the shadow stack's reads and writes count as such", () => {
    const { cpu } = scene;
    scene.changeLeaf(AT, () => 0x200065n);
    set(watch(AT, AT + 8, "write"));
    expect(cpu.access(AT, "shadow-read")).toBe(0x200000);
    expect(hits).toEqual([]);
    expect(cpu.access(AT, "shadow-write")).toBe(0x200000);
    expect(hits).toEqual([AT]);
  });
});

describe("ranges", () => {
  test("the first and the last byte, and what meets them", () => {
    set(watch(AT + 8, AT + 16, "read"));
    const { cpu } = scene;
    const loads: [number, number][] = [
      [7, 1],
      [7, 2],
      [0, 8],
      [1, 8],
      [8, 1],
      [15, 1],
      [15, 8],
      [16, 8],
    ];
    for (const [offset, nrBytes] of loads) cpu.load(AT + offset, nrBytes);
    expect(hits.map((at) => Number(at) - AT)).toEqual([7, 1, 8, 15, 15]);
  });

  test("several, one inside another, each with its own report", () => {
    set(watch(AT, AT + 0x2000, "write"), watch(AT + 4, AT + 5, "read", "write"));
    scene.cpu.store(AT + 4, 1, 0n);
    expect(hits).toEqual([AT + 4, AT + 4]);
  });

  test("over pages, and a crossing access from outside", () => {
    set(watch(AT + 0x1000, AT + 0x3000, "read"));
    scene.cpu.load(AT + 0xffc, 8);
    scene.cpu.load(AT + 0x1ffc, 8);
    scene.cpu.load(AT + 0x2fff, 8);
    scene.cpu.load(AT + 0x3000, 8);
    expect(hits).toEqual([AT + 0xffc, AT + 0x1ffc, AT + 0x2fff]);
  });

  test("in the upper half, by number and by bigint", () => {
    const { cpu } = scene;
    const address = -0x1000;
    scene.tables.install(scene.root, address, 1, 0x200000, SUPERVISOR);
    cpu.cpl = 0;
    set(watch(address, address + 8, "read"));
    cpu.load(address, 8);
    cpu.load(BigInt(address), 8);
    cpu.load(BigInt.asUintN(64, BigInt(address)), 8);
    expect(hits).toEqual([address, BigInt(address), BigInt.asUintN(64, BigInt(address))]);
  });

  test("a pointer with metadata means the address that it means", () => {
    const { cpu } = scene;
    cpu.cr3 |= 1n << 62n; // LAM_U48
    const tagged = BigInt(AT) | (0x5an << 52n);
    set(watch(AT, AT + 8, "read", "fetch"));
    expect(cpu.load(tagged, 8)).toBe(0n);
    expect(cpu.access(tagged, "fetch")).toBe(-1);
    expect(hits).toEqual([tagged]);
  });
});

describe("what is not reported", () => {
  test("an access that faults", () => {
    set(watch(AT, AT + 0x10000, "read", "write"));
    scene.cpu.load(AT + 0x4000, 1);
    scene.cpu.store(AT + 0x3fff, 8, 0n);
    expect(hits).toEqual([]);
  });

  test("a probe, and what is no longer watched", () => {
    set(watch(AT, AT + 8, "read"));
    scene.cpu.probe(AT, "read");
    set();
    scene.cpu.load(AT, 8);
    expect(hits).toEqual([]);
  });
});

test("reported each time, though the page was in the lookaside before", () => {
  const { cpu } = scene;
  cpu.load(AT, 8);
  cpu.load(AT, 8);
  set(watch(AT, AT + 8, "read"));
  cpu.load(AT, 8);
  cpu.load(AT, 8);
  expect(hits).toEqual([AT, AT]);
});

test("other pages, and other kinds of access to the page, are served by the lookaside", () => {
  const { cpu } = scene;
  set(watch(AT, AT + 8, "write"));
  cpu.store(AT + 8, 8, 1n);
  cpu.store(AT + 0x1000, 8, 1n);
  cpu.store(AT + 0x1000, 8, 1n);
  cpu.load(AT, 8);
  const slow = (run: () => void): number => slowAccesses(cpu, run);
  expect(slow(() => cpu.load(AT, 8))).toBe(0);
  expect(slow(() => cpu.access(AT, "fetch"))).toBe(0);
  expect(slow(() => cpu.store(AT + 0x1000, 8, 1n))).toBe(0);
  expect(slow(() => cpu.store(AT + 0x800, 8, 1n))).toBe(1);
});

test("wasm tells callers in wasm of them by an event", () => {
  set(watch(AT, AT + 8, "read"));
  const view = new DataView(scene.machine.memory.buffer);
  const load64 = scene.machine.exports.load64 as (...args: (number | bigint)[]) => bigint;
  load64(scene.cpu.linearAddress, BigInt(AT + 4), 8);
  expect(view.getUint32(scene.cpu.linearAddress + CPU_EVENT, true)).toBe(EVENT_WATCH);
  expect(view.getBigUint64(scene.cpu.linearAddress + CPU_EVENT_ADDRESS, true)).toBe(BigInt(AT + 4));
});
