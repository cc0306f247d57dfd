/** The page walk by page size, against the same walk in C and in plain TypeScript. */
import { formatBytes, pageBytesOf } from "../src/address.ts";
import {
  BATCH,
  PHYSICAL_BASE,
  type Pages,
  RAM_BYTES,
  VIRTUAL_BASE,
  randomAddresses,
} from "./addresses.ts";
import { type Case, type Effort, type Timing, WrongResult, measure } from "./measure.ts";
import { type Report, type Row, atMost, formatRatio, formatTiming, timingOf } from "./report.ts";
import { Scene } from "./scene.ts";
import { type NativeYardstick, foreignOf } from "./yardstick/native.ts";
import { TypedArrayWalker } from "./yardstick/typed-array-walker.ts";

const PAGES: readonly Pages[] = [
  { level: 1, count: 256 },
  { level: 1, count: 4096 },
  { level: 2, count: 256 },
  { level: 3, count: 64 },
];
/** Of the walk in wasm to that in C. */
const RATIO_GOAL = 1.25;

export async function benchWalk(effort: Effort, native?: NativeYardstick): Promise<Report> {
  const cases = PAGES.flatMap((pages) => [wasmCase(pages), typedArrayCase(pages)]);
  const foreign = native && foreignOf(native, PAGES, ({ walk }) => walk, nameOfNative);
  const timings = await measure("walk", cases, effort, foreign);
  const goals = PAGES.flatMap((pages) => {
    const c = timings.get(nameOfNative(pages));
    const name = `walk, ${nameOf(pages)}, to C's`;
    const wasm = timingOf(timings, nameOfWasm(pages));
    return c ? [atMost(name, wasm.best / c.best, RATIO_GOAL, "×")] : [];
  });
  return {
    title: "Page walk (four levels, random addresses)",
    notes: ["ns a walk, best (median)"],
    columns: ["wasm", "C", "wasm to C", "TypeScript", "TypeScript to wasm"],
    rows: PAGES.map((pages) => rowOf(pages, timings)),
    goals,
  };
}

function rowOf(pages: Pages, timings: ReadonlyMap<string, Timing>): Row {
  const wasm = timingOf(timings, nameOfWasm(pages));
  const c = timings.get(nameOfNative(pages));
  const typed = timingOf(timings, nameOfTypedArray(pages));
  return [
    nameOf(pages),
    formatTiming(wasm),
    c && formatTiming(c),
    formatRatio(wasm, c),
    formatTiming(typed),
    formatRatio(typed, wasm),
  ];
}

function wasmCase(pages: Pages): Case {
  const scene = new Scene({ pages, addresses: randomAddresses(pages), hasLookaside: true });
  return {
    name: nameOfWasm(pages),
    items: BATCH,
    run: () => scene.walk(),
    check: () => scene.check(),
  };
}

function typedArrayCase(pages: Pages): Case {
  const walker = new TypedArrayWalker(RAM_BYTES);
  const bytes = pageBytesOf(pages.level);
  for (let i = 0; i < pages.count; i++) {
    walker.map(VIRTUAL_BASE + i * bytes, PHYSICAL_BASE + i * bytes, pages.level);
  }
  const addresses = randomAddresses(pages);
  const from = new Int32Array(2 * BATCH);
  const to = new Int32Array(2 * BATCH);
  addresses.forEach((address, i) => {
    from[2 * i] = address % 2 ** 32;
    from[2 * i + 1] = address / 2 ** 32;
  });
  let nrDone = 0;
  return {
    name: nameOfTypedArray(pages),
    items: BATCH,
    run() {
      nrDone = walker.walkBatch(from, to, BATCH);
    },
    check() {
      if (nrDone !== BATCH) throw new WrongResult(`typed arrays: address ${nrDone} faulted`);
      addresses.forEach((address, i) => {
        const physical = to[2 * i + 1] * 2 ** 32 + (to[2 * i] >>> 0);
        if (physical !== address - VIRTUAL_BASE + PHYSICAL_BASE) {
          throw new WrongResult(`typed arrays: address ${i} was translated to ${physical}`);
        }
      });
    },
  };
}

function nameOf({ level, count }: Pages): string {
  return `${count} pages of ${formatBytes(pageBytesOf(level))}`;
}
const nameOfWasm = (pages: Pages): string => `${nameOf(pages)}, wasm`;
const nameOfNative = (pages: Pages): string => `${nameOf(pages)}, C`;
const nameOfTypedArray = (pages: Pages): string => `${nameOf(pages)}, TypeScript`;
