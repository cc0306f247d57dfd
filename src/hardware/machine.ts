/** A machine: RAM and CPUs over one linear memory. */
import { PAGE_2M, formatBytes } from "../address.ts";
import { type Core, type TlbArrayGeometry, createCore } from "../core.ts";
import { OptionError } from "../errors.ts";
import { Cpu, type CpuFeatures } from "./cpu.ts";
import { PageTables, type TableFrames } from "./page-tables.ts";
import { Ram } from "./ram.ts";

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

export interface MachineOptions extends Partial<CpuFeatures> {
  /** Bytes of RAM, a multiple of 2M. Default 4G. Costs nothing until written. */
  readonly ramBytes?: number;
  /** 1 to 64; default 1. */
  readonly cpus?: number;
  readonly tlb?: TlbGeometry;
  /** True: TLB counts are exact, and accesses slower. Default false. */
  readonly exactTlb?: boolean;
  /**
   * Bytes of linear memory: what was written of RAM, at a time, has to fit in. A multiple of 64K;
   * default just below 4G, of which the host reserves address space only.
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
  /** Makes it as it was when created: RAM all zeros, registers and TLBs reset. */
  reset(): void;
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
  const linearBytes =
    options.linearBytes ?? Math.min(options.memory?.buffer.byteLength ?? Infinity, LINEAR_DEFAULT);
  checkMultiple("ramBytes", ramBytes, PAGE_2M, 2 ** 52);
  checkMultiple("linearBytes", linearBytes, WASM_PAGE, LINEAR_DEFAULT);
  checkMultiple("cpus", nrCpus, 1, CPUS_MAX);
  const arrays = [tlb.l1For4K, tlb.l1For2M, tlb.l1For1G, tlb.l2, tlb.l2For1G];
  for (const { sets, ways } of arrays) {
    checkMultiple("tlb sets", sets, 1, 65536);
    checkMultiple("tlb ways", ways, 1, 64);
    if (!Number.isInteger(Math.log2(sets))) {
      throw new OptionError("tlb sets", `must be a power of two, not ${sets}`);
    }
  }
  const core: Core = createCore({
    ramBytes,
    nrCpus,
    linearBytes,
    tlb: arrays,
    module: options.module,
    memory: options.memory,
  });
  const cpus = Array.from({ length: nrCpus }, (_, index) => new Cpu(core, index));
  const setUp = (): void => {
    for (const cpu of cpus) {
      cpu.setFeatures(features);
      cpu.hasLookaside = !options.exactTlb;
    }
  };
  setUp();
  if (ramBytes > 2 ** features.maxPhysicalAddressBits) {
    throw new OptionError(
      "ramBytes",
      `${formatBytes(ramBytes)} needs more than maxPhysicalAddressBits = ${features.maxPhysicalAddressBits}`,
    );
  }
  return {
    ram: new Ram(core, ramBytes),
    cpus,
    reset() {
      core.exports.init(ramBytes, nrCpus, linearBytes);
      setUp();
    },
    createPageTables: (frames) => new PageTables(core, frames),
  };
}

function checkMultiple(option: string, value: number, unit: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < unit || value > max || value % unit !== 0) {
    const multiple = unit === 1 ? "a whole number" : `a multiple of ${formatBytes(unit)}`;
    throw new OptionError(option, `must be ${multiple} up to ${formatBytes(max)}, not ${value}`);
  }
}
