/**
 * What decides about an access besides the tables: the processor's registers and features, and the
 * access itself.
 */

export type AccessKind = "read" | "write" | "fetch" | "shadow-read" | "shadow-write";

/**
 * How the access comes about: by an ordinary operand, by the processor itself reaching for a system
 * structure (a descriptor, a gate, a TSS: supervisor-mode whatever CPL is), or through SS or a
 * push.
 */
export type Manner = "ordinary" | "implicit" | "stack";

/** Registers and features, each flag under the name the manual has for it. */
export interface Processor {
  /** Where the top table is: bits 51:12 of CR3, which are below 2^32 here. */
  readonly root: number;
  /** CR0.WP. */
  readonly wp: boolean;
  /** IA32_EFER.NXE. */
  readonly nxe: boolean;
  /** CR4.LA57: 5-level paging. */
  readonly la57: boolean;
  readonly smep: boolean;
  readonly smap: boolean;
  readonly pke: boolean;
  readonly pks: boolean;
  /** CR4.CET. */
  readonly cet: boolean;
  /** CR3 bit 62. */
  readonly lamU48: boolean;
  /** CR3 bit 61. */
  readonly lamU57: boolean;
  /** CR4 bit 28. */
  readonly lamSup: boolean;
  /** EFLAGS.AC. */
  readonly ac: boolean;
  readonly pkru: number;
  readonly pkrs: number;
  readonly pat: bigint;
  /** MAXPHYADDR, 36–52. */
  readonly maxPhysicalAddressBits: number;
  /** CPUID.80000001H:EDX.Page1GB. */
  readonly pages1G: boolean;
  /**
   * The model-specific choice: a protection fault sets the accessed flag of the entry that maps the
   * page.
   */
  readonly leafAccessedOnFault: boolean;
}

/** Vol. 3A §11.12.4: IA32_PAT after reset. */
export const PAT_AFTER_RESET = 0x0007_0406_0007_0406n;

export const PLAIN_PROCESSOR: Processor = {
  root: 0x1000,
  wp: true,
  nxe: true,
  la57: false,
  smep: false,
  smap: false,
  pke: false,
  pks: false,
  cet: false,
  lamU48: false,
  lamU57: false,
  lamSup: false,
  ac: false,
  pkru: 0,
  pkrs: 0,
  pat: PAT_AFTER_RESET,
  maxPhysicalAddressBits: 46,
  pages1G: true,
  leafAccessedOnFault: false,
};

/** One access of one byte. */
export interface Access {
  readonly kind: AccessKind;
  readonly manner: Manner;
  readonly cpl: 0 | 3;
  /** The address before any masking, in halves of 32 bits, unsigned. */
  readonly high: number;
  readonly low: number;
  /** The same as one value: a number where one can hold it, negative in the upper half. */
  readonly address: number | bigint;
}

export function accessOf(
  kind: AccessKind,
  cpl: 0 | 3,
  address: bigint,
  manner: Manner = "ordinary",
): Access {
  const signed = BigInt.asIntN(64, address);
  const isSafe = signed >= -(2n ** 53n) && signed < 2n ** 53n;
  return {
    kind,
    manner,
    cpl,
    high: Number(BigInt.asUintN(64, address) >> 32n),
    low: Number(BigInt.asUintN(32, address)),
    address: isSafe ? Number(signed) : BigInt.asUintN(64, address),
  };
}

/** §4.6: user-mode at CPL 3, unless the processor itself accesses a system structure. */
export function isUserMode(access: Access): boolean {
  return access.cpl === 3 && access.manner !== "implicit";
}

export function isWrite(access: Access): boolean {
  return access.kind === "write" || access.kind === "shadow-write";
}

/** Vol. 1 §17.2: an access by shadow-stack management. */
export function isShadowStack(access: Access): boolean {
  return access.kind === "shadow-read" || access.kind === "shadow-write";
}
