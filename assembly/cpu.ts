// A CPU: its control registers, its last fault, its counts, what is derived from its registers, its
// TLB. A drifted offset stops the build.

import {
  ACCESS_AC,
  CPU_AC,
  CPU_ARRAYS,
  CPU_COUNTS,
  CPU_CPL,
  CPU_CR0,
  CPU_CR3,
  CPU_CR4,
  CPU_EFER,
  CPU_ERROR_CODE,
  CPU_EVENT,
  CPU_EVENT_ADDRESS,
  CPU_FAULT_ADDRESS,
  CPU_FAULT_ENTRY,
  CPU_FAULT_ENTRY_ADDRESS,
  CPU_FAULT_LEVEL,
  CPU_FAULT_REASON,
  CPU_HAS_1G,
  CPU_HAS_LOOKASIDE,
  CPU_LEAF_A_ON_FAULT,
  CPU_LOOKASIDE,
  CPU_LOOKASIDE_CONTEXT,
  CPU_LOOKASIDE_GENERATION,
  CPU_MAXPHYADDR,
  CPU_PAT,
  CPU_PERMISSIONS,
  CPU_PKRS,
  CPU_PKRU,
  CPU_RESERVED,
  CPU_ROOT,
  CPU_TLB_CONTEXT,
  CPU_VECTOR,
  CR0_PE,
  CR0_PG,
  CR0_WP,
  CR3_LAM_U48,
  CR3_LAM_U57,
  CR4_LA57,
  CR4_LAM_SUP,
  CR4_PAE,
  CR4_PCIDE,
  CR4_PKE,
  CR4_PKS,
  CR4_SMAP,
  CR4_SMEP,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
  ERROR_I,
  ERROR_P,
  ERROR_PK,
  ERROR_RSVD,
  ERROR_SS,
  ERROR_U,
  ERROR_W,
  KIND_FETCH,
  LEVEL_PML4,
  LEVEL_PML5,
  MANNER_IMPLICIT,
  MANNER_STACK,
  NR_COUNTS,
  REASON_NON_CANONICAL,
  TLB_ARRAYS,
  TLB_ARRAY_SHIFT,
  VECTOR_GP,
  VECTOR_NONE,
  VECTOR_PF,
  VECTOR_SS,
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
  /** Whether a protection fault sets A in the leaf (model-specific; policy switch). */
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
  pkru: u32;
  pkrs: u32;
  /** RFLAGS.AC, as ACCESS_AC or 0. */
  ac: u32;
  /** What the last access ran into: an EVENT. */
  event: u32;
  pat: u64;
  eventAddress: u64;
  // What follows from the registers:
  topLevel: u32;
  /** 64 less the bits of a canonical address: 16, or 7 with LA57. */
  canonicalShift: u32;
  /** 64 less the bits that LAM leaves of a user or supervisor pointer; 0: no LAM. */
  lamUserShift: u32;
  lamSupervisorShift: u32;
  /** PKRU and PKRS where CR4 turns them on, else 0. */
  userKeys: u32;
  supervisorKeys: u32;
  /** Both together: 0 where no key denies anything. */
  anyKeys: u32;
  /** Bits of an error code that can be set. */
  errorCodeMask: u32;
  tlbGeneration: u32;
  /** Entries of all structure caches together; 0: there are none. */
  nrStructureEntries: u32;
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
if (offsetof<Cpu>("pkru") != CPU_PKRU) ERROR("CPU_PKRU");
if (offsetof<Cpu>("pkrs") != CPU_PKRS) ERROR("CPU_PKRS");
if (offsetof<Cpu>("ac") != CPU_AC) ERROR("CPU_AC");
if (offsetof<Cpu>("event") != CPU_EVENT) ERROR("CPU_EVENT");
if (offsetof<Cpu>("pat") != CPU_PAT) ERROR("CPU_PAT");
if (offsetof<Cpu>("eventAddress") != CPU_EVENT_ADDRESS) ERROR("CPU_EVENT_ADDRESS");
if (offsetof<Cpu>() > <usize>CPU_COUNTS) ERROR("CPU_COUNTS");
if (CPU_COUNTS + NR_COUNTS * 8 > CPU_PERMISSIONS) ERROR("CPU_PERMISSIONS");
if (CPU_PERMISSIONS + 64 > CPU_RESERVED) ERROR("CPU_RESERVED");
if (CPU_RESERVED + (LEVEL_PML5 + 1) * 16 > CPU_ARRAYS) ERROR("CPU_ARRAYS");
if (CPU_ARRAYS + (TLB_ARRAYS << TLB_ARRAY_SHIFT) > CPU_LOOKASIDE) ERROR("CPU_LOOKASIDE");

const USER_CPL: u32 = 3;
/** IA32_PAT after reset (SDM Vol. 3A §11.12.4). */
const PAT_AFTER_RESET: u64 = 0x0007_0406_0007_0406;

/** State after reset, as far as it is modelled: 64-bit mode, paging on with the table at 0. */
export function cpuReset(cpu: Cpu): void {
  cpu.cr0 = (1 << CR0_PE) | (1 << CR0_WP) | ((<u64>1) << CR0_PG);
  cpu.cr4 = 1 << CR4_PAE;
  cpu.efer = (1 << EFER_LME) | (1 << EFER_LMA) | (1 << EFER_NXE);
  cpu.cr3 = 0;
  cpu.cpl = 0;
  cpu.pat = PAT_AFTER_RESET;
  cpu.tlbGeneration = 1;
}

/** The reserved bits of an entry of `level`; `ps` is its PS bit. */
export function reservedMask(cpu: Cpu, level: u32, entry: u64): u64 {
  return load<u64>(
    changetype<usize>(cpu) + (level << 4) + ((<usize>entry >> 4) & 8) + CPU_RESERVED,
  );
}

export function isDenied(cpu: Cpu, access: u32, rights: u32): bool {
  return ((load<u8>(changetype<usize>(cpu) + (access >> 1), CPU_PERMISSIONS) >> rights) & 1) != 0;
}

/** Kind, manner and privilege as an error code has them: W, U, I and SS, and what is like them. */
export function accessOf(cpu: Cpu, kind: u32, manner: u32): u32 {
  const isShadow = (kind >> 2) & 1;
  const bits = kind == KIND_FETCH ? ERROR_I : ((kind & 1) << 1) | (isShadow ? ERROR_SS : 0);
  if (manner == MANNER_IMPLICIT) return bits;
  return bits | (cpu.cpl == USER_CPL ? ERROR_U : cpu.ac);
}

function bit(register: u64, index: u32): bool {
  return ((register >> index) & 1) != 0;
}

/** Makes what follows from the control registers and the features anew. */
export function deriveFromRegisters(cpu: Cpu): void {
  const nxe = bit(cpu.efer, EFER_NXE);
  const smep = bit(cpu.cr4, CR4_SMEP);
  const la57 = bit(cpu.cr4, CR4_LA57);
  const permissions = changetype<usize>(cpu) + CPU_PERMISSIONS;
  makePermissions(permissions, bit(cpu.cr0, CR0_WP), smep, bit(cpu.cr4, CR4_SMAP));
  for (let level: u32 = 1; level <= <u32>LEVEL_PML5; level++) {
    for (let ps: u32 = 0; ps < 2; ps++) {
      store<u64>(
        changetype<usize>(cpu) + CPU_RESERVED + (level << 4) + (ps << 3),
        reservedBits(level, ps != 0, cpu.maxPhysicalAddressBits, cpu.has1G != 0, nxe),
      );
    }
  }
  // SDM Vol. 3A §4.7: I/D is reported with NXE or SMEP.
  const reportsFetch = nxe || smep;
  cpu.errorCodeMask =
    ERROR_P | ERROR_W | ERROR_U | ERROR_RSVD | ERROR_PK | ERROR_SS | (reportsFetch ? ERROR_I : 0);
  cpu.topLevel = la57 ? LEVEL_PML5 : LEVEL_PML4;
  cpu.canonicalShift = la57 ? 7 : 16;
  cpu.userKeys = bit(cpu.cr4, CR4_PKE) ? cpu.pkru : 0;
  cpu.supervisorKeys = bit(cpu.cr4, CR4_PKS) ? cpu.pkrs : 0;
  cpu.anyKeys = cpu.userKeys | cpu.supervisorKeys;
  deriveFromCr3(cpu);
}

/** The part that follows from CR3; LAM: SDM Vol. 1, "Linear-address masking". */
export function deriveFromCr3(cpu: Cpu): void {
  cpu.root = cpu.cr3 & ADDRESS;
  cpu.lamUserShift = bit(cpu.cr3, CR3_LAM_U57) ? 7 : bit(cpu.cr3, CR3_LAM_U48) ? 16 : 0;
  cpu.lamSupervisorShift = bit(cpu.cr4, CR4_LAM_SUP) ? cpu.canonicalShift : 0;
}

/** The PCID in use (SDM Vol. 3A §4.10.1). */
export function currentPcid(cpu: Cpu): u64 {
  return bit(cpu.cr4, CR4_PCIDE) ? cpu.cr3 & 0xfff : 0;
}

/** The address's upper bits all equal the highest one that is translated (SDM Vol. 1 §3.3.7.1). */
export function isCanonical(cpu: Cpu, va: u64): bool {
  const shift = <i64>cpu.canonicalShift;
  return <u64>(<i64>(va << shift) >> shift) == va;
}

/**
 * What LAM makes of a data access's pointer: its metadata replaced by copies of the highest bit that
 * is left. Where that is not bit 63's value, the pointer is not canonical.
 */
export function withoutMetadata(cpu: Cpu, va: u64): u64 {
  const shift = <i64>(va >> 63 ? cpu.lamSupervisorShift : cpu.lamUserShift);
  if (!shift) return va;
  const masked = <u64>(<i64>(va << shift) >> shift);
  // With LA57 and LAM_U48 it could be canonical all the same.
  return (masked ^ va) >> 63 ? NOT_CANONICAL : masked;
}
const NOT_CANONICAL: u64 = 0x4000_0000_0000_0000;

export function noFault(cpu: Cpu): void {
  cpu.vector = VECTOR_NONE;
}

/** #PF. `flags`: P, RSVD and PK; W, U, I and SS are the access's. */
export function pageFault(
  cpu: Cpu,
  va: u64,
  access: u32,
  flags: u32,
  reason: u32,
  level: u32,
  entryAddress: u64,
  entry: u64,
): void {
  cpu.vector = VECTOR_PF;
  cpu.errorCode = ((access & (ERROR_W | ERROR_U | ERROR_I | ERROR_SS)) | flags) & cpu.errorCodeMask;
  cpu.faultReason = reason;
  cpu.faultLevel = level;
  cpu.faultAddress = va;
  cpu.faultEntryAddress = entryAddress;
  cpu.faultEntry = entry;
}

/**
 * A non-canonical address: #GP(0), or #SS(0) through the stack segment; CR2 is not written
 * (SDM Vol. 3A §6.15).
 */
export function canonicalFault(cpu: Cpu, va: u64, manner: u32): void {
  pageFault(cpu, va, 0, 0, REASON_NON_CANONICAL, 0, 0, 0);
  cpu.vector = manner == MANNER_STACK ? VECTOR_SS : VECTOR_GP;
}

/** Adds one to a COUNT. */
export function count(cpu: Cpu, index: u32): void {
  addCount(cpu, index, 1);
}

export function addCount(cpu: Cpu, index: u32, n: u32): void {
  const at = changetype<usize>(cpu) + (index << 3);
  store<u64>(at, load<u64>(at, CPU_COUNTS) + n, CPU_COUNTS);
}

/** RFLAGS.AC, in the form that accesses carry it. */
export function setAc(cpu: Cpu, isSet: bool): void {
  cpu.ac = isSet ? ACCESS_AC : 0;
}
