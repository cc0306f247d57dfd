/**
 * Miss curves: of one pass over a trace, what fully associative LRU TLBs of every number of entries
 * miss, exactly, on each page size as if every page had it. They depend on no processor.
 *
 *     const distances = new StackDistances();
 *     distances.replayWords(words);
 *     distances.curve("2M", "data").misses(64);
 *
 * Memory is bounded by `maxEntries`, not by the pages a trace touches: a page is forgotten some
 * time after so many others were used. So first references to pages are not told from those that
 * would need a larger TLB: both miss in all that the curve tells of. Invalidations are passed over.
 */
import { KIND_FETCH, KIND_READ } from "../../assembly/layout.ts";
import { STACK_ACCESSES, STACK_DEPTH_MAX, STACK_HISTOGRAM } from "../../assembly/model/layout.ts";
import { OptionError } from "../errors.ts";
import { PAGE_SIZES, type PageSize } from "./config.ts";
import { CURVE_KINDS, type CurveKind, MissCurve } from "./miss-curve.ts";
import { type WasmModel, createWasmModel } from "./wasm-model.ts";

export interface StackDistancesOptions {
  readonly pageSizes?: readonly PageSize[];
  /** Of the largest TLB that curves tell of: 1 to 65,536, which is what they do without it. */
  readonly maxEntries?: number;
}

/** Words that are replayed at once. */
const BATCH = 16384;
const KIND_CODES: Readonly<Record<CurveKind, number>> = { data: KIND_READ, fetch: KIND_FETCH };

export class StackDistances {
  readonly #batch: BigUint64Array;
  readonly #wasm: WasmModel = createWasmModel();
  /** Addresses. */
  readonly #stacks: ReadonlyMap<string, number>;
  readonly #maxEntries: number;

  /** Throws `OptionError`. */
  constructor({
    pageSizes = PAGE_SIZES,
    maxEntries = STACK_DEPTH_MAX,
  }: StackDistancesOptions = {}) {
    if (!(Number.isInteger(maxEntries) && maxEntries >= 1 && maxEntries <= STACK_DEPTH_MAX)) {
      throw new OptionError("maxEntries", `${maxEntries} is not 1 to ${STACK_DEPTH_MAX}`);
    }
    this.#maxEntries = maxEntries;
    this.#stacks = new Map(
      pageSizes.flatMap((pageSize) => {
        const size = PAGE_SIZES.indexOf(pageSize);
        return CURVE_KINDS.map((kind): [string, number] => {
          const stack = this.#wasm.createStack(KIND_CODES[kind], size, maxEntries);
          return [nameOf(pageSize, kind), stack];
        });
      }),
    );
    const { memory } = this.#wasm;
    const batch = this.#wasm.allocate(BATCH * 8);
    this.#batch = new BigUint64Array(memory.buffer, batch, BATCH);
  }

  /** Replays words (`src/trace/reference.ts`), however many, as of the current PCID. */
  replayWords(words: BigUint64Array): void {
    for (let at = 0; at < words.length; at += BATCH) {
      const part = words.subarray(at, at + BATCH);
      this.#batch.set(part);
      this.#wasm.replay(this.#batch.byteOffset, part.length);
    }
  }

  /**
   * References are those of `pcid` (0 to 4095) from now on; at first they are those of 0. Pages of
   * different ones are different, and none leave at a switch.
   */
  switchTo(pcid: number): void {
    this.#wasm.switchPcid(pcid);
  }

  /** Of all references so far. */
  curve(pageSize: PageSize, kind: CurveKind): MissCurve {
    const stack = this.#stacks.get(nameOf(pageSize, kind));
    if (stack === undefined) throw new OptionError("pageSize", `${pageSize} is not counted`);
    const view = new DataView(this.#wasm.memory.buffer, stack);
    const histogram = Float64Array.from({ length: this.#maxEntries }, (_, i) => {
      return Number(view.getBigUint64(STACK_HISTOGRAM + 8 * (i + 1), true));
    });
    const accesses = Number(view.getBigUint64(STACK_ACCESSES, true));
    return new MissCurve(pageSize, kind, accesses, histogram);
  }
}

function nameOf(pageSize: PageSize, kind: CurveKind): string {
  return `${pageSize} ${kind}`;
}
