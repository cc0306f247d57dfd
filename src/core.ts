/**
 * The one door to wasm: compiles and instantiates the hardware half over a memory, and types its
 * exports. What each export does is written at `assembly/index.ts`; addresses are numbers, a CPU
 * is its linear address.
 */
import { ABI_VERSION, EXCHANGE_BYTES, STATUS_NO_BACKING, TLB_ARRAYS } from "../assembly/layout.ts";
import { InternalError, OptionError, ResourceError } from "./errors.ts";
import { coreWasmBase64 } from "./generated/core-wasm.ts";
import { compileBase64 } from "./wasm.ts";

/** The exports of `assembly/index.ts` as JavaScript sees them (booleans are 0 or 1). */
interface CoreExports {
  abiVersion(): number;
  geometryAddress(): number;
  init(ramBytes: number, nrCpus: number, linearBytes: number, hasDirtyLog: number): number;
  getState(index: number): number;
  setState(index: number, value: number): void;
  usedEnd(): number;
  rangesAddress(isWatch: number): number;
  setRanges(isWatch: number, count: number): void;
  dirtyLogAddress(): number;
  dirtyLogCleared(): void;
  cpuAddress(index: number): number;
  exchangeAddress(): number;
  nrSectionsBacked(): number;
  ramLoad(pa: number, nrBytes: number): bigint;
  ramStore(pa: number, nrBytes: number, value: bigint): number;
  zeroFrame(pa: number, level: number): void;
  copyFrame(to: number, from: number, level: number): number;
  linearForRead(pa: number): number;
  linearForWrite(pa: number): number;
  registersChanged(cpu: number, dropsTlb: number): void;
  writeCr3(cpu: number, value: bigint): void;
  setPrivilege(cpu: number, cpl: number): void;
  setAlignmentCheck(cpu: number, isSet: number): void;
  setStructureEntries(cpu: number, level: number, nrEntries: number): void;
  invalidatePage64(cpu: number, va: bigint): void;
  invalidateRange(cpu: number, pcid: number, start: number, end: number): void;
  invalidatePcid64(cpu: number, type: number, pcid: number, va: bigint): void;
  peek64(cpu: number, va: bigint): bigint;
  peekStructure64(cpu: number, va: bigint): number;
  peekedTable(): number;
  flush(cpu: number): void;
  access(cpu: number, va: number, nrBytes: number, kind: number): number;
  access64(cpu: number, va: bigint, nrBytes: number, kind: number): bigint;
  load(cpu: number, va: number, nrBytes: number): bigint;
  load64(cpu: number, va: bigint, nrBytes: number): bigint;
  store(cpu: number, va: number, nrBytes: number, value: bigint): number;
  store64(cpu: number, va: bigint, nrBytes: number, value: bigint): number;
  accessAs64(cpu: number, va: bigint, nrBytes: number, kind: number, manner: number): bigint;
  probe64(cpu: number, va: bigint, kind: number, manner: number): number;
  probed64(): bigint;
  replay(cpu: number, from: number, count: number): number;
  translateBatch(cpu: number, from: number, to: number, count: number, kind: number): number;
  walkBatch(cpu: number, from: number, to: number, count: number): number;
  giveTable(pa: number): number;
  takeTable(): number;
  nrTablesInStock(): number;
  lookup(root: number, va: number): number;
  install(
    root: number,
    va: number,
    level: number,
    pa: number,
    count: number,
    rights: number,
  ): number;
  remove(root: number, start: number, end: number, capacity: number): number;
  protect(root: number, start: number, end: number, rights: number): number;
  share(root: number, child: number, start: number, end: number, capacity: number): number;
  list(root: number, start: number, end: number, capacity: number): number;
  ensureTable(root: number, va: number, level: number): number;
  tableAt(root: number, va: number, level: number): number;
  linkTable(root: number, va: number, level: number, table: number): number;
  unlinkTable(root: number, va: number, level: number): void;
  freeTables(root: number, floor: number, ceiling: number): void;
  nextAddress(): number;
  nrLeaves(): number;
}

/** Sets and ways of one TLB array; sets are a power of two. */
export interface TlbArrayGeometry {
  readonly sets: number;
  readonly ways: number;
}

export interface CoreOptions {
  readonly ramBytes: number;
  readonly nrCpus: number;
  readonly linearBytes: number;
  /** By array, in the order of `TLB_L1_4K` … `TLB_L2_1G` in the layout. */
  readonly tlb: readonly TlbArrayGeometry[];
  readonly hasDirtyLog: boolean;
  readonly module?: WebAssembly.Module;
  readonly memory?: WebAssembly.Memory;
}

export interface Core {
  readonly exports: CoreExports;
  readonly memory: WebAssembly.Memory;
  readonly view: DataView;
  /** The exchange area, as f64 and as u64. */
  readonly exchangeF64: Float64Array;
  readonly exchangeU64: BigUint64Array;
}

const WASM_PAGE = 65536;
/** 64-bit words of the exchange area. */
export const EXCHANGE_WORDS = EXCHANGE_BYTES / 8;
let compiled: WebAssembly.Module | undefined;

/** The hardware half, compiled once a process from the text in this package. */
export function coreModule(): WebAssembly.Module {
  compiled ??= compileBase64(coreWasmBase64);
  return compiled;
}

function createMemory(linearBytes: number): WebAssembly.Memory {
  const pages = linearBytes / WASM_PAGE;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch {
    throw new ResourceError(
      `linearBytes: cannot reserve ${linearBytes} bytes of address space; ask for less, or, ` +
        "where address space is limited (ulimit -v), run node with --disable-wasm-trap-handler",
    );
  }
}

/** Throws OptionError if RAM does not fit, ResourceError if the memory cannot be had. */
export function createCore(options: CoreOptions): Core {
  const memory = options.memory ?? createMemory(options.linearBytes);
  const linearBytes = Math.min(memory.buffer.byteLength, options.linearBytes);
  const instance = new WebAssembly.Instance(options.module ?? coreModule(), { env: { memory } });
  const exports = instance.exports as unknown as CoreExports;
  if (exports.abiVersion() !== ABI_VERSION) {
    throw new OptionError("module", `its ABI version is not ${ABI_VERSION}`);
  }
  if (options.tlb.length !== TLB_ARRAYS) throw new InternalError("one geometry a TLB array");
  const view = new DataView(memory.buffer);
  options.tlb.forEach(({ sets, ways }, i) => {
    view.setUint32(exports.geometryAddress() + i * 8, sets, true);
    view.setUint32(exports.geometryAddress() + i * 8 + 4, ways, true);
  });
  const hasDirtyLog = options.hasDirtyLog ? 1 : 0;
  if (!exports.init(options.ramBytes, options.nrCpus, linearBytes, hasDirtyLog)) {
    throw new OptionError(
      "linearBytes",
      `${linearBytes} bytes cannot hold the directory of ${options.ramBytes} bytes of RAM`,
    );
  }
  const exchange = exports.exchangeAddress();
  return {
    exports,
    memory,
    view,
    exchangeF64: new Float64Array(memory.buffer, exchange, EXCHANGE_WORDS),
    exchangeU64: new BigUint64Array(memory.buffer, exchange, EXCHANGE_WORDS),
  };
}

/** Throws if an operation had no section left to back what it writes. */
export function needsBacking(status: number): void {
  if (status === STATUS_NO_BACKING) {
    throw new ResourceError(
      "linearBytes: the linear memory is full; every 2M of RAM that was written needs 2M of it",
    );
  }
}
