// A batch of items through one array: those that it has are touched; those that it has not are put
// there and passed on. There is a loop for each way of keeping order, and for the usual numbers of
// ways, so that the engine keeps what it needs in registers, which it does only where nothing is
// called. A loop ends at the first item that it has no way with.
//
// Most loops need all tags of the array and of the items to have one high half. Then the low half
// tells them apart, and high halves of full sets are what they will be.

import { REPLACEMENT_LRU } from "./layout";
import { EMPTY, FULL, HELD, LOWS, STATE, TagArray, setOf, tagOf, toldBits } from "./array";
import { equalLows, find } from "./find";
import { anyOf, nextVictim, partners, preferredOf, stateOf, victimOf } from "./four";
import {
  ENTRY_BYTES,
  behindFirst,
  bucketOf,
  bucketsOf,
  bury,
  entryAt,
  headOf,
  liveOf,
  makeRoom,
  ringOf,
  setEnds,
  tailOf,
  write,
} from "./log";
import {
  MOVES_SHIFT,
  MOVE_MISS,
  MOVE_SHIFT,
  MOVE_STATE,
  TOUCHED_SET,
  TOUCHED_SHIFT,
  insert,
  touch,
} from "./replacement";
import { TIMES_START, makeTimes } from "./times";

/** Which key an item has in an array, and which of its sets. */
@unmanaged
export class Placement {
  /** The key is that of no number (keyOf), and the bits of the item in `mask`, shifted. */
  space: u64;
  mask: u64;
  shift: u64;
  /** So many low bits of the number tell the bank. */
  dealShift: u64;
}

/**
 * What a loop needs of an array and a placement. It reads it from memory, and so has it in
 * registers: what the engine can see the making of, it makes each time.
 */
@unmanaged
class Loop {
  /** The first item that it did not do. */
  stop: usize;
  /** The key of no number. */
  space: u64;
  /** Bits of an item that are its number in the array. */
  mask: u64;
  /** From an item to its index, and to its tag, which is the low half here. */
  indexShift: u64;
  tagShift: u64;
  /** Each twice, for two items. */
  tagMask: u64;
  tagMask1: u64;
  setMask: u64;
  setMask1: u64;
  /** What the lower group of an index is XORed with, of the tag. */
  foldMask: u64;
  foldMask1: u64;
  /** All bits, if no way that is empty has the low half of a tag, so that equal ways are sure. */
  sure: u32;
  /** Of the first set's log. */
  buckets: usize;
  bucketMask: u32;
  ring: usize;
  ringMask: u32;
}
const loop = changetype<Loop>(memory.data(offsetof<Loop>()));

type LoopFunction = (array: TagArray, from: usize, end: usize, to: usize) => usize;

/** What is missed is written to `to`, which may be `from`. Returns where that ends. */
export function filter(
  array: TagArray,
  placement: Placement,
  from: usize,
  end: usize,
  to: usize,
): usize {
  if (from == end) return to;
  prepare(array, placement);
  let last = to;
  for (let at = from; ; ) {
    last = loopOf(array, placement)(array, at, end, last);
    at = loop.stop;
    if (at == end) break;
    last = accessAny(array, placement, load<u64>(at), last);
    at += 8;
  }
  const nrMisses = <u64>((last - to) >> 3);
  array.misses += nrMisses;
  array.hits += <u64>((end - from) >> 3) - nrMisses;
  array.recent = 0;
  return last;
}

function prepare(array: TagArray, placement: Placement): void {
  loop.space = placement.space;
  loop.mask = (placement.mask >> placement.shift) << placement.shift;
  loop.indexShift = placement.shift + placement.dealShift;
  loop.tagShift = placement.shift + toldBits(array, <u32>placement.dealShift);
  loop.tagMask = placement.mask >> loop.tagShift;
  loop.tagMask1 = loop.tagMask;
  loop.setMask = array.setMask;
  loop.setMask1 = loop.setMask;
  loop.foldMask = array.indexGroups > 1 ? array.setMask : 0;
  loop.foldMask1 = loop.foldMask;
  loop.sure = loop.tagMask == EMPTY ? 0 : u32.MAX_VALUE;
  loop.buckets = bucketsOf(array.sets);
  loop.bucketMask = array.bucketMask;
  loop.ring = ringOf(array, array.sets);
  loop.ringMask = array.ringBytes - 1;
}

function loopOf(array: TagArray, placement: Placement): LoopFunction {
  if (array.isLong) {
    const isQuick = array.replacement == REPLACEMENT_LRU && !array.setMask;
    return isQuick && liveOf(array.sets) == array.ways ? long : none;
  }
  const isLow = loop.tagMask <= u32.MAX_VALUE;
  const isOneHigh = isLow && array.high == <u32>(placement.space >> 32);
  // A short tag is also what the lower group of an index is XORed with.
  if (!isOneHigh || array.indexGroups > 2 || !array.hasShortTags) return none;
  const nrVectors = array.halfBytes >> 4;
  if (array.isShort) {
    if (array.replacement != REPLACEMENT_LRU || !loop.sure) return none;
    if (!array.setMask && nrVectors <= 2) return nrVectors == 1 ? oneSet4 : oneSet8;
    if (nrVectors <= 2) return nrVectors == 1 ? short4 : short8;
    return nrVectors == 3 ? short12 : short16;
  }
  if (array.moves && !array.setMask) return oneTree4;
  if (!array.victims || array.ways & 3) return none;
  return treeLoopOf(nrVectors, loop.indexShift);
}

function treeLoopOf(nrVectors: u32, shift: u64): LoopFunction {
  if (nrVectors == 1) {
    if (!shift) return tree4Shift0;
    return shift == 9 ? tree4Shift9 : shift == 18 ? tree4Shift18 : tree4;
  }
  if (nrVectors == 2) {
    if (!shift) return tree8Shift0;
    return shift == 9 ? tree8Shift9 : shift == 18 ? tree8Shift18 : tree8;
  }
  if (!shift) return tree12Shift0;
  return shift == 9 ? tree12Shift9 : shift == 18 ? tree12Shift18 : tree12;
}

function none(array: TagArray, from: usize, end: usize, to: usize): usize {
  loop.stop = from;
  return to;
}

// Trees: two items at a time, because a vector shifts two. A shift of each page's size has a loop of
// its own: one that is known is a fifth of the work.

const ANY_SHIFT = -1;

// @ts-ignore: decorator
@inline
function shifted(items: v128, shift: i32): v128 {
  if (shift == 0) return items;
  return i64x2.shr_u(items, shift == ANY_SHIFT ? <i32>loop.indexShift : shift);
}

function tree4Shift0(array: TagArray, from: usize, end: usize, to: usize): usize {
  return four(0, array, from, end, to);
}
function tree4Shift9(array: TagArray, from: usize, end: usize, to: usize): usize {
  return four(9, array, from, end, to);
}
function tree4Shift18(array: TagArray, from: usize, end: usize, to: usize): usize {
  return four(18, array, from, end, to);
}
function tree4(array: TagArray, from: usize, end: usize, to: usize): usize {
  return four(ANY_SHIFT, array, from, end, to);
}
function tree8Shift0(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(32, 0, array, from, end, to);
}
function tree8Shift9(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(32, 9, array, from, end, to);
}
function tree8Shift18(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(32, 18, array, from, end, to);
}
function tree8(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(32, ANY_SHIFT, array, from, end, to);
}
function tree12Shift0(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(48, 0, array, from, end, to);
}
function tree12Shift9(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(48, 9, array, from, end, to);
}
function tree12Shift18(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(48, 18, array, from, end, to);
}
function tree12(array: TagArray, from: usize, end: usize, to: usize): usize {
  return tree(48, ANY_SHIFT, array, from, end, to);
}

/** Four ways of a tree. There is no branch that hit or miss decides. */
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
    v128.store(set0, v128.bitselect(low0, lows0, v128.andnot(v128.load(moves + state0), anyOf(same0))), LOWS);
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
    v128.store(set1, v128.bitselect(low1, lows1, v128.andnot(v128.load(moves + state1), anyOf(same1))), LOWS);
    const move1 = moves + state1 + (equal1 << MOVE_SHIFT);
    store<u32>(set1, load<u32>(move1, MOVE_STATE), STATE);
    v128.store64_lane(to, items, 1);
    to += load<u32>(move1, MOVE_MISS);
    from += 8;
  }
  loop.stop = from;
  return to;
}

// @ts-ignore: decorator
@inline
function moveOf(moves: usize, set: usize, equal: u32): usize {
  return moves + load<u32>(set, STATE) + (equal << MOVE_SHIFT);
}

/** The same in one set, which stays in registers; what a touch does is said in four.ts. */
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
    const isHit = i32x4.extract_lane(any, 0);
    if (!(isFull | (isHit & sure))) break;
    last = item;
    const touched = v128.or(equal, v128.andnot(victim, any));
    lows = v128.bitselect(low, lows, touched);
    victim = nextVictim(preferred, touched);
    preferred = v128.or(victim, partners(touched));
    store<u64>(to, item);
    to += (isHit + 1) << 3;
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

function short4(array: TagArray, from: usize, end: usize, to: usize): usize {
  return short(16, false, array, from, end, to);
}
function short8(array: TagArray, from: usize, end: usize, to: usize): usize {
  return short(32, false, array, from, end, to);
}
function short12(array: TagArray, from: usize, end: usize, to: usize): usize {
  return short(48, false, array, from, end, to);
}
function short16(array: TagArray, from: usize, end: usize, to: usize): usize {
  return short(64, false, array, from, end, to);
}
function oneSet4(array: TagArray, from: usize, end: usize, to: usize): usize {
  return short(16, true, array, from, end, to);
}
function oneSet8(array: TagArray, from: usize, end: usize, to: usize): usize {
  return short(32, true, array, from, end, to);
}

/**
 * Few ways that have times. There is no branch that hit or miss decides: what is lowest is the way
 * that has the tag, with −1 for a time, or else the oldest. One set stays in registers.
 */
// @ts-ignore: decorator
@inline
function short(
  half: u32,
  isOneSet: bool,
  array: TagArray,
  from: usize,
  end: usize,
  to: usize,
): usize {
  makeTimes(array, <u32>((end - from) >> 3));
  const mask = loop.mask;
  const indexShift = loop.indexShift;
  const tagShift = loop.tagShift;
  const tagMask = <u32>loop.tagMask;
  const setMask = <u32>loop.setMask;
  const foldMask = <u32>loop.foldMask;
  const setBytes = array.setBytes;
  let set = array.sets;
  let time = i32x4.splat(array.time);
  const one = i32x4.splat(1);
  let last = ~load<u64>(from);
  let lows0 = v128.load(set);
  let lows4 = half > 16 ? v128.load(set, 16) : one;
  let lows8 = half > 32 ? v128.load(set, 32) : one;
  let lows12 = half > 48 ? v128.load(set, 48) : one;
  let times0 = v128.load(set + half);
  let times4 = half > 16 ? v128.load(set + half, 16) : one;
  let times8 = half > 32 ? v128.load(set + half, 32) : one;
  let times12 = half > 48 ? v128.load(set + half, 48) : one;
  for (; from < end; from += 8) {
    const item = load<u64>(from);
    if (!((item ^ last) & mask)) continue;
    const tag = <u32>(item >> tagShift) & tagMask;
    if (!isOneSet) {
      const index = (<u32>(item >> indexShift) ^ (tag & foldMask)) & setMask;
      set = array.sets + index * setBytes;
      lows0 = v128.load(set);
      times0 = v128.load(set + half);
      if (half > 16) {
        lows4 = v128.load(set, 16);
        times4 = v128.load(set + half, 16);
      }
      if (half > 32) {
        lows8 = v128.load(set, 32);
        times8 = v128.load(set + half, 32);
      }
      if (half > 48) {
        lows12 = v128.load(set, 48);
        times12 = v128.load(set + half, 48);
      }
    }
    const low = i32x4.splat(tag);
    const ranks0 = v128.or(i32x4.eq(lows0, low), times0);
    const ranks4 = v128.or(i32x4.eq(lows4, low), times4);
    const ranks8 = v128.or(i32x4.eq(lows8, low), times8);
    const ranks12 = v128.or(i32x4.eq(lows12, low), times12);
    let lowest = ranks0;
    if (half > 16) lowest = i32x4.min_s(lowest, ranks4);
    if (half > 32) lowest = i32x4.min_s(lowest, half > 48 ? i32x4.min_s(ranks8, ranks12) : ranks8);
    lowest = i32x4.min_s(lowest, v128.shuffle<i32>(lowest, lowest, 2, 3, 0, 1));
    lowest = i32x4.min_s(lowest, v128.shuffle<i32>(lowest, lowest, 1, 0, 3, 2));
    const rank = i32x4.extract_lane(lowest, 0);
    // An empty way gets a high half, too.
    if (<u32>rank < TIMES_START) break;
    last = item;
    const is0 = i32x4.eq(ranks0, lowest);
    lows0 = v128.bitselect(low, lows0, is0);
    times0 = v128.bitselect(time, times0, is0);
    if (half > 16) {
      const is4 = i32x4.eq(ranks4, lowest);
      lows4 = v128.bitselect(low, lows4, is4);
      times4 = v128.bitselect(time, times4, is4);
    }
    if (half > 32) {
      const is8 = i32x4.eq(ranks8, lowest);
      lows8 = v128.bitselect(low, lows8, is8);
      times8 = v128.bitselect(time, times8, is8);
    }
    if (half > 48) {
      const is12 = i32x4.eq(ranks12, lowest);
      lows12 = v128.bitselect(low, lows12, is12);
      times12 = v128.bitselect(time, times12, is12);
    }
    time = i32x4.add(time, one);
    if (!isOneSet) storeShort(half, set, lows0, lows4, lows8, lows12, times0, times4, times8, times12);
    store<u64>(to, item);
    to += usize(rank >= 0) << 3;
  }
  if (isOneSet) storeShort(half, set, lows0, lows4, lows8, lows12, times0, times4, times8, times12);
  array.time = i32x4.extract_lane(time, 0);
  loop.stop = from;
  return to;
}

// @ts-ignore: decorator
@inline
function storeShort(
  half: u32,
  set: usize,
  lows0: v128,
  lows4: v128,
  lows8: v128,
  lows12: v128,
  times0: v128,
  times4: v128,
  times8: v128,
  times12: v128,
): void {
  v128.store(set, lows0);
  v128.store(set + half, times0);
  if (half > 16) {
    v128.store(set, lows4, 16);
    v128.store(set + half, times4, 16);
  }
  if (half > 32) {
    v128.store(set, lows8, 32);
    v128.store(set + half, times8, 32);
  }
  if (half > 48) {
    v128.store(set, lows12, 48);
    v128.store(set + half, times12, 48);
  }
}

/** Many ways, all held, in the order of their use, in one set. */
function long(array: TagArray, from: usize, end: usize, to: usize): usize {
  const set = array.sets;
  makeRoom(array, set);
  const space = loop.space;
  const tagMask = loop.tagMask;
  const shift = loop.tagShift;
  const buckets = loop.buckets;
  const bucketMask = loop.bucketMask;
  const ring = loop.ring;
  const ringMask = loop.ringMask;
  let head = headOf(set);
  let tail = tailOf(set);
  for (; from < end; from += 8) {
    const item = load<u64>(from);
    const tag = space | ((item >> shift) & tagMask);
    const bucket = bucketOf(buckets, bucketMask, tag);
    const place = load<u32>(bucket);
    let before = place;
    if (place >= tail) {
      const entry = entryAt(ring, ringMask, place);
      if (load<u64>(entry) != tag || head - tail > ringMask) break;
      before = bury(entry);
    } else {
      tail = behindFirst(ring, ringMask, tail);
      store<u64>(to, item);
      to += 8;
    }
    write(ring, ringMask, head, tag, bucket, before);
    head += ENTRY_BYTES;
  }
  setEnds(set, tail, head, liveOf(set));
  loop.stop = from;
  return to;
}

/** One item through any array. */
function accessAny(array: TagArray, placement: Placement, item: u64, to: usize): usize {
  const key = placement.space | ((item & placement.mask) >> placement.shift);
  const dealShift = <u32>placement.dealShift;
  const set = setOf(array, key, dealShift);
  const tag = tagOf(array, key, dealShift);
  const way = find(array, set, tag);
  if (way >= 0) {
    touch(array, set, way);
    return to;
  }
  insert(array, set, tag);
  store<u64>(to, item);
  return to + 8;
}
