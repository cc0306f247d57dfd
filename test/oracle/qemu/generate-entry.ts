/** Random entries: valid ones, and ways to break them. */
import type { Processor } from "./case.ts";
import type { Xorshift } from "./xorshift.ts";

/** Masks by level (bit n: level n) of the levels that withhold a right. */
export interface Rights {
  readonly noWrite: number;
  readonly noUser: number;
  readonly noExecute: number;
}

const P = 1n;
const W = 2n;
const U = 4n;
const PWT_PCD = 0x18n;
const A = 0x20n;
const D = 0x40n;
const PS = 0x80n;
const G = 0x100n;
const NX = 1n << 63n;
const FRAME = 0x000f_ffff_ffff_f000n;
/** Bits that no walk looks at: 11:9 and 58:52 of any entry, 62:59 unless a leaf's key. */
const IGNORED = 0x07f0_0000_0000_0e00n;
const KEY = 0x7800_0000_0000_0000n;

function common(random: Xorshift, level: number, frame: number, rights: Rights): bigint {
  let value = BigInt(frame) | P;
  if (!((rights.noWrite >> level) & 1)) value |= W;
  if (!((rights.noUser >> level) & 1)) value |= U;
  if ((rights.noExecute >> level) & 1) value |= NX;
  if (random.chance(0.4)) value |= A;
  return value;
}

export function tableEntry(random: Xorshift, level: number, table: number, rights: Rights): bigint {
  const value = common(random, level, table, rights);
  if (!random.chance(0.12)) return value;
  return value | (random.bits64() & (IGNORED | KEY | PWT_PCD | D | G));
}

export function leafEntry(random: Xorshift, level: number, frame: number, rights: Rights): bigint {
  let value = common(random, level, frame, rights);
  if (level > 1) value |= PS;
  if (random.chance(0.4)) value |= D;
  if (random.chance(0.3)) value |= G;
  if (random.chance(0.1)) value |= level > 1 ? 1n << 12n : PS; // PAT
  if (random.chance(0.6)) value |= random.bits64() & KEY;
  if (random.chance(0.12)) value |= random.bits64() & (IGNORED | PWT_PCD);
  return value;
}

/** What makes an entry not present, or sets a bit that may be reserved. */
export function breakEntry(
  random: Xorshift,
  { maxPhysicalAddressBits }: Processor,
  level: number,
  isLeaf: boolean,
  value: bigint,
): bigint {
  const choice = random.below(10);
  if (choice < 2) return value & ~P;
  if (choice < 3) return random.bits64() & ~P;
  if (choice < 4) return value | NX;
  if (choice < 6 && !isLeaf) return value | PS;
  if (choice < 7 && isLeaf && level > 1) {
    // Below the frame, above the PAT bit.
    return value | (1n << BigInt(13 + random.below(9 * level - 10)));
  }
  if (maxPhysicalAddressBits >= 52) return value & ~P;
  const nrBits = 52 - maxPhysicalAddressBits;
  if (random.chance(0.2)) {
    return value | (random.bits64() & FRAME & ~((1n << BigInt(maxPhysicalAddressBits)) - 1n));
  }
  return value | (1n << BigInt(maxPhysicalAddressBits + random.below(nrBits)));
}
