// Items through the sets of trees, two at a time, because a vector shifts two. The shift of each size
// of page has loops of its own: the engine shifts a vector by what it knows in one step, else in four
// (7.1 instead of 7.8 ns for misses of 4K pages in two levels).

import { FULL, HELD, LOWS, STATE, TagArray } from "./array";
import { equalLows } from "./find";
import { anyOf, nextVictim, partners, preferredOf, stateOf, victimOf, without } from "./four";
import { SIZE_SHIFT } from "./layout";
import { Loop, LoopFunction, loop } from "./loop";
import {
  MOVES_SHIFT,
  MOVE_MISS,
  MOVE_SHIFT,
  MOVE_STATE,
  TOUCHED_SET,
  TOUCHED_SHIFT,
} from "./replacement";

const SHIFT_2M = SIZE_SHIFT;
const SHIFT_1G = SIZE_SHIFT * 2;
const ANY_SHIFT = -1;

/** Of one with tables, and of four ways or more than that: those have sets of 64 bytes. */
export function hasTreeLoop(array: TagArray): bool {
  return array.moves != 0 || (array.victims != 0 && array.setBytes == 64);
}

/** Of an array that has one. */
export function treeLoopOf(array: TagArray): LoopFunction {
  const shift = loop.indexShift;
  if (array.moves) {
    if (!array.setMask) return oneTree4;
    if (!shift) return tree4Of4K;
    return shift == SHIFT_2M ? tree4Of2M : shift == SHIFT_1G ? tree4Of1G : tree4;
  }
  // What is looked at beyond the ways is never held.
  if (array.halfBytes == 32) {
    if (!shift) return tree8Of4K;
    return shift == SHIFT_2M ? tree8Of2M : shift == SHIFT_1G ? tree8Of1G : tree8;
  }
  if (!shift) return tree12Of4K;
  return shift == SHIFT_2M ? tree12Of2M : shift == SHIFT_1G ? tree12Of1G : tree12;
}

// @ts-ignore: decorator
@inline
function shifted(items: v128, shift: i32): v128 {
  if (shift == 0) return items;
  return i64x2.shr_u(items, shift == ANY_SHIFT ? <i32>loop.indexShift : shift);
}

function tree4Of4K(array: TagArray, from: usize, end: usize, to: usize): usize {
  return four(0, array, from, end, to);
}
function tree4Of2M(array: TagArray, from: usize, end: usize, to: usize): usize {
  return four(SHIFT_2M, array, from, end, to);
}
function tree4Of1G(array: TagArray, from: usize, end: usize, to: usize): usize {
  return four(SHIFT_1G, array, from, end, to);
}
function tree4(array: TagArray, from: usize, end: usize, to: usize): usize {
  return four(ANY_SHIFT, array, from, end, to);
}
function tree8Of4K(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(32, 0, array, from, end, to);
}
function tree8Of2M(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(32, SHIFT_2M, array, from, end, to);
}
function tree8Of1G(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(32, SHIFT_1G, array, from, end, to);
}
function tree8(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(32, ANY_SHIFT, array, from, end, to);
}
function tree12Of4K(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(48, 0, array, from, end, to);
}
function tree12Of2M(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(48, SHIFT_2M, array, from, end, to);
}
function tree12Of1G(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(48, SHIFT_1G, array, from, end, to);
}
function tree12(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(48, ANY_SHIFT, array, from, end, to);
}

/** Four ways of a tree. There is no branch that hit or miss decides: 2.9 instead of 3.6 ns. */
// @ts-ignore: decorator
@inline
function four(shift: i32, array: TagArray, from: usize, end: usize, to: usize): usize {
  const tagShift = <i32>loop.tagShift;
  const tagMask = v128.load(changetype<usize>(loop), offsetof<Loop>("tagMask"));
  const setMask = v128.load(changetype<usize>(loop), offsetof<Loop>("setMask"));
  const foldMask = v128.load(changetype<usize>(loop), offsetof<Loop>("foldMask"));
  const sets = array.sets;
  const moves = array.moves;
  while (from + 16 <= end) {
    const items = v128.load(from);
    const tags = v128.and(i64x2.shr_u(items, tagShift), tagMask);
    const indexes = v128.xor(shifted(items, shift), v128.and(tags, foldMask));
    const offsets = i64x2.shl(v128.and(indexes, setMask), 5);

    const set0 = sets + i32x4.extract_lane(offsets, 0);
    const low0 = v128.shuffle<i32>(tags, tags, 0, 0, 0, 0);
    const lows0 = v128.load(set0, LOWS);
    const same0 = i32x4.eq(lows0, low0);
    const equal0 = i32x4.bitmask(same0) & load<u32>(set0, HELD);
    if (!(equal0 | load<u32>(set0, FULL))) break;
    const state0 = load<u32>(set0, STATE);
    // Who would be filled, if no way is the same: that does not wait for which one is.
    const filled0 = without(v128.load(moves + state0), anyOf(same0));
    v128.store(set0, v128.bitselect(low0, lows0, filled0), LOWS);
    const move0 = moves + state0 + (equal0 << MOVE_SHIFT);
    store<u32>(set0, load<u32>(move0, MOVE_STATE), STATE);
    v128.store64_lane(to, items, 0);
    to += load<u32>(move0, MOVE_MISS);
    from += 8;

    const set1 = sets + i32x4.extract_lane(offsets, 2);
    const low1 = v128.shuffle<i32>(tags, tags, 2, 2, 2, 2);
    const lows1 = v128.load(set1, LOWS);
    const same1 = i32x4.eq(lows1, low1);
    const equal1 = i32x4.bitmask(same1) & load<u32>(set1, HELD);
    if (!(equal1 | load<u32>(set1, FULL))) break;
    const state1 = load<u32>(set1, STATE);
    const filled1 = without(v128.load(moves + state1), anyOf(same1));
    v128.store(set1, v128.bitselect(low1, lows1, filled1), LOWS);
    const move1 = moves + state1 + (equal1 << MOVE_SHIFT);
    store<u32>(set1, load<u32>(move1, MOVE_STATE), STATE);
    v128.store64_lane(to, items, 1);
    to += load<u32>(move1, MOVE_MISS);
    from += 8;
  }
  loop.stop = from;
  return to;
}

/** The same in one set, which stays in registers (four.ts): 3.3 instead of 7.3 ns. */
function oneTree4(array: TagArray, from: usize, end: usize, to: usize): usize {
  const mask = loop.mask;
  const tagShift = loop.tagShift;
  const tagMask = <u32>loop.tagMask;
  const sure = loop.sure;
  const set = array.sets;
  const isFull = load<u32>(set, FULL);
  const state = load<u32>(set, STATE) >> MOVES_SHIFT;
  let lows = v128.load(set, LOWS);
  let preferred = preferredOf(state);
  let victim = victimOf(state, preferred);
  let last = ~load<u64>(from);
  for (; from < end; from += 8) {
    const item = load<u64>(from);
    if (!((item ^ last) & mask)) continue;
    const low = i32x4.splat(<u32>(item >> tagShift) & tagMask);
    const equal = i32x4.eq(lows, low);
    const any = anyOf(equal);
    const hit = i32x4.extract_lane(any, 0);
    if (!(isFull | (hit & sure))) break;
    last = item;
    const touched = v128.or(equal, without(victim, any));
    lows = v128.bitselect(low, lows, touched);
    victim = nextVictim(preferred, touched);
    preferred = v128.or(victim, partners(touched));
    store<u64>(to, item);
    to += (hit + 1) << 3;
  }
  v128.store(set, lows, LOWS);
  store<u32>(set, stateOf(preferred, victim) << MOVES_SHIFT, STATE);
  loop.stop = from;
  return to;
}

// @ts-ignore: decorator
@inline
function tree(
  half: u32,
  shift: i32,
  array: TagArray,
  from: usize,
  end: usize,
  to: usize,
): usize {
  const tagShift = <i32>loop.tagShift;
  const tagMask = v128.load(changetype<usize>(loop), offsetof<Loop>("tagMask"));
  const setMask = v128.load(changetype<usize>(loop), offsetof<Loop>("setMask"));
  const foldMask = v128.load(changetype<usize>(loop), offsetof<Loop>("foldMask"));
  const sets = array.sets;
  const touches = array.touches;
  const victims = array.victims;
  while (from + 16 <= end) {
    const items = v128.load(from);
    const tags = v128.and(i64x2.shr_u(items, tagShift), tagMask);
    const indexes = v128.xor(shifted(items, shift), v128.and(tags, foldMask));
    const offsets = i64x2.shl(v128.and(indexes, setMask), 6);

    const set0 = sets + i32x4.extract_lane(offsets, 0);
    const low0 = v128.shuffle<i32>(tags, tags, 0, 0, 0, 0);
    const equal0 = <u32>equalLows(half, set0 + LOWS, low0) & load<u32>(set0, HELD);
    if (equal0) touchTree(set0, touches + (ctz(equal0) << TOUCHED_SHIFT));
    else {
      if (!load<u32>(set0, FULL)) break;
      replaceInTree(set0, touches, victims, low0);
      v128.store64_lane(to, items, 0);
      to += 8;
    }
    from += 8;

    const set1 = sets + i32x4.extract_lane(offsets, 2);
    const low1 = v128.shuffle<i32>(tags, tags, 2, 2, 2, 2);
    const equal1 = <u32>equalLows(half, set1 + LOWS, low1) & load<u32>(set1, HELD);
    if (equal1) touchTree(set1, touches + (ctz(equal1) << TOUCHED_SHIFT));
    else {
      if (!load<u32>(set1, FULL)) break;
      replaceInTree(set1, touches, victims, low1);
      v128.store64_lane(to, items, 1);
      to += 8;
    }
    from += 8;
  }
  loop.stop = from;
  return to;
}

// @ts-ignore: decorator
@inline
function touchTree(set: usize, touched: usize): void {
  const state = load<u32>(set, STATE);
  const next = (state & load<u32>(touched)) | load<u32>(touched, TOUCHED_SET);
  store<u32>(set, next, STATE);
}

// @ts-ignore: decorator
@inline
function replaceInTree(set: usize, touches: usize, victims: usize, low: v128): void {
  const way = <u32>load<u8>(victims + load<u32>(set, STATE));
  const touched = touches + (way << TOUCHED_SHIFT);
  touchTree(set, touched);
  store<u32>(set + (way << 2), i32x4.extract_lane(low, 0), LOWS);
}
