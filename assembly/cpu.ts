// A CPU: its control registers, its last fault, what is derived from its registers, its TLB.
// A drifted offset stops the build.

import {
  CPU_ARRAYS,
  CPU_CPL,
  CPU_CR0,
  CPU_CR3,
  CPU_CR4,
  CPU_EFER,
  CPU_ERROR_CODE,
  CPU_FAULT_ADDRESS,
  CPU_FAULT_ENTRY,
  CPU_FAULT_ENTRY_ADDRESS,
  CPU_FAULT_LEVEL,
  CPU_FAULT_REASON,
  CPU_HAS_1G,
  CPU_L1_HITS,
  CPU_L2_HITS,
  CPU_HAS_LOOKASIDE,
  CPU_LEAF_A_ON_FAULT,
  CPU_LOOKASIDE,
  CPU_LOOKASIDE_CONTEXT,
  CPU_LOOKASIDE_GENERATION,
  CPU_MAXPHYADDR,
  CPU_PERMISSIONS,
  CPU_RESERVED,
  CPU_ROOT,
  CPU_TLB_CONTEXT,
  CPU_VECTOR,
  CPU_WALKS,
  CR0_PE,
  CR0_PG,
  CR0_WP,
  CR4_PAE,
  CR4_PCIDE,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
  ERROR_I,
  ERROR_P,
  ERROR_RSVD,
  ERROR_U,
  ERROR_W,
  LEVEL_PML4,
  REASON_NON_CANONICAL,
  TLB_ARRAYS,
  TLB_ARRAY_SHIFT,
  VECTOR_GP,
  VECTOR_NONE,
  VECTOR_PF,
} from "./layout";
import { ADDRESS, reservedBits } from "./entry";
import { makePermissions } from "./rights";

@unmanaged
export class Cpu {
  cr0: u64;
  cr3: u64;
  cr4: u64;
  efer: u64;
  cpl: u32;
  maxPhysicalAddressBits: u32;
  has1G: u32;
  /** Whether a protection fault sets A in the leaf (model-specific; MMU policy switch). */
  leafAOnFault: u32;
  /** The last fault; VECTOR_NONE after an access that succeeded by the slow path. */
  vector: u32;
  errorCode: u32;
  faultLevel: u32;
  faultReason: u32;
  faultAddress: u64;
  faultEntryAddress: u64;
  faultEntry: u64;
  /** Physical address of the table that CR3 names. */
  root: u64;
  /** What a TLB tag of this address space carries: PCID in bits 11:0, TLB generation from bit 57. */
  tlbContext: u64;
  /** Low 12 bits of a lookaside tag: generation and mode. */
  lookasideContext: u64;
  lookasideGeneration: u32;
  /** 0: every access goes through the TLB arrays, so that its counts are exact. */
  hasLookaside: u32;
  walks: u64;
  l1Hits: u64;
  l2Hits: u64;
  tlbGeneration: u32;
  /** Bit 4 of the error code is reported only with NXE (SDM Vol. 3A §4.7). */
  errorCodeMask: u32;
}

if (offsetof<Cpu>("cr0") != CPU_CR0) ERROR("CPU_CR0");
if (offsetof<Cpu>("cr3") != CPU_CR3) ERROR("CPU_CR3");
if (offsetof<Cpu>("cr4") != CPU_CR4) ERROR("CPU_CR4");
if (offsetof<Cpu>("efer") != CPU_EFER) ERROR("CPU_EFER");
if (offsetof<Cpu>("cpl") != CPU_CPL) ERROR("CPU_CPL");
if (offsetof<Cpu>("maxPhysicalAddressBits") != CPU_MAXPHYADDR) ERROR("CPU_MAXPHYADDR");
if (offsetof<Cpu>("has1G") != CPU_HAS_1G) ERROR("CPU_HAS_1G");
if (offsetof<Cpu>("leafAOnFault") != CPU_LEAF_A_ON_FAULT) ERROR("CPU_LEAF_A_ON_FAULT");
if (offsetof<Cpu>("vector") != CPU_VECTOR) ERROR("CPU_VECTOR");
if (offsetof<Cpu>("errorCode") != CPU_ERROR_CODE) ERROR("CPU_ERROR_CODE");
if (offsetof<Cpu>("faultLevel") != CPU_FAULT_LEVEL) ERROR("CPU_FAULT_LEVEL");
if (offsetof<Cpu>("faultReason") != CPU_FAULT_REASON) ERROR("CPU_FAULT_REASON");
if (offsetof<Cpu>("faultAddress") != CPU_FAULT_ADDRESS) ERROR("CPU_FAULT_ADDRESS");
if (offsetof<Cpu>("faultEntryAddress") != CPU_FAULT_ENTRY_ADDRESS) ERROR("CPU_FAULT_ENTRY_ADDRESS");
if (offsetof<Cpu>("faultEntry") != CPU_FAULT_ENTRY) ERROR("CPU_FAULT_ENTRY");
if (offsetof<Cpu>("root") != CPU_ROOT) ERROR("CPU_ROOT");
if (offsetof<Cpu>("tlbContext") != CPU_TLB_CONTEXT) ERROR("CPU_TLB_CONTEXT");
if (offsetof<Cpu>("lookasideContext") != CPU_LOOKASIDE_CONTEXT) ERROR("CPU_LOOKASIDE_CONTEXT");
if (offsetof<Cpu>("lookasideGeneration") != CPU_LOOKASIDE_GENERATION) ERROR("lookaside");
if (offsetof<Cpu>("hasLookaside") != CPU_HAS_LOOKASIDE) ERROR("CPU_HAS_LOOKASIDE");
if (offsetof<Cpu>("walks") != CPU_WALKS) ERROR("CPU_WALKS");
if (offsetof<Cpu>("l1Hits") != CPU_L1_HITS) ERROR("CPU_L1_HITS");
if (offsetof<Cpu>("l2Hits") != CPU_L2_HITS) ERROR("CPU_L2_HITS");
if (offsetof<Cpu>() > <usize>CPU_PERMISSIONS) ERROR("CPU_PERMISSIONS");
if (CPU_PERMISSIONS + 32 > CPU_RESERVED) ERROR("CPU_RESERVED");
if (CPU_RESERVED + (LEVEL_PML4 + 1) * 16 > CPU_ARRAYS) ERROR("CPU_ARRAYS");
if (CPU_ARRAYS + (TLB_ARRAYS << TLB_ARRAY_SHIFT) > CPU_LOOKASIDE) ERROR("CPU_LOOKASIDE");

/** State after reset, as far as it is modelled: 64-bit mode, paging on with the table at 0. */
export function cpuReset(cpu: Cpu): void {
  cpu.cr0 = (1 << CR0_PE) | (1 << CR0_WP) | ((<u64>1) << CR0_PG);
  cpu.cr4 = 1 << CR4_PAE;
  cpu.efer = (1 << EFER_LME) | (1 << EFER_LMA) | (1 << EFER_NXE);
  cpu.cr3 = 0;
  cpu.cpl = 0;
  cpu.tlbGeneration = 1;
}

/** The reserved bits of an entry of `level`; `ps` is its PS bit. */
export function reservedMask(cpu: Cpu, level: u32, entry: u64): u64 {
  return load<u64>(
    changetype<usize>(cpu) + (level << 4) + ((<usize>entry >> 4) & 8) + CPU_RESERVED,
  );
}

export function isDenied(cpu: Cpu, access: u32, rights: u32): bool {
  return ((load<u8>(changetype<usize>(cpu) + (access >> 1) + CPU_PERMISSIONS) >> rights) & 1) != 0;
}

/** Makes what follows from the control registers and the features anew. */
export function deriveFromRegisters(cpu: Cpu): void {
  const nxe = ((cpu.efer >> EFER_NXE) & 1) != 0;
  makePermissions(changetype<usize>(cpu) + CPU_PERMISSIONS, ((cpu.cr0 >> CR0_WP) & 1) != 0);
  for (let level: u32 = 1; level <= <u32>LEVEL_PML4; level++) {
    for (let ps: u32 = 0; ps < 2; ps++) {
      store<u64>(
        changetype<usize>(cpu) + CPU_RESERVED + (level << 4) + (ps << 3),
        reservedBits(level, ps != 0, cpu.maxPhysicalAddressBits, cpu.has1G != 0, nxe),
      );
    }
  }
  cpu.errorCodeMask = ERROR_P | ERROR_W | ERROR_U | ERROR_RSVD | (nxe ? ERROR_I : 0);
  cpu.root = cpu.cr3 & ADDRESS;
}

/** The PCID in use (SDM Vol. 3A §4.10.1). */
export function currentPcid(cpu: Cpu): u64 {
  return ((cpu.cr4 >> CR4_PCIDE) & 1) != 0 ? cpu.cr3 & 0xfff : 0;
}

/** Linear-address bits 63:47 are all equal (4-level paging; SDM Vol. 1 §3.3.7.1). */
export function isCanonical(va: u64): bool {
  return <u64>(<i64>(va << 16) >> 16) == va;
}

export function noFault(cpu: Cpu): void {
  cpu.vector = VECTOR_NONE;
}

export function pageFault(
  cpu: Cpu,
  va: u64,
  errorCode: u32,
  reason: u32,
  level: u32,
  entryAddress: u64,
  entry: u64,
): void {
  cpu.vector = VECTOR_PF;
  cpu.errorCode = errorCode & cpu.errorCodeMask;
  cpu.faultReason = reason;
  cpu.faultLevel = level;
  cpu.faultAddress = va;
  cpu.faultEntryAddress = entryAddress;
  cpu.faultEntry = entry;
}

/** A non-canonical address: #GP(0); CR2 is not written (SDM Vol. 3A §6.15). */
export function protectionFault(cpu: Cpu, va: u64): void {
  pageFault(cpu, va, 0, REASON_NON_CANONICAL, 0, 0, 0);
  cpu.vector = VECTOR_GP;
}
