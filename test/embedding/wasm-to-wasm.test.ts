/** The example in examples/embed: a guest in wasm, whose accesses go to the MMU in wasm. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { PAGE_4K } from "../../src/index.ts";
import { GUEST_BASE, type System, startGuest } from "../../examples/embed/run.ts";

const START = 2 ** 30;
const END = START + 64 * PAGE_4K;
const WORDS_OF_PAGE = PAGE_4K / 8;
const MULTIPLIERS = [3n, 5n, 7n, 11n];

let module: WebAssembly.Module;
let system: System;

beforeAll(() => {
  mkdirSync("build", { recursive: true });
  const asc = "node_modules/assemblyscript/bin/asc.js";
  const options = ["--config", "examples/embed/asconfig.json", "--outFile", "build/guest.wasm"];
  execFileSync(process.execPath, [asc, "examples/embed/guest.ts", ...options]);
  module = new WebAssembly.Module(readFileSync("build/guest.wasm"));
});

beforeEach(() => {
  system = startGuest(module, START, END);
});

const pages = (from: number, nrPages: number): bigint[] =>
  Array.from({ length: nrPages }, (_, i) => BigInt(from + i * PAGE_4K));

function sumOfFill(count: number): bigint {
  let sum = 0n;
  for (let i = 0; i < count; i++) sum += BigInt(i) * MULTIPLIERS[i % 4];
  return sum;
}

describe("the guest's program", () => {
  test("fills and sums up, with one fault for each page", () => {
    const { guest, faults, machine } = system;
    const count = 40 * WORDS_OF_PAGE;
    guest.fill(BigInt(START), count);
    expect(faults).toEqual(pages(START, 40));
    expect(guest.sum(BigInt(START), count)).toBe(sumOfFill(count));
    expect(faults).toHaveLength(40);
    expect(machine.cpus[0].counts.faults["not present"]).toBe(40);
    expect(machine.cpus[0].load(START + 8 * 1001, 8)).toBe(1001n * 5n);
  });

  test("walks a list whose nodes lie across pages", () => {
    const { guest, faults } = system;
    const faulted = (): number[] => faults.map((at) => Math.floor((Number(at) - START) / PAGE_4K));
    const stride = PAGE_4K - 8;
    // The second node crosses with its first word, the third with its second.
    guest.makeList(BigInt(START + 4), 3, stride);
    expect(guest.walkList(BigInt(START + 4))).toBe(0n + 1n + 4n);
    expect(faulted()).toEqual([0, 1, 2]);
    guest.makeList(BigInt(START + 8 * PAGE_4K - 4), 10, stride);
    expect(guest.walkList(BigInt(START + 8 * PAGE_4K - 4))).toBe(285n);
    expect(faulted()).toEqual([0, 1, 2, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  });

  test("is given what a page fault's resolution mapped", () => {
    const { guest, machine } = system;
    const physical = Number(guest.translate(BigInt(START + 0x123)));
    expect(physical % PAGE_4K).toBe(0x123);
    machine.ram.store(physical, 8, 77n);
    expect(guest.sum(BigInt(START + 0x123), 1)).toBe(77n);
  });

  test("ends where its host serves no fault", () => {
    const { guest, faults } = system;
    expect(() => guest.sum(BigInt(END), 1)).toThrow(WebAssembly.RuntimeError);
    expect(faults).toEqual([BigInt(END)]);
  });
});

describe("between guest and MMU", () => {
  test("there are hugewalk's own functions, a memory, and one function of the host", () => {
    const wanted = WebAssembly.Module.imports(module).map((one) => `${one.module}.${one.name}`);
    expect(wanted.toSorted()).toEqual([
      "env.memory",
      "host.pageFault",
      "hugewalk.access64",
      "hugewalk.load64",
      "hugewalk.store64",
    ]);
    const { imports, machine } = system;
    expect(imports.env.memory).toBe(machine.memory);
    expect(imports.hugewalk).toBe(machine.exports);
    // The name of an exported wasm function is its index; a wrapper's is not.
    for (const name of ["access64", "load64", "store64"]) {
      expect((imports.hugewalk[name] as () => void).name).toMatch(/^\d+$/);
    }
  });

  test("hits are served in the guest: nothing is called", () => {
    const { guest, machine } = system;
    const count = 64 * WORDS_OF_PAGE;
    guest.fill(BigInt(START), count);
    guest.sum(BigInt(START), count);
    const calls = guest.nrCalls();
    const counts = machine.cpus[0].counts;
    for (let i = 0; i < 10; i++) {
      guest.fill(BigInt(START), count);
      expect(guest.sum(BigInt(START), count)).toBe(sumOfFill(count));
    }
    expect(guest.nrCalls()).toBe(calls);
    expect(machine.cpus[0].counts).toEqual(counts);
  });

  test("a page is asked for anew after any change, and a crossing each time", () => {
    const { guest, machine } = system;
    guest.fill(BigInt(START), 1024);
    guest.sum(BigInt(START), 1024);
    const calls = (run: () => void): number => {
      const before = guest.nrCalls();
      run();
      return guest.nrCalls() - before;
    };
    const sum = (): bigint => guest.sum(BigInt(START), 1024);
    expect(calls(sum)).toBe(0);
    machine.cpus[0].invalidatePage(START);
    expect(calls(sum)).toBe(2);
    machine.cpus[0].pkru = 0xc;
    expect(calls(sum)).toBe(2);
    const crossing = (): bigint => guest.sum(BigInt(START + PAGE_4K - 4), 1);
    expect([calls(crossing), calls(crossing)]).toEqual([1, 1]);
  });

  test("what was unmapped faults again, and its new frame is seen", () => {
    const { guest, faults, machine } = system;
    guest.fill(BigInt(START), 8);
    const root = Number(machine.cpus[0].cr3);
    const tables = machine.createPageTables({ allocate: () => undefined, free: () => {} });
    tables.remove(root, START, START + PAGE_4K, () => {});
    machine.cpus[0].invalidatePage(START);
    expect(guest.sum(BigInt(START), 8)).toBe(0n);
    expect(faults).toEqual(pages(START, 1).concat(pages(START, 1)));
  });
});

test("the guest's data lies above linearBytes, and neither half touches the other's", () => {
  const { guest, machine } = system;
  expect(guest.dataAddress()).toBe(GUEST_BASE);
  const data = (): string =>
    Buffer.from(machine.memory.buffer, GUEST_BASE, machine.memory.buffer.byteLength - GUEST_BASE)
      .toString("latin1")
      .replace(/\0+$/, "");
  const before = data();
  expect(before).toBe("\x03\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x0b");
  // RAM is filled until hugewalk has no room left, then reset.
  const { ram } = machine;
  let backed = 0;
  for (let at = 0; at < ram.bytes; at += 2 ** 21, backed++) ram.store(at, 8, 1n);
  expect(backed).toBe(16);
  expect(data()).toBe(before);
  const snapshot = machine.snapshot();
  machine.reset();
  machine.restore(snapshot);
  expect(data()).toBe(before);
});
