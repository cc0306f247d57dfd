/**
 * 4-level paging as the manual states it, one rule a line: the oracle the emulator is held to.
 *
 * Mirrors Intel SDM Vol. 3A chapter 4 (chapter 5 in the newest editions, sections numbered alike).
 * Written for clarity, from the text, and shares nothing with the emulator: only its tests import it.
 */

/** Levels count from the leaf: 1 PTE, 2 PDE, 3 PDPTE, 4 PML4E. */
export type Level = 1 | 2 | 3 | 4;
export type PageLevel = 1 | 2 | 3;
export type AccessKind = "read" | "write" | "fetch";

/** One access, and everything in the processor that decides about it. */
interface Request {
  readonly cr3: bigint;
  /** CR0.WP. */
  readonly wp: boolean;
  /** IA32_EFER.NXE. */
  readonly nxe: boolean;
  /** MAXPHYADDR, 36–52. */
  readonly maxPhysicalAddressBits: number;
  /** CPUID.80000001H:EDX.Page1GB. */
  readonly pages1G: boolean;
  /** A user-mode access: CPL 3 (and not implicit). */
  readonly user: boolean;
  readonly access: AccessKind;
  /** The linear address, 64 bits. */
  readonly address: bigint;
  readonly readEntry: (physicalAddress: bigint) => bigint;
}

interface OracleFault {
  readonly vector: 13 | 14;
  readonly errorCode: number;
  /** Absent for #GP, which leaves CR2 alone. */
  readonly cr2?: bigint;
  /** The level of the entry that ended the translation; absent when all entries were good (a protection fault). */
  readonly level?: Level;
  /** Where that entry is; absent likewise. */
  readonly entryAddress?: bigint;
}

/** Exactly one of `fault` and `physicalAddress` is there; `pageLevel` comes with the latter. */
export interface Verdict {
  readonly fault?: OracleFault;
  readonly physicalAddress?: bigint;
  readonly pageLevel?: PageLevel;
  /** Entries whose accessed or dirty flag changes, in order. */
  readonly writes: readonly (readonly [physicalAddress: bigint, entry: bigint])[];
}

//                                  an entry, all levels
//   63  62    52 51  M M-1        12 11   9  8   7   6   5   4   3   2   1   0
//  +---+--------+-----+-------------+------+---+---+---+---+---+---+---+---+---+
//  |XD | ignored|rsvd | table, frame| ign. | G |PS | D | A |PCD|PWT|U/S|R/W| P |
//  +---+--------+-----+-------------+------+---+---+---+---+---+---+---+---+---+
export const P = 1n << 0n;
export const RW = 1n << 1n;
export const US = 1n << 2n;
export const A = 1n << 5n;
export const D = 1n << 6n;
export const PS = 1n << 7n;
export const XD = 1n << 63n;

/** Error code flags, §4.7, Figure 4-12. */
const PF_P = 1 << 0;
const PF_WR = 1 << 1;
const PF_US = 1 << 2;
const PF_RSVD = 1 << 3;
const PF_ID = 1 << 4;

/** A field of bits, written high to low as the manual does; empty if `high` < `low`. */
function bits(high: number, low: number): bigint {
  return high < low ? 0n : ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
}

const ADDRESS_IN_ENTRY = bits(51, 12);
const OFFSET_IN_PAGE = [0n, bits(11, 0), bits(20, 0), bits(29, 0)];

// ---------------------------------------------------------------- which bits must be zero

/** The reserved bits of a present entry. */
function computeReservedBits(level: Level, mapsPage: boolean, request: Request): bigint {
  let reserved = bits(51, request.maxPhysicalAddressBits); // §4.5.4, Tables 4-15 to 4-20: bits 51:M, at every level
  if (!request.nxe) reserved |= XD; // §4.5.4, Tables 4-15 to 4-20: bit 63 while IA32_EFER.NXE = 0, at every level
  if (level === 4) reserved |= PS; // §4.5.4, Table 4-15: bit 7 of a PML4E
  if (level === 3 && !request.pages1G) reserved |= PS; // §4.1.4, §4.5.4: bit 7 of a PDPTE without 1-GByte pages
  if (level === 3 && mapsPage) reserved |= bits(29, 13); // §4.5.4, Table 4-16: between PAT and a 1-GByte frame
  if (level === 2 && mapsPage) reserved |= bits(20, 13); // §4.5.4, Table 4-18: between PAT and a 2-MByte frame
  return reserved; // §4.9.2: bit 7 of a PTE and bit 12 of a larger page are PAT, never reserved
}

const reservedBitsCache = new Map<number, bigint>();

function reservedBits(level: Level, mapsPage: boolean, request: Request): bigint {
  const { maxPhysicalAddressBits, nxe, pages1G } = request;
  const key =
    maxPhysicalAddressBits * 64 +
    level * 8 +
    (mapsPage ? 4 : 0) +
    (nxe ? 2 : 0) +
    (pages1G ? 1 : 0);
  let reserved = reservedBitsCache.get(key);
  if (reserved === undefined) {
    reserved = computeReservedBits(level, mapsPage, request);
    reservedBitsCache.set(key, reserved);
  }
  return reserved;
}

// ---------------------------------------------------------------- which accesses the rights deny

/** What the entries of a completed translation say together. */
interface Rights {
  /** §4.6.1: R/W is 1 in every entry. */
  readonly isWritable: boolean;
  /** §4.6.1: U/S is 1 in every entry, a user-mode address. */
  readonly isUser: boolean;
  /** §4.6.1: XD is 1 in at least one entry. */
  readonly isExecuteDisabled: boolean;
}

type Denial = (request: Request, rights: Rights) => boolean;

/** §4.6.1. SMEP, SMAP (§4.6.1), protection keys (§4.6.2) and shadow stacks (§4.6.1) are off; each will be a line here. */
const denials: readonly Denial[] = [
  (q, r) => q.user && !r.isUser, // §4.6.1 user mode, any access: only to user-mode addresses
  (q, r) => q.user && q.access === "write" && !r.isWritable, // §4.6.1 user-mode write: R/W in every entry, whatever WP is
  (q, r) => !q.user && q.access === "write" && q.wp && !r.isWritable, // §4.6.1 supervisor-mode write, CR0.WP = 1: R/W in every entry
  (q, r) => q.access === "fetch" && q.nxe && r.isExecuteDisabled, // §4.6.1 fetch in either mode, NXE = 1: XD in no entry
];

// ---------------------------------------------------------------- the error code

type Cause = "not-present" | "reserved" | "protection";

/** §4.7. PK (bit 5) and SS (bit 6) join with protection keys and shadow stacks. */
function errorCode(request: Request, cause: Cause): number {
  let code = 0;
  if (cause !== "not-present") code |= PF_P; // §4.7 P: 0 only if a P flag was 0, so RSVD comes with P
  if (request.access === "write") code |= PF_WR; // §4.7 W/R: the access was a write
  if (request.user) code |= PF_US; // §4.7 U/S: the access was user-mode
  if (cause === "reserved") code |= PF_RSVD; // §4.7 RSVD: a reserved bit was set in a present entry
  if (request.access === "fetch" && request.nxe) code |= PF_ID; // §4.7 I/D: a fetch, and PAE and NXE (or SMEP) are on
  return code;
}

// ---------------------------------------------------------------- the translation

/** Vol. 1 §3.3.7.1: bits 63:47 of a canonical 48-bit address are all alike. */
export function isCanonical(address: bigint): boolean {
  const high = address >> 47n;
  return high === 0n || high === 0x1ffffn;
}

/** §4.8: sets flags in an entry, and keeps note if that changes it. */
function setFlags(writes: [bigint, bigint][], at: bigint, entry: bigint, flags: bigint): void {
  const updated = entry | flags;
  if (updated === entry) return;
  const earlier = writes.find(([address]) => address === at);
  if (earlier) earlier[1] = updated;
  else writes.push([at, updated]);
}

/** Precondition: `address` is 64 bits, unsigned. */
export function translate(request: Request): Verdict {
  const { address, readEntry } = request;
  const writes: [bigint, bigint][] = [];

  if (!isCanonical(address)) return { fault: { vector: 13, errorCode: 0 }, writes }; // Vol. 1 §3.3.7.1: #GP(0); by SS it will be #SS(0)

  let table = request.cr3 & ADDRESS_IN_ENTRY; // §4.5.2, Table 4-14: bits 51:12 of CR3 locate the PML4 table
  let isWritable = true;
  let isUser = true;
  let isExecuteDisabled = false;

  for (let level: Level = 4; ; level = (level - 1) as Level) {
    const index = (address >> BigInt(12 + 9 * (level - 1))) & 0x1ffn; // §4.5.4: bits 47:39, 38:30, 29:21, 20:12
    const at = table | (index << 3n); // §4.5.4: eight bytes an entry
    const entry = writes.find(([written]) => written === at)?.[1] ?? readEntry(at);
    const mapsPage = level === 1 || (level !== 4 && (entry & PS) !== 0n); // §4.5.4: PS in a PDPTE or PDE maps a page

    const reserved = entry & reservedBits(level, mapsPage, request);
    if ((entry & P) === 0n) return pageFault("not-present", level, at); // §4.7: with P = 0 no other bit is looked at
    if (reserved !== 0n) return pageFault("reserved", level, at); // §4.7: a reserved bit in an entry with P = 1

    isWritable &&= (entry & RW) !== 0n; // §4.6.1: R/W and U/S are ANDed over the levels,
    isUser &&= (entry & US) !== 0n;
    isExecuteDisabled ||= (entry & XD) !== 0n; // XD is ORed

    if (!mapsPage) {
      setFlags(writes, at, entry, A); // §4.8: A in every entry used, even if a later one ends the translation
      table = entry & ADDRESS_IN_ENTRY;
      continue;
    }

    const rights = { isWritable, isUser, isExecuteDisabled };
    if (denials.some((denies) => denies(request, rights))) return pageFault("protection"); // §6.15 #PF: leaf's A is model-specific, not set here
    setFlags(writes, at, entry, request.access === "write" ? A | D : A); // §4.8: D only where the page is mapped
    const offset = OFFSET_IN_PAGE[level];
    const physicalAddress = (entry & ADDRESS_IN_ENTRY & ~offset) | (address & offset); // §4.5.4: frame, then page offset
    return { physicalAddress, pageLevel: level as PageLevel, writes };
  }

  function pageFault(cause: Cause, level?: Level, entryAddress?: bigint): Verdict {
    const fault = { vector: 14, errorCode: errorCode(request, cause), cr2: address } as const;
    return { fault: level === undefined ? fault : { ...fault, level, entryAddress }, writes };
  }
}
