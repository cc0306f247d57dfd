/**
 * Random addresses: near the edges of tables, pages and the canonical halves more than elsewhere.
 */
import { type Access, isCanonical, secondPageOf } from "./case.ts";
import { DATA_FROM, indexOf, RUNNER_SLOT } from "./scratch.ts";
import type { Xorshift } from "./xorshift.ts";

/** None, if the draw is one that cannot be used. */
export function addressFor(
  random: Xorshift,
  levels: 4 | 5,
  leafLevel: number,
  size: number,
  mayBeNonCanonical: boolean,
): bigint | undefined {
  const isCrossing = size > 1 && random.chance(0.25);
  let address = BigInt(isCrossing ? 4096 - 1 - random.below(size - 1) : offset(random, size));
  for (let level = 1; level <= levels; level++) {
    address |= BigInt(indexFor(random, level, leafLevel, isCrossing)) << BigInt(3 + 9 * level);
  }
  if (indexOf(address, levels) === RUNNER_SLOT) return undefined;
  const bits = 12 + 9 * levels;
  address = BigInt.asUintN(64, BigInt.asIntN(bits, address));
  if (mayBeNonCanonical && random.chance(0.05)) {
    const bit = random.chance(0.5) ? bits - 1 : bits - 1 + random.below(65 - bits);
    address ^= 1n << BigInt(bit);
  }
  const isWrapping = address + BigInt(size) > 1n << 64n;
  return isWrapping || (!mayBeNonCanonical && !isCanonical(address, levels)) ? undefined : address;
}

/** In a page, without leaving it. */
function offset(random: Xorshift, size: number): number {
  return random.pick([0, 8, 0x7f8 + random.below(8), 4096 - size, random.below(4097 - size)]);
}

function indexFor(random: Xorshift, level: number, leafLevel: number, isCrossing: boolean): number {
  // A 1G page starts at physical 0: of its pages, only those are the cases' own.
  if (level === 2 && leafLevel === 3) return DATA_FROM >> 21;
  if (isCrossing && level < 5 && random.chance(0.5)) return 511;
  if (random.chance(0.05)) return random.below(512);
  return random.pick([0, 1, 2, 254, 255, 256, 510, 511]);
}

/**
 * The page behind the operand's page boundary, and the highest level at which it has an entry of
 * its own: 0 if the address is not canonical, so that it has none.
 */
export function secondAddressOf(
  access: Access,
  levels: number,
): { address: bigint; splitLevel: number } | undefined {
  const address = secondPageOf(access);
  if (address === undefined) return undefined;
  if (isCanonical(access.address, levels) && !isCanonical(address, levels)) {
    return { address, splitLevel: 0 };
  }
  let splitLevel = levels;
  while (indexOf(address, splitLevel) === indexOf(access.address, splitLevel)) splitLevel--;
  return { address, splitLevel };
}
