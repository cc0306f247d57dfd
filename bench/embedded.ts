/**
 * What an embedder in wasm pays: loads of 8 bytes through the MMU, by a hit that its own code has
 * inlined (examples/embed) and by calling hugewalk, next to plain loads of its own memory.
 */
import asc from "assemblyscript/asc";
import { readFileSync } from "node:fs";
import { PAGE_4K, createMachine } from "../src/index.ts";
import { BATCH, VIRTUAL_BASE, randomAddresses } from "./addresses.ts";
import { type Case, type Effort, WrongResult, measure } from "./measure.ts";
import { type Report, type Row, atMost, formatNumber, formatTiming, timingOf } from "./report.ts";

const HOT = { level: 1, count: 256 } as const;
const MODULE = "examples/embed/loops.ts";
const CONFIG = "examples/embed/asconfig.json";
const GOAL_NS = 0.8;
const WARM_UP_RUNS = 200;
/**
 * `random, near`: 512 bytes of each page, which is less than processors have of second-level cache.
 */
const ORDERS = ["random", "random, near", "sequential"] as const;
const WAYS = ["plain load", "hit inlined", "hit by call"] as const;

type Order = (typeof ORDERS)[number];
type Way = (typeof WAYS)[number];

/** What `loops.ts` exports. */
interface Loops {
  sumPlain(addresses: number, count: number): bigint;
  sumInlined(cpu: number, addresses: number, count: number): bigint;
  sumCalled(cpu: number, addresses: number, count: number): bigint;
}

export async function benchEmbedded(effort: Effort): Promise<Report> {
  const { embedder, cases } = await createCases();
  // Until the engine has optimized the loops, which a short bench would measure.
  for (const one of cases) for (let i = 0; i < WARM_UP_RUNS; i++) void one.run();
  const timings = await measure("embedded", cases, effort);
  if (embedder.nrWalks() > HOT.count) throw new WrongResult("a page was not in the lookaside");
  const of = (way: Way, order: Order) => timingOf(timings, nameOf(way, order));
  const more = (way: Way, order: Order): number =>
    of(way, order).best - of("plain load", order).best;
  return {
    title: "An embedder's loads of 8 bytes, wasm to wasm, 256 pages of 4K in the lookaside",
    notes: [
      "ns a load, best (median); what the plain load of its own memory takes, and how much more",
    ],
    columns: [...WAYS, "inlined: more", "by call: more"],
    rows: ORDERS.map((order): Row => [
      order,
      ...WAYS.map((way) => formatTiming(of(way, order))),
      formatNumber(more("hit inlined", order)),
      formatNumber(more("hit by call", order)),
    ]),
    goals: ORDERS.map((order) =>
      atMost(
        `inlined hit, more than a plain load, ${order}`,
        more("hit inlined", order),
        GOAL_NS,
        " ns",
      ),
    ),
  };
}

function nameOf(way: Way, order: Order): string {
  return `${way}, ${order}`;
}

/** Addresses of words, as offsets from the first of the hot pages. */
function offsetsOf(order: Order): number[] {
  const bytes = HOT.count * PAGE_4K;
  if (order === "sequential") return Array.from({ length: BATCH }, (_, i) => (i * 8) % bytes);
  const offsets = randomAddresses(HOT).map((address) => address - VIRTUAL_BASE);
  if (order === "random") return offsets;
  return offsets.map((offset) => offset - (offset % PAGE_4K) + (offset % 512));
}

async function createCases() {
  const embedder = new Embedder(await compile());
  const cases = ORDERS.flatMap((order, i) => {
    const offsets = offsetsOf(order);
    const plain = embedder.putAddresses(2 * i, offsets, embedder.ownPages);
    const virtual = embedder.putAddresses(2 * i + 1, offsets, VIRTUAL_BASE);
    const expected = offsets.reduce((sum, offset) => sum + BigInt(offset), 0n);
    const { loops, cpu } = embedder;
    return [
      sumCase(nameOf("plain load", order), expected, () => loops.sumPlain(plain, BATCH)),
      sumCase(nameOf("hit inlined", order), expected, () => loops.sumInlined(cpu, virtual, BATCH)),
      sumCase(nameOf("hit by call", order), expected, () => loops.sumCalled(cpu, virtual, BATCH)),
    ];
  });
  return { embedder, cases };
}

function sumCase(name: string, expected: bigint, run: () => bigint): Case {
  let sum = 0n;
  return {
    name,
    items: BATCH,
    run() {
      sum = run();
    },
    check() {
      if (sum !== expected) throw new WrongResult(`${name}: ${sum}, not ${expected}`);
    },
  };
}

/** Compiles the loops, as an embedder would, once more at each run: it takes a second. */
async function compile(): Promise<WebAssembly.Module> {
  const outputs = new Map<string, string | Uint8Array>();
  const { error, stderr } = await asc.main(
    [MODULE, "--config", CONFIG, "--outFile", "loops.wasm"],
    { writeFile: (name, contents) => void outputs.set(name, contents) },
  );
  const wasm = outputs.get("loops.wasm");
  if (error || !(wasm instanceof Uint8Array))
    throw new WrongResult(`${MODULE} cannot be compiled: ${stderr.toString()}`);
  return new WebAssembly.Module(wasm as BufferSource);
}

/**
 * Memory, of which hugewalk has the part below `base`: the embedder's words, then its addresses.
 */
class Embedder {
  readonly loops: Loops;
  readonly cpu: number;
  readonly ownPages: number;
  readonly nrWalks: () => number;
  readonly #memory: WebAssembly.Memory;

  constructor(module: WebAssembly.Module) {
    const base = readBase();
    const pages = (base + 2 ** 23) / 65536;
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const machine = createMachine({
      memory: this.#memory,
      linearBytes: base,
      ramBytes: 2 ** 24,
    });
    // Behind its static data.
    this.ownPages = base + PAGE_4K;
    let frame = 0;
    const tables = machine.createPageTables({
      allocate: () => (frame += PAGE_4K),
      free: () => {},
    });
    const root = tables.createRoot();
    const rights = { writable: true, executable: false, user: true };
    tables.install(root, VIRTUAL_BASE, 1, 2 ** 22, rights, HOT.count);
    const [cpu] = machine.cpus;
    cpu.cr3 = BigInt(root);
    cpu.cpl = 3;
    const own = new BigUint64Array(this.#memory.buffer, this.ownPages, (HOT.count * PAGE_4K) / 8);
    own.forEach((_, i) => {
      own[i] = BigInt(i * 8);
      machine.ram.store(2 ** 22 + i * 8, 8, own[i]);
    });
    this.cpu = cpu.linearAddress;
    this.nrWalks = () => cpu.counts.walks;
    const host = { pageFault: () => 0 };
    const imports = { env: { memory: this.#memory }, hugewalk: machine.exports, host };
    this.loops = new WebAssembly.Instance(module, imports).exports as unknown as Loops;
  }

  /** Where list `index` of addresses is, of which there is room for a few. */
  putAddresses(index: number, offsets: readonly number[], base: number): number {
    const at = this.ownPages + HOT.count * PAGE_4K + index * BATCH * 8;
    const words = new BigUint64Array(this.#memory.buffer, at, BATCH);
    offsets.forEach((offset, i) => (words[i] = BigInt(base + offset)));
    return at;
  }
}

function readBase(): number {
  const { options } = JSON.parse(readFileSync(CONFIG, "utf8")) as {
    readonly options: { readonly memoryBase: number };
  };
  return options.memoryBase;
}
