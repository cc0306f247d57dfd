/**
 * Whether a translation permits an access, and the error code of the page fault if not: §4.6 and
 * §4.7.
 */
import { isShadowStack, isUserMode, isWrite, type Access, type Processor } from "./processor.ts";

/** What the entries of a completed translation say together. */
export interface Rights {
  /** §4.6.1: R/W is 1 in every entry. */
  isWritable: boolean;
  /** §4.6.1: U/S is 1 in every entry: a user-mode address. */
  isUser: boolean;
  /** §4.6.1: XD is 1 in at least one entry. */
  isExecuteDisabled: boolean;
  /** §4.6.1: R/W = 0 and D = 1 in the entry that maps the page, R/W = 1 in every other. */
  isShadowStack: boolean;
  /** §4.6.2: bits 62:59 of the entry that maps the page. */
  protectionKey: number;
}

/** §4.6.1, one rule a line, with what it says above it. */
export function isDenied(q: Processor, a: Access, r: Rights): boolean {
  // §4.6.2: data accesses of both modes, shadow-stack accesses among them
  if (isDeniedByKey(q, a, r)) return true;
  return isShadowStack(a) ? isShadowStackDenied(a, r) : isOrdinaryDenied(q, a, r);
}

function isOrdinaryDenied(q: Processor, a: Access, r: Rights): boolean {
  const isUser = isUserMode(a);
  const isFetch = a.kind === "fetch";
  const isExplicitWithAc = q.ac && a.manner !== "implicit";
  // §4.6.1 user mode, any access: only to user-mode addresses
  if (isUser && !r.isUser) return true;
  // §4.6.1 supervisor fetch, CR4.SMEP = 1: from no user-mode address
  if (!isUser && r.isUser && isFetch && q.smep) return true;
  // §4.6.1 supervisor data, CR4.SMAP = 1: a user-mode address needs AC = 1 and an explicit access
  if (!isUser && r.isUser && !isFetch && q.smap && !isExplicitWithAc) return true;
  // §4.6.1 user-mode write: R/W in every entry, whatever WP is
  if (isWrite(a) && isUser && !r.isWritable) return true;
  // §4.6.1 supervisor-mode write, CR0.WP = 1: R/W in every entry
  if (isWrite(a) && !isUser && q.wp && !r.isWritable) return true;
  // §4.6.1 fetch in either mode, NXE = 1: XD in no entry
  if (isFetch && q.nxe && r.isExecuteDisabled) return true;
  return false;
}

function isShadowStackDenied(a: Access, r: Rights): boolean {
  // §4.6.1: shadow-stack accesses are allowed only to shadow-stack addresses,
  if (!r.isShadowStack) return true;
  // user-mode ones only to user-mode addresses,
  if (isUserMode(a) && !r.isUser) return true;
  // supervisor-mode ones only to supervisor-mode addresses
  if (!isUserMode(a) && r.isUser) return true;
  return false;
}

/**
 * §4.6.2. Which register a key is looked up in follows from the address, not from the access: PKRU
 * for a user-mode address, IA32_PKRS for a supervisor-mode one, even if a user-mode access is
 * denied anyway.
 */
export function isDeniedByKey(q: Processor, a: Access, r: Rights): boolean {
  // §4.6.2: instruction fetches are not affected
  if (a.kind === "fetch") return false;
  // §4.6.2: CR4.PKE for user-mode addresses, CR4.PKS for supervisor-mode ones
  if (r.isUser ? !q.pke : !q.pks) return false;
  const key = (r.isUser ? q.pkru : q.pkrs) >>> (2 * r.protectionKey);
  const accessDisable = (key & 1) !== 0;
  const writeDisable = (key & 2) !== 0;
  // §4.6.2: ADi = 1: no data access
  if (accessDisable) return true;
  // §4.6.2: WDi = 1: no user-mode write, and no supervisor-mode write with CR0.WP = 1
  return writeDisable && isWrite(a) && (q.wp || isUserMode(a));
}

// ---------------------------------------------------------------- the error code

/** Error code flags, §4.7, Figure 4-12. */
const PF_P = 1 << 0;
const PF_WR = 1 << 1;
const PF_US = 1 << 2;
const PF_RSVD = 1 << 3;
const PF_ID = 1 << 4;
export const PF_PK = 1 << 5;
const PF_SS = 1 << 6;

export type Cause = "not-present" | "reserved" | "denied";

/**
 * §4.7, one flag a line. `r` counts with a denial only: without a translation there is no key to
 * violate.
 */
export function errorCode(q: Processor, a: Access, cause: Cause, r: Rights): number {
  let code = 0;
  // §4.7 P: 0 only if a P flag was 0, so RSVD comes with P
  if (cause !== "not-present") code |= PF_P;
  // §4.7 W/R: the access was a write
  if (isWrite(a)) code |= PF_WR;
  // §4.7 U/S: the access was user-mode; 0 for an implicit access at CPL 3
  if (isUserMode(a)) code |= PF_US;
  // §4.7 RSVD: a reserved bit was set in a present entry
  if (cause === "reserved") code |= PF_RSVD;
  // §4.7 I/D: a fetch, while NXE or CR4.SMEP is 1
  if (a.kind === "fetch" && (q.nxe || q.smep)) code |= PF_ID;
  // §4.7 PK: the key denies the access, whatever else does
  if (cause === "denied" && isDeniedByKey(q, a, r)) code |= PF_PK;
  // §4.7 SS: the access was a shadow-stack access; it describes the access, like W/R
  if (isShadowStack(a)) code |= PF_SS;
  return code;
}

// ---------------------------------------------------------------- memory types

export type MemoryType = "UC" | "WC" | "WT" | "WP" | "WB" | "UC-";

/** Vol. 3A §11.12.2, Table 11-10: how a byte of IA32_PAT names a type. */
const PAT_ENCODINGS: Record<number, MemoryType> = {
  0: "UC",
  1: "WC",
  4: "WT",
  5: "WP",
  6: "WB",
  7: "UC-",
};

let lastPat = -1n;
let lastTypes: readonly MemoryType[] = [];

/** §4.9.2: the byte of IA32_PAT that the index selects; what MTRRs make of it is another matter. */
export function memoryTypeOf(pat: bigint, patIndex: number): MemoryType {
  if (pat !== lastPat) {
    lastPat = pat;
    lastTypes = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].map(
      (index) => PAT_ENCODINGS[Number((pat >> (8n * index)) & 7n)],
    );
  }
  return lastTypes[patIndex];
}
