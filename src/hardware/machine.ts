/** A machine: RAM and CPUs over one linear memory. */
import { STRUCTURE_ENTRIES_MAX } from "../../assembly/layout.ts";
import { PAGE_2M, PAGE_4K, formatBytes } from "../address.ts";
import { type Core, type TlbArrayGeometry, createCore } from "../core.ts";
import { OptionError } from "../errors.ts";
import { type AccessListener, Attention, type MmioRange, type Watchpoint } from "./attention.ts";
import { Cpu, type CpuFeatures } from "./cpu.ts";
import { PageTables, type TableFrames } from "./page-tables.ts";
import { Ram } from "./ram.ts";
import { type Snapshot, restoreSnapshot, takeSnapshot } from "./snapshot.ts";
import { StaleDetector, type StaleUse } from "./stale-detector.ts";

export type { TlbArrayGeometry } from "../core.ts";

/** The arrays of a TLB: first levels by page size, a second level for 4K and 2M, one for 1G. */
export interface TlbGeometry {
  readonly l1For4K: TlbArrayGeometry;
  readonly l1For2M: TlbArrayGeometry;
  readonly l1For1G: TlbArrayGeometry;
  readonly l2: TlbArrayGeometry;
  readonly l2For1G: TlbArrayGeometry;
}

/** Skylake-SP's data side (CPUID leaf 18H; Intel Optimization Reference Manual). */
export const SKYLAKE_TLB: TlbGeometry = {
  l1For4K: { sets: 16, ways: 4 },
  l1For2M: { sets: 8, ways: 4 },
  l1For1G: { sets: 1, ways: 4 },
  l2: { sets: 128, ways: 12 },
  l2For1G: { sets: 4, ways: 4 },
};

/** Entries of each paging-structure cache, by the entry that it holds; 0 to 64. */
export interface StructureCaches {
  readonly pml5e: number;
  readonly pml4e: number;
  readonly pdpte: number;
  readonly pde: number;
}

export interface MachineOptions extends Partial<CpuFeatures> {
  /** Bytes of RAM, a multiple of 2M. Default 4G. Costs nothing until written. */
  readonly ramBytes?: number;
  /** 1 to 64; default 1. */
  readonly cpus?: number;
  readonly tlb?: TlbGeometry;
  /** True: TLB counts are exact, and accesses slower. Default false. */
  readonly exactTlb?: boolean;
  /** Entries of the paging-structure caches, 0 to 64 each. Default: none. */
  readonly structureCaches?: StructureCaches;
  /** Whether pages that CPUs write are logged (`Machine.takeDirtyPages`). Default false. */
  readonly dirtyLog?: boolean;
  /**
   * Bytes of linear memory: what was written of RAM, at a time, has to fit in. A multiple of 64K;
   * default all of `memory`, or just below 4G, of which the host reserves address space only.
   */
  readonly linearBytes?: number;
  /** A compiled `core.wasm`; default: the one in this package. */
  readonly module?: WebAssembly.Module;
  /** The linear memory, zero-filled; default: a new one of `linearBytes`. */
  readonly memory?: WebAssembly.Memory;
}

export interface Machine {
  readonly ram: Ram;
  readonly cpus: readonly Cpu[];
  /** The linear memory; at and above `linearBytes` it is the caller's. */
  readonly memory: WebAssembly.Memory;
  /** The core's exports, for another wasm module to import (docs/abi.md). */
  readonly exports: WebAssembly.Exports;
  /**
   * Makes it as it was when created: RAM all zeros, registers and TLBs reset, no device ranges and
   * no watchpoints. Hooks, listener and the detector of stale translations stay.
   */
  reset(): void;
  /** Replaces the ranges of physical addresses that are device memory; 64 at most. */
  setMmio(ranges: readonly MmioRange[]): void;
  /** Replaces the watchpoints; 64 at most. */
  setWatchpoints(watchpoints: readonly Watchpoint[]): void;
  /**
   * Physical addresses of the 4K pages that CPUs have written since the last call (or creation), in
   * order. Needs the option `dirtyLog`. The host's own stores by `ram` are not logged.
   */
  takeDirtyPages(): number[];
  /** RAM, page tables, registers, TLBs and counts as they are now. */
  snapshot(): Snapshot;
  /**
   * Puts a snapshot of this machine, or of one created alike, back. Devices, watchpoints and hooks
   * stay as they are.
   */
  restore(snapshot: Snapshot): void;
  /**
   * Reports each use of a cached translation that the tables no longer give, by single accesses
   * (not batches); undefined ends that. Accesses are slower meanwhile.
   */
  detectStale(report: ((use: StaleUse) => void) | undefined): void;
  /**
   * Calls `listener` before each single access (no batches, no probes) of any CPU; undefined ends
   * that. It may probe, but not access.
   */
  onAccess(listener: AccessListener | undefined): void;
  /** Page tables of this machine's RAM whose frames come from `frames`. */
  createPageTables(frames: TableFrames): PageTables;
}

const WASM_PAGE = 65536;
const LINEAR_DEFAULT = 65535 * WASM_PAGE;
const CPUS_MAX = 64;

/**
 * Creates a machine in 64-bit mode with paging on (CR0.WP, EFER.NXE set; CR3 = 0).
 * Throws OptionError for a value out of range, ResourceError if the host has no room.
 */
export function createMachine(options: MachineOptions = {}): Machine {
  const { ramBytes = 2 ** 32, cpus: nrCpus = 1, tlb = SKYLAKE_TLB } = options;
  const features: CpuFeatures = {
    maxPhysicalAddressBits: options.maxPhysicalAddressBits ?? 46,
    pages1G: options.pages1G ?? true,
    leafAccessedOnFault: options.leafAccessedOnFault ?? false,
  };
  const memoryBytes = options.memory?.buffer.byteLength ?? Infinity;
  const linearBytes = options.linearBytes ?? Math.min(memoryBytes, LINEAR_DEFAULT);
  checkMultiple("ramBytes", ramBytes, PAGE_2M, 2 ** 52);
  checkMultiple("linearBytes", linearBytes, WASM_PAGE, Math.min(memoryBytes, LINEAR_DEFAULT));
  checkMultiple("cpus", nrCpus, 1, CPUS_MAX);
  const arrays = [tlb.l1For4K, tlb.l1For2M, tlb.l1For1G, tlb.l2, tlb.l2For1G];
  for (const { sets, ways } of arrays) {
    checkMultiple("tlb sets", sets, 1, 65536);
    checkMultiple("tlb ways", ways, 1, 64);
    if (!Number.isInteger(Math.log2(sets))) {
      throw new OptionError("tlb sets", `must be a power of two, not ${sets}`);
    }
  }
  const structures = options.structureCaches ?? NO_STRUCTURE_CACHES;
  for (const entries of Object.values(structures)) checkEntries(entries);
  const hasDirtyLog = options.dirtyLog ?? false;
  const core: Core = createCore({
    ramBytes,
    nrCpus,
    linearBytes,
    tlb: arrays,
    hasDirtyLog,
    module: options.module,
    memory: options.memory,
  });
  const attention = new Attention(core);
  const cpus = Array.from({ length: nrCpus }, (_, index) => new Cpu(core, index, attention));
  const setUp = (): void => {
    for (const cpu of cpus) {
      cpu.setFeatures(features);
      cpu.hasLookaside = !options.exactTlb;
      const { pde, pdpte, pml4e, pml5e } = structures;
      [pde, pdpte, pml4e, pml5e].forEach((entries, i) => {
        core.exports.setStructureEntries(cpu.linearAddress, i + 2, entries);
      });
      cpu.resetCounts();
    }
  };
  setUp();
  if (ramBytes > 2 ** features.maxPhysicalAddressBits) {
    throw new OptionError(
      "ramBytes",
      `${formatBytes(ramBytes)} needs more than maxPhysicalAddressBits = ${features.maxPhysicalAddressBits}`,
    );
  }
  const ram = new Ram(core, ramBytes);
  const extent = { ramBytes, nrCpus, linearBytes };
  let isDetecting = false;
  const useLookaside = (): void => {
    for (const cpu of cpus) cpu.hasLookaside = !isDetecting && !options.exactTlb;
  };
  return {
    ram,
    cpus,
    memory: core.memory,
    exports: core.exports as unknown as WebAssembly.Exports,
    reset() {
      core.exports.init(ramBytes, nrCpus, linearBytes, hasDirtyLog ? 1 : 0);
      attention.setMmio([]);
      attention.setWatchpoints([]);
      setUp();
      useLookaside();
    },
    setMmio: (ranges) => attention.setMmio(ranges),
    setWatchpoints: (watchpoints) => attention.setWatchpoints(watchpoints),
    takeDirtyPages: () => takeDirtyPages(core, ramBytes),
    snapshot: () => takeSnapshot(core, extent),
    restore(snapshot) {
      restoreSnapshot(core, extent, snapshot);
      attention.rewrite();
      if (isDetecting) useLookaside();
    },
    detectStale(report) {
      isDetecting = report !== undefined;
      useLookaside();
      attention.setDetector(report && new StaleDetector(core, ram, report));
    },
    onAccess: (listener) => attention.setListener(listener),
    createPageTables: (frames) => new PageTables(core, frames),
  };
}

const NO_STRUCTURE_CACHES: StructureCaches = { pml5e: 0, pml4e: 0, pdpte: 0, pde: 0 };

function checkEntries(entries: number): void {
  if (!Number.isInteger(entries) || entries < 0 || entries > STRUCTURE_ENTRIES_MAX) {
    throw new OptionError(
      "structureCaches",
      `must be 0 to ${STRUCTURE_ENTRIES_MAX} entries, not ${entries}`,
    );
  }
}

function takeDirtyPages(core: Core, ramBytes: number): number[] {
  const at = core.exports.dirtyLogAddress() >>> 0;
  if (at === 0) throw new OptionError("dirtyLog", "was not asked for when the machine was created");
  const log = new Uint8Array(core.memory.buffer, at, ramBytes / (8 * PAGE_4K));
  const pages: number[] = [];
  log.forEach((bits, i) => {
    for (let bit = 0; bits >> bit !== 0; bit++) {
      if ((bits >> bit) & 1) pages.push((8 * i + bit) * PAGE_4K);
    }
  });
  log.fill(0);
  core.exports.dirtyLogCleared();
  return pages;
}

function checkMultiple(option: string, value: number, unit: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < unit || value > max || value % unit !== 0) {
    const multiple = unit === 1 ? "a whole number" : `a multiple of ${formatBytes(unit)}`;
    throw new OptionError(option, `must be ${multiple} up to ${formatBytes(max)}, not ${value}`);
  }
}
