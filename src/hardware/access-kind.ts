/** Kinds of access, and how one is made. */
import {
  KIND_FETCH,
  KIND_READ,
  KIND_SHADOW_READ,
  KIND_SHADOW_WRITE,
  KIND_WRITE,
  MANNER_IMPLICIT,
  MANNER_ORDINARY,
  MANNER_STACK,
  REFERENCE_ADDRESS_BITS,
  REFERENCE_KIND_SHIFT,
  REFERENCE_SIZE_SHIFT,
} from "../../assembly/layout.ts";
import { checkSize } from "./ram.ts";

/** `shadow-…`: by the shadow stack (CET). */
export type AccessKind = "read" | "write" | "fetch" | "shadow-read" | "shadow-write";

/** `implicit`: by the processor itself, in supervisor mode; `stack`: through SS, so #SS for #GP. */
export type AccessManner = "ordinary" | "implicit" | "stack";

export const KINDS: Readonly<Record<AccessKind, number>> = {
  read: KIND_READ,
  write: KIND_WRITE,
  fetch: KIND_FETCH,
  "shadow-read": KIND_SHADOW_READ,
  "shadow-write": KIND_SHADOW_WRITE,
};
export const MANNERS: Readonly<Record<AccessManner, number>> = {
  ordinary: MANNER_ORDINARY,
  implicit: MANNER_IMPLICIT,
  stack: MANNER_STACK,
};
/** One reference of `Cpu.replay`: an access of `nrBytes` (1 to 8) at a canonical address. */
export function encodeReference(
  address: number | bigint,
  kind: "read" | "write" | "fetch",
  nrBytes = 1,
): bigint {
  checkSize(nrBytes);
  return (
    BigInt.asUintN(REFERENCE_ADDRESS_BITS, BigInt(address)) |
    (BigInt(KINDS[kind]) << BigInt(REFERENCE_KIND_SHIFT)) |
    (BigInt(nrBytes - 1) << BigInt(REFERENCE_SIZE_SHIFT))
  );
}
