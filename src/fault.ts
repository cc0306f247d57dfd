/** Guest faults, as data: what a processor would push and where its walk ended. */
import { formatAddress } from "./address.ts";

export type FaultReason = "not present" | "reserved bit" | "denied" | "non-canonical";

export interface Fault {
  /** 14 is #PF, 13 is #GP (SDM Vol. 3A §6.15). */
  readonly vector: 13 | 14;
  /** For #PF bits P 1, W/R 2, U/S 4, RSVD 8, I/D 16 (SDM Vol. 3A §4.7); 0 for #GP. */
  readonly errorCode: number;
  /** The address that faulted: CR2 for #PF. Canonical, 64-bit, unsigned. */
  readonly address: bigint;
  /** Level of the entry that ended the walk, 1 to 4; 0 if there was no walk. */
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
] as const;

/** `#PF(P W U) at 0x1000: denied`. */
export function describeFault(fault: Fault): string {
  const bits = ERROR_BITS.filter(([bit]) => (fault.errorCode & bit) !== 0).map(([, name]) => name);
  const code = bits.length > 0 ? bits.join(" ") : "0";
  const name = fault.vector === 13 ? "#GP" : "#PF";
  return `${name}(${code}) at ${formatAddress(fault.address)}: ${fault.reason}`;
}
