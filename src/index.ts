/** hugewalk as a library: named exports for any runtime. */
export * from "./address.ts";
export * from "./errors.ts";
export { type Fault, type FaultReason, describeFault } from "./fault.ts";
export {
  type Machine,
  type MachineOptions,
  type TlbArrayGeometry,
  type TlbGeometry,
  SKYLAKE_TLB,
  createMachine,
} from "./hardware/machine.ts";
export {
  type AccessKind,
  type CpuFeatures,
  type Translation,
  type TranslationCounts,
  Cpu,
  encodeReference,
} from "./hardware/cpu.ts";
export { Ram } from "./hardware/ram.ts";
export { type Leaf, type Rights, type TableFrames, PageTables } from "./hardware/page-tables.ts";
