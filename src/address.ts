/**
 * Addresses, page sizes and levels. Physical addresses and user addresses are numbers: exact, for
 * they lie below 2^53. Addresses of the canonical upper half are bigints, or negative numbers.
 */

declare const physical: unique symbol;
declare const user: unique symbol;

/** A physical address in bytes, below 2^52. */
export type PhysicalAddress = number & { readonly [physical]: true };
/** A user virtual address in bytes, below 2^47 (4-level paging). */
export type UserAddress = number & { readonly [user]: true };

/** Levels count from the leaf: 1 a page table, 2 a page directory, 3 a PDPT, 4 a PML4. */
export type LeafLevel = 1 | 2 | 3;

export const PAGE_4K = 2 ** 12;
export const PAGE_2M = 2 ** 21;
export const PAGE_1G = 2 ** 30;
/** One past the last user address. */
export const USER_END = 2 ** 47;

const PAGE_BYTES = { 1: PAGE_4K, 2: PAGE_2M, 3: PAGE_1G } as const;

/** Bytes of a page that a leaf of this level maps. */
export function pageBytesOf(level: LeafLevel): number {
  return PAGE_BYTES[level];
}

/** The level whose leaves map pages of this size; undefined for any other size. */
export function tryLevelOf(pageBytes: number): LeafLevel | undefined {
  return pageBytes === PAGE_4K
    ? 1
    : pageBytes === PAGE_2M
      ? 2
      : pageBytes === PAGE_1G
        ? 3
        : undefined;
}

export function roundDown(address: number, pageBytes: number): number {
  return address - (address % pageBytes);
}

export function roundUp(address: number, pageBytes: number): number {
  const rest = address % pageBytes;
  return rest === 0 ? address : address + (pageBytes - rest);
}

/** `2M`, `1G`, `4K`; other sizes in the largest unit that divides them. */
export function formatBytes(bytes: number): string {
  for (const [unit, scale] of [
    ["P", 2 ** 50],
    ["T", 2 ** 40],
    ["G", 2 ** 30],
    ["M", 2 ** 20],
    ["K", 2 ** 10],
  ] as const) {
    if (bytes >= scale && bytes % scale === 0) return `${bytes / scale}${unit}`;
  }
  return `${bytes}`;
}

/** `0x` and lower-case digits; the canonical form of a negative number. */
export function formatAddress(address: number | bigint): string {
  return `0x${BigInt.asUintN(64, BigInt(address)).toString(16)}`;
}
