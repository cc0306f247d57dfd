/**
 * The fast model of a processor's TLBs: batches of references go in, counts come out, exactly those
 * of `config.ts`. All page sizes asked for are modelled at once, each as if every page had that
 * size.
 *
 *     const model = new TlbModel(processor);
 *     model.batch[0] = encodeReference(address, "read", 8);
 *     model.replay(1);
 *     model.counts("2M").walks;
 */
import { TRICKS_ALL } from "../../assembly/model/layout.ts";
import { OptionError } from "../errors.ts";
import { checkProcessor } from "./check.ts";
import { PAGE_SIZES, type PageSize, type Processor } from "./config.ts";
import type { TlbCounts } from "./counts.ts";
import { Lane } from "./lane.ts";
import { Residents } from "./residents.ts";
import { type WasmModel, createWasmModel } from "./wasm-model.ts";

export interface TlbModelOptions {
  readonly pageSizes?: readonly PageSize[];
  /**
   * Whether loads of walks go through the caches of `walkCost`; else `loadsFrom` is memory alone.
   */
  readonly hasWalkCost?: boolean;
  /** TRICK_* of `assembly/model/layout.ts`, for tests: they change no count. */
  readonly tricks?: number;
}

/** References a batch. */
const BATCH = 16384;

/** Arrays that PCIDs enter and leave together: one of the processor's, in every lane. */
interface Shared {
  readonly residents: Residents;
  readonly arrays: readonly number[];
}

export class TlbModel {
  /**
   * Where a trace's words (`src/trace/reference.ts`, or `encodeReference`) are put. Of addresses,
   * bits 0 to 47 count. Controls change nothing here: the caller parts references of more than 16
   * bytes, and says whose they are (`switchTo`).
   */
  readonly batch: BigUint64Array;
  readonly #batchAddress: number;
  readonly #wasm: WasmModel = createWasmModel();
  readonly #lanes: ReadonlyMap<PageSize, Lane>;
  readonly #shared: readonly Shared[];
  #pcid = 0;
  /** Whether `#pcid` is resident; it is from its first reference on. */
  #hasEntered = false;

  /** Throws `OptionError` for a processor that makes no sense, or sets with too many ways. */
  constructor(processor: Processor, options: TlbModelOptions = {}) {
    checkProcessor(processor);
    const { pageSizes = PAGE_SIZES, hasWalkCost = true, tricks = TRICKS_ALL } = options;
    this.#lanes = new Map(
      pageSizes.map((pageSize) => {
        return [pageSize, new Lane(this.#wasm, processor, { pageSize, hasWalkCost, tricks })];
      }),
    );
    this.#shared = sharedArrays(processor, [...this.#lanes.values()]);
    this.#batchAddress = this.#wasm.allocate(BATCH * 8);
    this.batch = new BigUint64Array(this.#wasm.memory.buffer, this.#batchAddress, BATCH);
  }

  /** Replays the first `count` references of the batch, as of the current PCID. */
  replay(count: number): void {
    if (!(count >= 0 && count <= BATCH)) throw new OptionError("count", `${count} is no batch`);
    if (count > 0) this.#enter();
    this.#wasm.replay(this.#batchAddress, count);
  }

  /** References are those of `pcid` (0 to 4095) from now on; at first they are those of 0. */
  switchTo(pcid: number): void {
    if (pcid === this.#pcid) return;
    this.#pcid = pcid;
    this.#hasEntered = false;
  }

  /** Counts since the beginning. */
  counts(pageSize: PageSize): TlbCounts {
    const lane = this.#lanes.get(pageSize);
    if (!lane) throw new OptionError("pageSize", `${pageSize} is not modelled`);
    return lane.counts();
  }

  #enter(): void {
    if (this.#hasEntered) return;
    this.#hasEntered = true;
    for (const { residents, arrays } of this.#shared) {
      const left = residents.enter(this.#pcid);
      if (left === undefined) continue;
      for (const array of arrays) this.#wasm.dropPcid(array, left);
    }
    this.#wasm.switchPcid(this.#pcid);
  }
}

function sharedArrays(processor: Processor, lanes: readonly Lane[]): Shared[] {
  const { firstLevel, secondLevel, structureCaches } = processor;
  const shared = (pcids: number, arrays: readonly number[]): Shared => {
    return { residents: new Residents(pcids), arrays };
  };
  return [
    ...firstLevel.map(({ pcids }, i) =>
      shared(
        pcids,
        lanes.map((lane) => lane.firstLevel[i]),
      ),
    ),
    ...secondLevel.map(({ pcids }, i) =>
      shared(
        pcids,
        lanes.map((lane) => lane.secondLevel[i]),
      ),
    ),
    shared(
      structureCaches.pcids,
      lanes.flatMap(({ structures }) => structures),
    ),
  ];
}
