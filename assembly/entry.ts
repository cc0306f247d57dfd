// One entry of a paging structure: what its bits mean at a level, which of them must be zero,
// and how a leaf or a table reference is written.

import {
  ENTRY_A,
  ENTRY_D,
  ENTRY_G,
  ENTRY_KEPT,
  ENTRY_NX,
  ENTRY_P,
  ENTRY_PS,
  ENTRY_U,
  ENTRY_W,
  LEVEL_BITS,
  LEVEL_PDPT,
  LEVEL_PML4,
  LEVEL_PT,
  PAGE_SHIFT,
  RIGHTS_NONE,
  RIGHTS_U,
  RIGHTS_W,
  RIGHTS_X,
} from "./layout";

export const P: u64 = 1 << ENTRY_P;
export const W: u64 = 1 << ENTRY_W;
export const U: u64 = 1 << ENTRY_U;
export const A: u64 = 1 << ENTRY_A;
export const D: u64 = 1 << ENTRY_D;
export const PS: u64 = 1 << ENTRY_PS;
export const G: u64 = 1 << ENTRY_G;
export const KEPT: u64 = 1 << ENTRY_KEPT;
export const NX: u64 = (<u64>1) << ENTRY_NX;
/** Bits 51:12, the widest physical address that an entry can hold (SDM Vol. 3A §4.1.4). */
export const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/** log2 of the bytes that one entry of a level maps. */
export function levelShift(level: u32): u32 {
  return PAGE_SHIFT + (level - 1) * LEVEL_BITS;
}

export function isLeaf(entry: u64, level: u32): bool {
  return level == LEVEL_PT || (entry & PS) != 0;
}

/** The frame of a leaf: PAT (bit 12 of a 2M or 1G leaf) is not part of it. */
export function leafFrame(entry: u64, level: u32): u64 {
  return entry & ADDRESS & ~(((<u64>1) << levelShift(level)) - 1);
}

/**
 * The bits that must be zero in a present entry of `level` with this PS bit
 * (SDM Vol. 3A §4.5, tables 4-15 to 4-20; MAXPHYADDR: §4.1.4; bit 63 without NXE: §4.1.1).
 */
export function reservedBits(
  level: u32,
  ps: bool,
  maxPhysicalAddressBits: u32,
  has1G: bool,
  nxe: bool,
): u64 {
  let reserved = ADDRESS & ~(((<u64>1) << maxPhysicalAddressBits) - 1);
  if (!nxe) reserved |= NX;
  if (!ps || level == LEVEL_PT) return reserved;
  // No page of 512G or more: PS must be 0 in a PML4E and a PML5E.
  if (level >= <u32>LEVEL_PML4) return reserved | PS;
  if (level == LEVEL_PDPT && !has1G) return reserved | PS;
  // A large leaf: PAT is bit 12, the frame starts at the level's shift, between them zeros.
  return reserved | ((((<u64>1) << levelShift(level)) - 1) & ~(((<u64>1) << (PAGE_SHIFT + 1)) - 1));
}

/** A leaf as the kernel half asks for it. A and D are left to the walk. */
export function encodeLeaf(frame: u64, level: u32, rights: u32): u64 {
  let entry = frame | (level == LEVEL_PT ? 0 : PS);
  if (rights & RIGHTS_NONE) return entry | KEPT;
  entry |= P;
  if (rights & RIGHTS_W) entry |= W;
  if (rights & RIGHTS_U) entry |= U;
  if (!(rights & RIGHTS_X)) entry |= NX;
  return entry;
}

/** The same leaf with other rights; its frame, A and D stay. */
export function withRights(entry: u64, level: u32, rights: u32): u64 {
  return encodeLeaf(leafFrame(entry, level), level, rights) | (entry & (A | D));
}

/** A reference to a lower table; rights are decided at the leaf, as Linux does. */
export function encodeTable(frame: u64): u64 {
  return frame | P | W | U | A;
}
