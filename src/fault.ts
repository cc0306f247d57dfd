/** Guest faults, as data: what a processor would push and where its walk ended. */
import { formatAddress } from "./address.ts";

export type FaultReason =
  | "not present"
  | "reserved bit"
  /** By the rights of all levels. */
  | "denied"
  | "non-canonical"
  /** By a protection key, and by nothing else. */
  | "protection key";

export interface Fault {
  /** 14 is #PF, 13 is #GP, 12 is #SS (SDM Vol. 3A §6.15). */
  readonly vector: 12 | 13 | 14;
  /** For #PF bits P 1, W/R 2, U/S 4, RSVD 8, I/D 16, PK 32, SS 64 (SDM Vol. 3A §4.7); else 0. */
  readonly errorCode: number;
  /** The address that faulted, 64-bit, unsigned. For #PF it is CR2, without LAM's metadata. */
  readonly address: bigint;
  /** Level of the entry that ended the walk, 1 to 5; 0 if there was no walk. */
  readonly level: number;
  /** Physical address of that entry. */
  readonly entryAddress: number;
  readonly entry: bigint;
  readonly reason: FaultReason;
}

const ERROR_BITS = [
  [1, "P"],
  [2, "W"],
  [4, "U"],
  [8, "RSVD"],
  [16, "I"],
  [32, "PK"],
  [64, "SS"],
] as const;

/** `#PF(P W U) at 0x1000: denied`. */
export function describeFault(fault: Fault): string {
  const bits = ERROR_BITS.filter(([bit]) => (fault.errorCode & bit) !== 0).map(([, name]) => name);
  const code = bits.length > 0 ? bits.join(" ") : "0";
  const name = fault.vector === 14 ? "#PF" : fault.vector === 13 ? "#GP" : "#SS";
  return `${name}(${code}) at ${formatAddress(fault.address)}: ${fault.reason}`;
}
