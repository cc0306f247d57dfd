/** hugewalk as a library: named exports for any runtime. */
export * from "./address.ts";
export * from "./errors.ts";
export { type Fault, type FaultReason, describeFault } from "./fault.ts";
export {
  type Machine,
  type MachineOptions,
  type StructureCaches,
  type TlbArrayGeometry,
  type TlbGeometry,
  SKYLAKE_TLB,
  createMachine,
} from "./hardware/machine.ts";
export { type AccessKind, type AccessManner, encodeReference } from "./hardware/access-kind.ts";
export type { BySize, CpuCounts } from "./hardware/counts.ts";
export { type CpuFeatures, Cpu } from "./hardware/cpu.ts";
export type { MemoryType, Translation } from "./hardware/translation.ts";
export { type WalkStep, describeWalk, traceWalk } from "./hardware/inspect.ts";
export type { AccessListener, MmioRange, Watchpoint } from "./hardware/attention.ts";
export type { Snapshot } from "./hardware/snapshot.ts";
export type { StaleUse } from "./hardware/stale-detector.ts";
export { Ram } from "./hardware/ram.ts";
export { type Leaf, type Rights, type TableFrames, PageTables } from "./hardware/page-tables.ts";
export { type KernelOptions, Kernel, createKernel } from "./kernel/kernel.ts";
export { UserProcess } from "./kernel/user-process.ts";
export type { Stop } from "./kernel/access.ts";
export type { Errno } from "./kernel/errno.ts";
export {
  type EventListener,
  type KernelEvent,
  type NumberedEvent,
  describeEvent,
} from "./kernel/event.ts";
export type { PoolCounters } from "./kernel/hstate.ts";
export type { Advice } from "./kernel/advice.ts";
export type { UserfaultRequest } from "./kernel/userfault-ioctl.ts";
export type { MmapRequest } from "./kernel/mmap.ts";
export type { MremapRequest } from "./kernel/mremap.ts";
export type { ExitStatus } from "./kernel/process.ts";
export type { PagemapPage, Smaps } from "./kernel/procfs.ts";
export { DEFAULT_PROFILE, profileNames } from "./kernel/profile.ts";
export type { Protection } from "./kernel/vma.ts";
export { type TlbModelOptions, TlbModel } from "./tlb/model.ts";
export { type StackDistancesOptions, StackDistances } from "./tlb/stack-distances.ts";
export { type CurveKind, type CurvePoint, MissCurve } from "./tlb/miss-curve.ts";
export { type Preset, PRESETS, findPreset } from "./tlb/presets.ts";
export type { PageSize, Processor, ReferenceKind } from "./tlb/config.ts";
export type { ReferenceCounts, RouteCounts, TlbCounts } from "./tlb/counts.ts";
export type { PagePolicy, PageRule } from "./tlb/page-policy.ts";
export type { InstructionCounts, RegionCounts } from "./tlb/tally.ts";
