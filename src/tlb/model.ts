/**
 * The fast model of a processor's TLBs: batches of references go in, counts come out, exactly those
 * of `config.ts`. All policies asked for are modelled at once, each by a lane of its own, with what
 * it alone has in its TLBs.
 *
 *     const model = new TlbModel(processor);
 *     model.batch[0] = encodeReference(address, "read", 8);
 *     model.replay(1);
 *     model.counts("2M").walks;
 */
import { LANES_MAX, TRICKS_ALL } from "../../assembly/model/layout.ts";
import { KIND_FETCH, KIND_READ, KIND_WRITE } from "../../assembly/layout.ts";
import { OptionError } from "../errors.ts";
import { checkProcessor } from "./check.ts";
import {
  ADDRESS_BITS,
  PAGE_SHIFT,
  PAGE_SIZES,
  type PageSize,
  type Processor,
  type ReferenceKind,
} from "./config.ts";
import type { ReferenceCounts, RouteCounts, TlbCounts } from "./counts.ts";
import { Lane } from "./lane.ts";
import { checkPolicy, type PagePolicy } from "./page-policy.ts";
import { Residents } from "./residents.ts";
import type { InstructionCounts, RegionCounts } from "./tally.ts";
import { type WasmModel, createWasmModel, withMemory } from "./wasm-model.ts";

export interface TlbModelOptions {
  /** At most LANES_MAX, no two the same object; without: each page size. */
  readonly policies?: readonly PagePolicy[];
  /**
   * Whether loads of walks go through the caches of `walkCost`; else `loadsFrom` is memory alone.
   */
  readonly hasWalkCost?: boolean;
  /** Whether walks are tallied by region of 2M. */
  readonly hasRegions?: boolean;
  /** Whether they are by instruction; levels are then modelled one reference at a time. */
  readonly hasInstructions?: boolean;
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
  readonly #batchAddress: number;
  readonly #wasm: WasmModel = createWasmModel();
  readonly #lanes: ReadonlyMap<PagePolicy, Lane>;
  readonly #shared: readonly Shared[];
  #batch: BigUint64Array;
  #pcid = 0;
  /** Whether `#pcid` is resident; it is from its first reference on. */
  #hasEntered = false;

  /**
   * Throws `OptionError` for a processor or policy that makes no sense, or too many ways, and
   * `ResourceError` for a processor that is too large.
   */
  constructor(processor: Processor, options: TlbModelOptions = {}) {
    checkProcessor(processor);
    const { policies = PAGE_SIZES, hasWalkCost = true, tricks = TRICKS_ALL } = options;
    const { hasRegions = false, hasInstructions = false } = options;
    if (policies.length > LANES_MAX) {
      throw new OptionError("policies", `${policies.length} are more than ${LANES_MAX}`);
    }
    policies.forEach((policy, i) => {
      checkPolicy(policy);
      if (policies.indexOf(policy) !== i) throw new OptionError(`policies[${i}]`, "is twice");
    });
    this.#lanes = new Map(
      policies.map((policy) => {
        const laneOptions = { policy, hasWalkCost, hasRegions, hasInstructions, tricks };
        return [
          policy,
          withMemory("all arrays", () => new Lane(this.#wasm, processor, laneOptions)),
        ];
      }),
    );
    this.#shared = sharedArrays(processor, [...this.#lanes.values()]);
    this.#batchAddress = this.#wasm.allocate(BATCH * 8);
    this.#batch = new BigUint64Array(this.#wasm.memory.buffer, this.#batchAddress, BATCH);
  }

  /**
   * Where a trace's words (`src/trace/reference.ts`, or `encodeReference`) are put; good until the
   * next call. Of addresses, bits 0 to 47 count. Threads are passed over: all references are those
   * of one processor.
   */
  get batch(): BigUint64Array {
    if (this.#batch.buffer !== this.#wasm.memory.buffer) {
      this.#batch = new BigUint64Array(this.#wasm.memory.buffer, this.#batchAddress, BATCH);
    }
    return this.#batch;
  }

  /**
   * Replays the first `count` words of the batch, as of the current PCID, which is resident then.
   * Throws `ResourceError`, if tallies of millions of regions find no memory.
   */
  replay(count: number): void {
    if (!(count >= 0 && count <= BATCH)) throw new OptionError("count", `${count} is no batch`);
    if (count > 0) this.#enter();
    withMemory("tallies of so many regions or instructions", () => {
      this.#wasm.replay(this.#batchAddress, count);
    });
  }

  /** Replays words, however many. */
  replayWords(words: BigUint64Array): void {
    for (let at = 0; at < words.length; at += BATCH) {
      const part = words.subarray(at, at + BATCH);
      this.batch.set(part);
      this.replay(part.length);
    }
  }

  /**
   * One reference, to a page whose size is told, whatever policies say. It is none of the trace:
   * `references()` and rules do not count it, and its walk is that of the instruction of the
   * reference before it.
   */
  refer(address: number, kind: ReferenceKind, pageSize: PageSize): void {
    this.#enter();
    const page = pageNumber(address);
    for (const lane of this.#lanes.values()) lane.refer(page, kind, pageSize);
  }

  /** Whether such a reference would need no walk in a policy's lane. Nothing changes by asking. */
  has(policy: PagePolicy, address: number, kind: ReferenceKind, pageSize: PageSize): boolean {
    return this.#lane(policy).has(pageNumber(address), kind, pageSize);
  }

  /**
   * The entries that translate any of these bytes, of the current PCID, leave all lanes, and their
   * structure caches are emptied of it, as by INVLPG (SDM Vol. 3A §4.10.4.1). Of a page kept in
   * pieces, only those of these bytes leave. Throws `OptionError` unless they are some of the 2^48.
   */
  invalidate(address: number, nrBytes: number): void {
    const end = address + nrBytes;
    if (!(address >= 0 && nrBytes > 0 && end <= 2 ** ADDRESS_BITS)) {
      throw new OptionError("nrBytes", `no 48-bit addresses: ${nrBytes} bytes from ${address} on`);
    }
    const [first, last] = [pageNumber(address), pageNumber(end - 1)];
    for (const lane of this.#lanes.values()) lane.dropPages(this.#pcid, first, last);
  }

  /** Everything of the current PCID leaves, but for lines of walk caches. */
  flush(): void {
    for (const { arrays } of this.#shared) {
      for (const array of arrays) this.#wasm.dropPcid(array, this.#pcid);
    }
  }

  /** References are those of `pcid` (0 to 4095) from now on; at first they are those of 0. */
  switchTo(pcid: number): void {
    if (pcid === this.#pcid) return;
    this.#pcid = pcid;
    this.#hasEntered = false;
    this.#wasm.switchPcid(pcid);
  }

  /** Counts since the beginning. */
  counts(policy: PagePolicy): TlbCounts {
    return this.#lane(policy).counts();
  }

  /** The same by kind and page size; those without references are left out. */
  routes(policy: PagePolicy): RouteCounts[] {
    return this.#lane(policy).routes();
  }

  /** Walks by region of 2M, by address; undefined without `hasRegions`. */
  regions(policy: PagePolicy): RegionCounts[] | undefined {
    return this.#lane(policy).regions();
  }

  /** Walks by the instruction that made them, by address; undefined without `hasInstructions`. */
  instructions(policy: PagePolicy): InstructionCounts[] | undefined {
    return this.#lane(policy).instructions();
  }

  /** What was replayed. */
  references(): ReferenceCounts {
    const at = this.#wasm.references();
    const counts = new BigUint64Array(this.#wasm.memory.buffer, at, 3);
    return {
      fetch: Number(counts[KIND_FETCH]),
      load: Number(counts[KIND_READ]),
      store: Number(counts[KIND_WRITE]),
    };
  }

  #lane(policy: PagePolicy): Lane {
    const lane = this.#lanes.get(policy);
    if (!lane) throw new OptionError("policy", "it is not modelled");
    return lane;
  }

  #enter(): void {
    if (this.#hasEntered) return;
    this.#hasEntered = true;
    for (const { residents, arrays } of this.#shared) {
      const left = residents.enter(this.#pcid);
      if (left === undefined) continue;
      for (const array of arrays) this.#wasm.dropPcid(array, left);
    }
  }
}

/** Of a 4K page; of the address, bits 0 to 47 count. */
function pageNumber(address: number): number {
  return Math.floor((address % 2 ** ADDRESS_BITS) / 2 ** PAGE_SHIFT["4K"]);
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
