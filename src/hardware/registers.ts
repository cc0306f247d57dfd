/** Which values control registers take here, and what writing them drops. */
import {
  CR0_PE,
  CR0_PG,
  CR0_WP,
  CR4_CET,
  CR4_LA57,
  CR4_PAE,
  CR4_PCIDE,
  CR4_PGE,
  CR4_SMEP,
  EFER_LMA,
  EFER_LME,
} from "../../assembly/layout.ts";
import { OptionError } from "../errors.ts";

function bit(value: bigint, index: number): boolean {
  return ((value >> BigInt(index)) & 1n) === 1n;
}

function requireBits(register: string, value: bigint, bits: readonly number[]): void {
  for (const index of bits) {
    if (bit(value, index)) continue;
    throw new OptionError(register, `bit ${index} must be set: only 64-bit paging is modelled`);
  }
}

export function checkCr0(value: bigint, cr4: bigint): void {
  requireBits("cr0", value, [CR0_PE, CR0_PG]);
  if (bit(cr4, CR4_CET) && !bit(value, CR0_WP)) {
    throw new OptionError("cr0", "WP must be set while CR4.CET is");
  }
}

export function checkCr4(value: bigint, cr0: bigint): void {
  requireBits("cr4", value, [CR4_PAE]);
  if (bit(value, CR4_CET) && !bit(cr0, CR0_WP)) {
    throw new OptionError("cr4", "CET needs CR0.WP");
  }
}

export function checkEfer(value: bigint): void {
  requireBits("efer", value, [EFER_LME, EFER_LMA]);
}

/** SDM Vol. 3A §4.10.4.1: PGE changed, PCIDE from 1 to 0, SMEP from 0 to 1; here LA57 too. */
export function dropsEverything(old: bigint, value: bigint): boolean {
  const changed = old ^ value;
  return (
    bit(changed, CR4_PGE) ||
    bit(changed & old, CR4_PCIDE) ||
    bit(changed & value, CR4_SMEP) ||
    bit(changed, CR4_LA57)
  );
}

/** SDM Vol. 2, INVPCID: what is not #GP(0). */
export function isInvpcidValid(cr4: bigint, type: number, pcid: number, va: bigint): boolean {
  if (!Number.isInteger(pcid) || pcid < 0 || pcid > 4095) return false;
  if (![0, 1, 2, 3].includes(type)) return false;
  if (type <= 1 && pcid !== 0 && !bit(cr4, CR4_PCIDE)) return false;
  const width = bit(cr4, CR4_LA57) ? 57 : 48;
  return type !== 0 || BigInt.asUintN(64, BigInt.asIntN(width, va)) === va;
}
