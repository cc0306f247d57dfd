/**
 * An entry of a paging structure, as two halves of 32 bits: flags and fields, and the bits that
 * must be zero.
 */
import type { Processor } from "./processor.ts";

/** Levels count from the leaf: 1 PTE, 2 PDE, 3 PDPTE, 4 PML4E, 5 PML5E. */
export type Level = 1 | 2 | 3 | 4 | 5;
export type PageLevel = 1 | 2 | 3;
export const LEVEL_NAMES = ["", "PTE", "PDE", "PDPTE", "PML4E", "PML5E"] as const;
export const PAGE_BYTES = [0, 2 ** 12, 2 ** 21, 2 ** 30];

//                             the low half, and the high half
//   31        12 11   9  8   7   6   5   4   3   2   1   0
//  +------------+------+---+---+---+---+---+---+---+---+---+
// | table,frame| ign. | G |PS | D | A |PCD|PWT|U/S|R/W| P | PAT: bit 7 of a PTE, bit 12 of a larger
// page +------------+------+---+---+---+---+---+---+---+---+---+ 63 62 59 58 52 51 M M-1 32
// +---+-----+--------+-----+-------------+ |XD | key | ignored|rsvd | table, frame|
// +---+-----+--------+-----+-------------+
export const P = 1 << 0;
export const RW = 1 << 1;
export const US = 1 << 2;
const PWT = 1 << 3;
const PCD = 1 << 4;
export const A = 1 << 5;
export const D = 1 << 6;
export const PS = 1 << 7;
export const G = 1 << 8;
/** In the high half. */
export const XD = 0x8000_0000;

/** A field of bits of one half, written high to low as the manual does; empty if `high` < `low`. */
function bits(high: number, low: number): number {
  return high < low ? 0 : 2 ** (high + 1) - 2 ** low;
}

const ADDRESS_LOW = bits(31, 12);
const ADDRESS_HIGH = bits(51 - 32, 0);

/** §4.5.4, Tables 4-15 to 4-20: bits 51:12 locate the next table or the page. */
export function addressIn(low: number, high: number): number {
  return (high & ADDRESS_HIGH) * 0x1_0000_0000 + ((low & ADDRESS_LOW) >>> 0);
}

/** §4.6.2: bits 62:59 of the entry that maps the page. */
export function protectionKeyIn(high: number): number {
  return (high >>> (59 - 32)) & 15;
}

/** §4.9.2: 4·PAT + 2·PCD + PWT, of the entry that maps the page. */
export function patIndexIn(low: number, level: PageLevel): number {
  // Tables 4-16, 4-18, 4-20: bit 7 of a PTE, bit 12 of a larger page
  const pat = level === 1 ? (low >>> 7) & 1 : (low >>> 12) & 1;
  return pat * 4 + ((low & PCD) !== 0 ? 2 : 0) + ((low & PWT) !== 0 ? 1 : 0);
}

/** Whether this entry maps a page (§4.5.4): a PTE always, a PDE or PDPTE with PS = 1. */
export function isLeaf(low: number, level: Level): boolean {
  return level === 1 || ((level === 2 || level === 3) && (low & PS) !== 0);
}

/** Bits 51:M of the high half, by M. */
const ABOVE_MAXPHYADDR = Array.from({ length: 53 }, (_, m) => bits(51 - 32, Math.max(m, 32) - 32));
const ABOVE_PAT_1G = bits(29, 13);
const ABOVE_PAT_2M = bits(20, 13);

/** The bits of the high half that must be zero in a present entry, at every level. */
export function reservedHigh(processor: Processor): number {
  // §4.5.4, Tables 4-15 to 4-20: bits 51:M
  let reserved = ABOVE_MAXPHYADDR[processor.maxPhysicalAddressBits];
  if (!processor.nxe) reserved |= XD; // §4.5.4, Tables 4-15 to 4-20: bit 63 while IA32_EFER.NXE = 0
  return reserved;
}

/** The bits of the low half that must be zero in a present entry. */
export function reservedLow(processor: Processor, level: Level, mapsPage: boolean): number {
  let reserved = 0;
  if (level === 5) reserved |= PS; // §4.5.4, Table 4-15's 5-level companion: bit 7 of a PML5E
  if (level === 4) reserved |= PS; // §4.5.4, Table 4-15: bit 7 of a PML4E
  // §4.1.4, §4.5.4: bit 7 of a PDPTE without 1-GByte pages
  if (level === 3 && !processor.pages1G) reserved |= PS;
  // §4.5.4, Table 4-16: between PAT and a 1-GByte frame
  if (level === 3 && mapsPage) reserved |= ABOVE_PAT_1G;
  // §4.5.4, Table 4-18: between PAT and a 2-MByte frame
  if (level === 2 && mapsPage) reserved |= ABOVE_PAT_2M;
  return reserved; // §4.9.2: bit 7 of a PTE and bit 12 of a larger page are PAT, never reserved
}
