/**
 * The one door to the TLB model's wasm (`assembly/model/`), which is a module of its own: it shares
 * no memory with the emulated hardware, and an instance is as large as what it models.
 */
import { modelWasmBase64 } from "../generated/model-wasm.ts";
import { ResourceError } from "../errors.ts";
import { compileBase64 } from "../wasm.ts";

/** The exports of `assembly/model/index.ts`, where they are explained. */
export interface WasmModel {
  readonly memory: WebAssembly.Memory;
  allocate(nrBytes: number): number;
  createArray(
    nrSets: number,
    ways: number,
    indexGroups: number,
    replacement: number,
    seed: number,
    hasShortTags: number,
    tricks: number,
  ): number;
  createLane(
    size: number,
    inclusion: number,
    hasPrefetch: number,
    memoryCycles: number,
    tricks: number,
  ): number;
  setStructures(lane: number, level: number, array: number): void;
  addWalkCache(lane: number, array: number, cycles: number): void;
  setRoute(
    lane: number,
    kind: number,
    size: number,
    first: number,
    firstShift: number,
    firstSpace: number,
    bankShift: number,
    bankSpace: number,
  ): number;
  addBank(route: number, bank: number): void;
  createStack(kind: number, size: number, depth: number): number;
  tallyRegions(lane: number): number;
  tallyInstructions(lane: number): number;
  addRule(
    lane: number,
    first: number,
    last: number,
    size: number,
    availability: number,
    delay: number,
  ): void;
  refer(lane: number, page: number, kind: number, size: number): void;
  has(lane: number, page: number, kind: number, size: number): number;
  dropPages(lane: number, pcid: number, first: number, last: number): void;
  references(): number;
  switchPcid(pcid: number): void;
  dropPcid(array: number, pcid: number): void;
  replay(from: number, count: number): void;
}

/** Does what may need memory for `what`. Throws `ResourceError` if there is none. */
export function withMemory<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    throw new ResourceError(`${what} need more than the 2 GiB of memory that a TLB model can have`);
  }
}

let compiled: WebAssembly.Module | undefined;

export function createWasmModel(): WasmModel {
  compiled ??= compileBase64(modelWasmBase64);
  return new WebAssembly.Instance(compiled).exports as unknown as WasmModel;
}
