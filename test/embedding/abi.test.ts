/** docs/abi.md against the layout, the exports of the built module, and its own text of a hit. */
import binaryen from "assemblyscript/binaryen";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as layout from "../../assembly/layout.ts";
import { boot, slowAccesses } from "./scene.ts";

const text = readFileSync("docs/abi.md", "utf8");
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) => line.split("|").map((cell) => cell.trim()));

/** Every name of a constant in a table, with the number in the cell behind it. */
function documentedNumbers(): [string, number][] {
  return rows.flatMap((cells) =>
    cells.flatMap((cell, i): [string, number][] => {
      const [, name] = /^`([A-Z][A-Z0-9_]+)`$/.exec(cell) ?? [];
      return name ? [[name, Number(cells[i + 1] || NaN)]] : [];
    }),
  );
}

interface Signature {
  readonly parameters: readonly string[];
  readonly result: string;
}

/** `name(a: i32, b: f64) → i64` in a table's first cell. */
function documentedExports(): [string, Signature][] {
  return rows.flatMap(([, cell]): [string, Signature][] => {
    const [, name, list, result = ""] = /^`(\w+)\((.*)\)(?: → (\w+))?`$/.exec(cell) ?? [];
    if (!name) return [];
    const parameters = list === "" ? [] : list.split(", ").map((one) => one.split(": ")[1]);
    return [[name, { parameters, result }]];
  });
}

/** What the module exports, by its text form. */
function builtExports(): [string, Signature][] {
  const wat = readFileSync("build/core.wat", "utf8");
  return [...wat.matchAll(/\(export "(\w+)" \(func (\S+)\)\)/g)].map(([, name, symbol]) => {
    const start = wat.indexOf(`(func ${symbol} `) < 0 ? `(func ${symbol}\n` : `(func ${symbol} `;
    const head = wat.slice(wat.indexOf(start)).split("\n")[0];
    const parameters = [...head.matchAll(/\(param \S+ (\w+)\)/g)].map(([, type]) => type);
    return [name, { parameters, result: /\(result (\w+)\)/.exec(head)?.[1] ?? "" }];
  });
}

describe("numbers", () => {
  const documented = documentedNumbers();

  test("each is the layout's", () => {
    const known = new Map<string, number>(Object.entries(layout));
    expect(documented.filter(([name, value]) => known.get(name) !== value)).toEqual([]);
    expect(documented.length).toBeGreaterThan(100);
  });

  test("each of the layout's is told, once", () => {
    const names = documented.map(([name]) => name).toSorted();
    expect(names).toEqual(Object.keys(layout).toSorted());
  });
});

test("exports, with the types of their parameters and results", () => {
  const sorted = (list: [string, Signature][]) => Object.fromEntries(list);
  const built = builtExports();
  expect(sorted(documentedExports())).toEqual(sorted(built));
  expect(documentedExports()).toHaveLength(built.length);
  const module = new WebAssembly.Module(readFileSync("build/core.wasm"));
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  expect(names.toSorted()).toEqual(built.map(([name]) => name).toSorted());
  expect(WebAssembly.Module.imports(module)).toEqual([
    { module: "env", name: "memory", kind: "memory" },
  ]);
});

describe("the inlined hit, as the text has it", () => {
  const [, wat] = /```wat\n([^]*?)```/.exec(text) ?? [];
  const module = binaryen.parseText(wat);
  module.setFeatures(binaryen.Features.All);
  const compiled = new WebAssembly.Module(module.emitBinary() as BufferSource);
  module.dispose();

  function link() {
    const scene = boot();
    let calls = 0;
    const load64 = scene.machine.exports.load64 as (...args: (number | bigint)[]) => bigint;
    const { exports } = new WebAssembly.Instance(compiled, {
      env: { memory: scene.machine.memory },
      hugewalk: { load64: (...args: (number | bigint)[]) => (calls++, load64(...args)) },
    });
    const load8 = exports.load8 as (cpu: number, va: bigint) => bigint;
    return {
      ...scene,
      load: (address: number | bigint): bigint =>
        BigInt.asUintN(64, load8(scene.cpu.linearAddress, BigInt.asIntN(64, BigInt(address)))),
      callsOf(run: () => void): number {
        calls = 0;
        run();
        return calls;
      },
    };
  }

  const AT = 0x7fff_1234_5000;

  test("hits after the first load, at every offset that does not cross", () => {
    const { machine, map, load, callsOf, cpu } = link();
    map(AT, 0x200000);
    for (let i = 0; i < 512; i++) machine.ram.store(0x200000 + 8 * i, 8, BigInt(i) << 32n);
    expect(callsOf(() => load(AT))).toBe(1);
    const all = (): void => {
      for (let i = 0; i < 512; i++) expect(load(AT + 8 * i)).toBe(BigInt(i) << 32n);
      expect(load(AT + 0xff1)).toBe(510n << 24n);
    };
    expect(callsOf(all)).toBe(0);
    expect(slowAccesses(cpu, all)).toBe(0);
    expect(callsOf(() => load(AT + 0xff9))).toBe(1);
  });

  test("misses after any change, and where there is nothing or another page", () => {
    const { map, load, callsOf, cpu, machine, root } = link();
    map(AT, 0x200000);
    map(AT + 512 * 0x1000, 0x201000);
    machine.ram.store(0x201000, 8, 7n);
    const again = (): number => callsOf(() => load(AT));
    expect([again(), again()]).toEqual([1, 0]);
    const changes: (() => void)[] = [
      () => cpu.invalidatePage(0),
      () => cpu.flush(),
      () => (cpu.cr3 = BigInt(root)),
      () => (cpu.pkru = 4),
      () => (cpu.cr0 = 0x80010001n),
      () => (cpu.efer = 0xd00n),
      () => machine.setWatchpoints([]),
      () => machine.setMmio([]),
      () => machine.ram.store(0x1000000, 1, 1n),
      () => machine.ram.zeroFrame(0x1000000, 2),
      () => machine.restore(machine.snapshot()),
      () => (cpu.cpl = 0),
      () => (cpu.ac = true),
    ];
    for (const change of changes) {
      change();
      expect([again(), again()]).toEqual([1, 0]);
    }
    expect(load(AT + 512 * 0x1000)).toBe(7n);
    expect(again()).toBe(1);
    expect(callsOf(() => load(AT + 0x1000))).toBe(1);
    expect(cpu.fault.reason).toBe("not present");
    expect(callsOf(() => load(0))).toBe(1);
  });
});
