/**
 * The physical memory that cases use: tables, and pages to map. All of it is below 64M.
 *
 *     0x0000000  a page: what a 1G page at 0 maps first
 *     0x1002000  tables of page 0 of the operand, level 1 first, 8K apart
 *     0x1012000  tables of page 1 of the operand
 *     0x2000000  2M for page 0, then 2M for page 1
 *
 * Bit 13 or a higher one below 21 is set in every table's address: an entry that points at a table
 * and has PS set has a reserved bit set as well, so nothing but the pages is ever mapped.
 */
export const DATA_FROM = 0x200_0000;
export const DATA_BYTES = 0x40_0000;

/** The root's entry that maps the recorder's guest; cases leave it alone. */
export const RUNNER_SLOT = 0x1aa;

/** Where the tables of a level are. The root is page 0's table of the highest level. */
export function tableOf(level: number, page: 0 | 1): number {
  return 0x100_0000 + page * 0x1_0000 + level * 0x2000;
}

/** 2M of pages to map. */
export function regionOf(page: 0 | 1): number {
  return DATA_FROM + page * 0x20_0000;
}

/** Index into the table of a level. */
export function indexOf(address: bigint, level: number): number {
  return Number((address >> BigInt(12 + 9 * (level - 1))) & 511n);
}
