// Lines of valgrind's lackey (src/trace/lackey.ts) to references, four times as fast as JavaScript:
// the digits of an address are judged and joined sixteen at a time. Only lines of the usual form are
// read: whoever calls reads a line at which this stops, be it a comment, broken, or just rare.

import {
  KIND_FETCH,
  KIND_READ,
  KIND_WRITE,
  REFERENCE_KIND_SHIFT,
  REFERENCE_SIZE_SHIFT,
} from "./layout";

// The first three bytes of a line.
const INSTRUCTION: u32 = 0x202049; // "I  "
const LOAD: u32 = 0x204c20; // " L "
const STORE: u32 = 0x205320; // " S "
const MODIFY: u32 = 0x204d20; // " M "
const COLUMN: usize = 3;

const NEWLINE: u32 = 10;
const COMMA: u32 = 44;
const ZERO: u32 = 48;
/** So many digits are canonical without a look at them. */
const DIGITS_MAX: u32 = 14;
const SIZE_MAX: u32 = 16;

let stoppedAt: usize = 0;
let nrLines: u32 = 0;

/** Where `parseLackey` stopped: at `end`, at a line it does not read, or for want of room. */
export function lackeyStoppedAt(): usize {
  return stoppedAt;
}

/** How many lines it read. */
export function lackeyLines(): u32 {
  return nrLines;
}

/**
 * Reads the lines from `from` to `end`, which are whole; 16 bytes behind `end` can be loaded. Writes
 * words to `to`, at most `room`, and returns how many.
 */
export function parseLackey(from: usize, end: usize, to: usize, room: u32): u32 {
  let at = from;
  let out = to;
  let count: u32 = 0;
  // A line makes two words at most.
  const outEnd = to + ((<usize>room - 1) << 3);
  while (at < end && out < outEnd) {
    const text = v128.load(at + COLUMN);
    const decimals = i8x16.sub(text, i8x16.splat(<i8>ZERO));
    const letters = i8x16.sub(v128.or(text, i8x16.splat(0x20)), i8x16.splat(97));
    const isDecimal = i8x16.lt_u(decimals, i8x16.splat(10));
    const isLetter = i8x16.lt_u(letters, i8x16.splat(6));
    const length = <u32>ctz(~i8x16.bitmask(v128.or(isDecimal, isLetter)));
    if (length - 1 >= DIGITS_MAX) break;
    const comma = at + COLUMN + length;
    if (load<u8>(comma) != COMMA) break;

    let size = <u32>load<u8>(comma, 1) - ZERO;
    if (size > 9) break;
    let next = comma + 2;
    let byte = <u32>load<u8>(next);
    if (byte != NEWLINE) {
      if (byte - ZERO > 9) break;
      size = size * 10 + (byte - ZERO);
      if (load<u8>(next, 1) != NEWLINE) break;
      next++;
    }
    if (size - 1 >= SIZE_MAX) break;

    // Digits to values, to the right end, in pairs, and turned round.
    const values = v128.bitselect(decimals, i8x16.add(letters, i8x16.splat(10)), isDecimal);
    const places = i8x16.add(
      i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
      i8x16.splat(<i8>length - 16),
    );
    const right = i8x16.swizzle(values, places);
    const pairs = v128.or(i16x8.shl(right, 4), i16x8.shr_u(right, 8));
    const turned = i8x16.swizzle(
      pairs,
      i8x16(14, 12, 10, 8, 6, 4, 2, 0, -1, -1, -1, -1, -1, -1, -1, -1),
    );
    const word = <u64>i64x2.extract_lane(turned, 0) | ((<u64>(size - 1)) << REFERENCE_SIZE_SHIFT);

    const start = load<u32>(at) & 0xffffff;
    if (start == MODIFY) {
      store<u64>(out, word | ((<u64>KIND_READ) << REFERENCE_KIND_SHIFT));
      store<u64>(out, word | ((<u64>KIND_WRITE) << REFERENCE_KIND_SHIFT), 8);
      out += 16;
    } else {
      const isInstruction = start == INSTRUCTION;
      const isStore = start == STORE;
      if (!(<i32>isInstruction | <i32>isStore | <i32>(start == LOAD))) break;
      // A reckoning, not a branch: which kind comes next nobody can predict.
      const kind = <u64>isInstruction * KIND_FETCH + <u64>isStore * KIND_WRITE;
      store<u64>(out, word | (kind << REFERENCE_KIND_SHIFT));
      out += 8;
    }
    count++;
    at = next + 1;
  }
  stoppedAt = at;
  nrLines = count;
  return <u32>(out - to) >> 3;
}
