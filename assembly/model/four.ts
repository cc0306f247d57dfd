// The state of a tree of four ways in vectors, where a touch takes neither a table nor a branch. In
// each half of the ways one is preferred, the other one than was touched last; the victim is the
// preferred one of the half that was not touched last. A way is all bits of its lane.

/** `state`: the bits of the tree (replacement.ts). */
// @ts-ignore: decorator
@inline
export function preferredOf(state: u32): v128 {
  const lower = i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat((state >> 1) & 1));
  const upper = i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat(2 + ((state >> 2) & 1)));
  return v128.or(lower, upper);
}

// @ts-ignore: decorator
@inline
export function victimOf(state: u32, preferred: v128): v128 {
  const isUpper = i32x4.splat(-(state & 1));
  return v128.and(preferred, v128.xor(isUpper, i32x4(-1, -1, 0, 0)));
}

// @ts-ignore: decorator
@inline
export function stateOf(preferred: v128, victim: v128): u32 {
  const ways = i32x4.bitmask(preferred);
  const isUpper = u32(i32x4.bitmask(victim) > 3);
  return isUpper | (ways & 2) | ((ways >> 1) & 4);
}

/** The other way of a half, for each way. */
// @ts-ignore: decorator
@inline
export function partners(ways: v128): v128 {
  return v128.shuffle<i32>(ways, ways, 1, 0, 3, 2);
}

/** The victim after `touched` was: it is in the other half. */
// @ts-ignore: decorator
@inline
export function nextVictim(preferred: v128, touched: v128): v128 {
  return without(preferred, v128.or(touched, partners(touched)));
}

/**
 * Ways that are not among `others`: of lanes of all bits or none, "greater" says so. The engine's
 * `andnot` is of another unit of a processor, and a cycle away.
 */
// @ts-ignore: decorator
@inline
export function without(ways: v128, others: v128): v128 {
  return i32x4.gt_s(others, ways);
}

/** All lanes, if any is. */
// @ts-ignore: decorator
@inline
export function anyOf(lanes: v128): v128 {
  const pairs = v128.or(lanes, v128.shuffle<i32>(lanes, lanes, 1, 0, 3, 2));
  return v128.or(pairs, v128.shuffle<i32>(pairs, pairs, 2, 3, 0, 1));
}
