/**
 * A machine with pages mapped and a batch of addresses in its exchange area, at the door to wasm.
 */
import { KIND_READ } from "../assembly/layout.ts";
import { pageBytesOf } from "../src/address.ts";
import { type Core, createCore } from "../src/core.ts";
import { Attention } from "../src/hardware/attention.ts";
import { Cpu } from "../src/hardware/cpu.ts";
import { SKYLAKE_TLB } from "../src/hardware/machine.ts";
import { PageTables } from "../src/hardware/page-tables.ts";
import { BATCH, PHYSICAL_BASE, type Pages, RAM_BYTES, VIRTUAL_BASE } from "./addresses.ts";
import { WrongResult } from "./measure.ts";

const LINEAR_BYTES = 2 ** 28;
const USER = { writable: true, executable: true, user: true };

export interface SceneOptions {
  readonly pages: Pages;
  readonly addresses: readonly number[];
  /** False: every address is looked for in the TLB's arrays. */
  readonly hasLookaside: boolean;
}

export class Scene {
  readonly cpu: Cpu;
  readonly #core: Core;
  readonly #cpuAddress: number;
  readonly #from: number;
  readonly #to: number;
  #nrDone = 0;

  constructor({ pages, addresses, hasLookaside }: SceneOptions) {
    const { l1For4K, l1For2M, l1For1G, l2, l2For1G } = SKYLAKE_TLB;
    this.#core = createCore({
      ramBytes: RAM_BYTES,
      nrCpus: 1,
      linearBytes: LINEAR_BYTES,
      tlb: [l1For4K, l1For2M, l1For1G, l2, l2For1G],
      hasDirtyLog: false,
    });
    this.cpu = new Cpu(this.#core, 0, new Attention(this.#core));
    this.cpu.setFeatures({ maxPhysicalAddressBits: 46, pages1G: true });
    this.cpu.hasLookaside = hasLookaside;
    this.#map(pages);
    const { exports, exchangeU64 } = this.#core;
    this.#cpuAddress = exports.cpuAddress(0);
    this.#from = exports.exchangeAddress();
    this.#to = this.#from + BATCH * 8;
    addresses.forEach((address, i) => (exchangeU64[i] = BigInt(address)));
  }

  #map({ level, count }: Pages): void {
    let frame = 0;
    const tables = new PageTables(this.#core, {
      allocate: () => (frame += 4096),
      free: () => {},
    });
    const root = tables.createRoot();
    tables.install(root, VIRTUAL_BASE, level, PHYSICAL_BASE, USER, count);
    if (PHYSICAL_BASE + count * pageBytesOf(level) > RAM_BYTES) throw new WrongResult("RAM");
    this.cpu.cr3 = BigInt(root);
    this.cpu.cpl = 3;
  }

  /** Translates the batch, by lookaside and TLB. */
  translate(): void {
    const { exports } = this.#core;
    this.#nrDone = exports.translateBatch(this.#cpuAddress, this.#from, this.#to, BATCH, KIND_READ);
  }

  /** Translates the first address of the batch alone. */
  translateOne(): void {
    const { exports } = this.#core;
    this.#nrDone = exports.translateBatch(this.#cpuAddress, this.#from, this.#to, 1, KIND_READ);
  }

  /** Translates the batch, by the tables alone. */
  walk(): void {
    const { exports } = this.#core;
    this.#nrDone = exports.walkBatch(this.#cpuAddress, this.#from, this.#to, BATCH);
  }

  /** Drops everything that the CPU caches, `count` times, by as many calls. */
  flush(count: number): void {
    const { exports } = this.#core;
    for (let i = 0; i < count; i++) exports.flush(this.#cpuAddress);
  }

  /** Calls what only returns a constant, `count` times: what a call costs. */
  callNothing(count: number): void {
    const { exports } = this.#core;
    for (let i = 0; i < count; i++) exports.exchangeAddress();
  }

  /** Throws unless the last batch was translated, and rightly. */
  check(): void {
    if (this.#nrDone !== BATCH) throw new WrongResult(`address ${this.#nrDone} faulted`);
    const { exchangeU64 } = this.#core;
    const distance = BigInt(VIRTUAL_BASE - PHYSICAL_BASE);
    for (let i = 0; i < BATCH; i++) {
      if (exchangeU64[BATCH + i] !== exchangeU64[i] - distance) {
        throw new WrongResult(`address ${i} was translated to ${exchangeU64[BATCH + i]}`);
      }
    }
  }
}
