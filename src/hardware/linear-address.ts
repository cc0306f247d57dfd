/**
 * The address that a pointer means: linear-address masking (SDM Vol. 1), as in `assembly/cpu.ts`.
 */
import { CR3_LAM_U48, CR3_LAM_U57, CR4_LA57, CR4_LAM_SUP } from "../../assembly/layout.ts";
import type { AccessKind } from "./access-kind.ts";
import type { Cpu } from "./cpu.ts";

function bit(register: bigint, index: number): boolean {
  return ((register >> BigInt(index)) & 1n) === 1n;
}

/** Bits of an address that LAM leaves of a pointer; 64: there is no LAM for it. */
function bitsKept(cpu: Cpu, pointer: bigint): number {
  const { cr3, cr4 } = cpu;
  if (pointer < 0n) return bit(cr4, CR4_LAM_SUP) ? (bit(cr4, CR4_LA57) ? 57 : 48) : 64;
  return bit(cr3, CR3_LAM_U57) ? 57 : bit(cr3, CR3_LAM_U48) ? 48 : 64;
}

/**
 * The linear address, signed, of an access at `pointer`: a data access's without its metadata. One
 * that is not canonical stays as it is.
 */
export function linearAddress(cpu: Cpu, pointer: number | bigint, kind: AccessKind): bigint {
  const raw = BigInt.asIntN(64, BigInt(pointer));
  if (kind === "fetch") return raw;
  const masked = BigInt.asIntN(bitsKept(cpu, raw), raw);
  return masked < 0n === raw < 0n ? masked : raw;
}
