/**
 * A case: paging entries, control bits and one access; and what a processor makes of it. Plain
 * data, which both the recorder and the readers of a recording speak.
 */

/** Where a case was run. */
export interface Processor {
  readonly levels: 4 | 5;
  /** CPUID 80000008H:EAX[7:0]. */
  readonly maxPhysicalAddressBits: number;
}

export interface Control {
  /** CR0.WP. */
  readonly wp: boolean;
  /** IA32_EFER.NXE. */
  readonly nxe: boolean;
  /** CR4.SMEP, SMAP, PKE, PKS, PGE. */
  readonly smep: boolean;
  readonly smap: boolean;
  readonly pke: boolean;
  readonly pks: boolean;
  readonly pge: boolean;
  /** RFLAGS.AC. CR0.AM is clear. */
  readonly ac: boolean;
  /** Loaded whether or not PKE and PKS are set. Key 0 always has its rights in PKRS. */
  readonly pkru: number;
  readonly pkrs: number;
}

export interface Access {
  readonly kind: "read" | "write" | "fetch";
  /**
   * Made by the processor itself, with supervisor rights at any CPL: it reads the 8 bytes of a
   * segment descriptor; if `kind` is "write", it then marks the descriptor accessed, in its second
   * half (4 bytes at `address` + 4).
   */
  readonly implicit: boolean;
  readonly cpl: 0 | 3;
  /** Of the memory operand: "ss" if it is based on RBP. */
  readonly segment: "ds" | "ss";
  /** Unsigned, 64 bits, not always canonical. */
  readonly address: bigint;
  /** Bytes of the operand; of a fetch, bytes of the instruction. */
  readonly size: number;
}

export interface Entry {
  /** 1: PTE, to 5: PML5E. */
  readonly level: number;
  /** 0: translates the operand's first byte. 1: only what lies behind a page boundary. */
  readonly page: 0 | 1;
  readonly physicalAddress: number;
  readonly value: bigint;
}

/** Bytes of the operand that are contiguous in physical memory, if the entries are as meant. */
export interface Part {
  readonly physicalAddress: number;
  readonly length: number;
}

export interface Case {
  readonly processor: Processor;
  readonly control: Control;
  readonly access: Access;
  /** Physical address of the root table. */
  readonly cr3: number;
  /** From the root down; first those of page 0. All others in the tables are 0. */
  readonly entries: readonly Entry[];
  /** Two, if the operand lies in two pages. */
  readonly parts: readonly Part[];
}

export interface Outcome {
  /** None: the access was done. 12 is #SS, 13 #GP, 14 #PF. */
  readonly vector: 12 | 13 | 14 | undefined;
  readonly errorCode: number;
  /** Afterwards; it is `CR2_BEFORE` if the access left it alone. */
  readonly cr2: bigint;
  /** Whether the bytes of each part were changed. */
  readonly stored: readonly boolean[];
  /** The values of `Case.entries`, afterwards. */
  readonly entriesAfter: readonly bigint[];
}

export interface RecordedCase extends Case {
  readonly outcome: Outcome;
}

/** What CR2 holds before each access: no case's address. */
export const CR2_BEFORE = 0x0000_5a5a_5a5a_5a5an;

/** Whether the bits above the highest translated one are copies of it. */
export function isCanonical(address: bigint, levels: number): boolean {
  return BigInt.asUintN(64, BigInt.asIntN(12 + 9 * levels, address)) === address;
}

/** The page behind the page boundary in the operand, if there is one. */
export function secondPageOf(access: Access): bigint | undefined {
  const first = access.address >> 12n;
  const last = (access.address + BigInt(access.size) - 1n) >> 12n;
  return last === first ? undefined : last << 12n;
}
