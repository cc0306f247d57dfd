// Addresses that need attention: device memory (MMIO) by physical address, watchpoints by virtual
// address, and the log of pages that were written. A page that holds one is never in the lookaside
// for the kinds of access that matter, so an access elsewhere pays nothing.

import { PAGE_SHIFT, RANGES_MAX, RANGE_BYTES } from "./layout";

const PAGE_BYTES: u64 = 1 << PAGE_SHIFT;
const EVERY_KIND: u32 = 7;

let mmioRanges: usize = 0;
let watchRanges: usize = 0;
export let nrMmio: u32 = 0;
export let nrWatches: u32 = 0;
/** One bit a 4K page of RAM; 0: no log is kept. */
let dirtyLog: usize = 0;

/** Bytes of the two tables of ranges. */
export const RANGES_BYTES: u32 = 2 * RANGES_MAX * RANGE_BYTES;

export function rangesInit(tables: usize, log: usize): void {
  mmioRanges = tables;
  watchRanges = tables + RANGES_MAX * RANGE_BYTES;
  nrMmio = 0;
  nrWatches = 0;
  dirtyLog = log;
}

/** Where the caller writes the ranges of a kind, before it sets their number. */
export function rangesAddress(isWatch: bool): usize {
  return isWatch ? watchRanges : mmioRanges;
}

export function dirtyLogAddress(): usize {
  return dirtyLog;
}

export function setRanges(isWatch: bool, count: u32): void {
  if (isWatch) nrWatches = count;
  else nrMmio = count;
}

function meets(ranges: usize, count: u32, start: u64, end: u64, kinds: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const at = ranges + i * RANGE_BYTES;
    const from = <u64>(<i64>load<f64>(at));
    const to = <u64>(<i64>load<f64>(at, 8));
    if (start < to && from < end && load<u32>(at, 16) & kinds) return true;
  }
  return false;
}

/** Whether [pa, pa + nrBytes) meets device memory. */
export function isMmio(pa: u64, nrBytes: u64): bool {
  return nrMmio != 0 && meets(mmioRanges, nrMmio, pa, pa + nrBytes, EVERY_KIND);
}

/** Whether an access of `kind` (read, write or fetch) to [va, va + nrBytes) is watched. */
export function isWatched(va: u64, nrBytes: u64, kind: u32): bool {
  return nrWatches != 0 && meets(watchRanges, nrWatches, va, va + nrBytes, 1 << kind);
}

/** The kinds, by bit, that may be served without a look: the 4K page of `va` and `pa`. */
export function kindsWithoutAttention(va: u64, pa: u64): u32 {
  if (isMmio(pa, PAGE_BYTES)) return 0;
  let kinds = EVERY_KIND;
  if (nrWatches) {
    for (let kind: u32 = 0; kind < 3; kind++) {
      if (isWatched(va, PAGE_BYTES, kind)) kinds &= ~(1 << kind);
    }
  }
  // The first write to a page has to be logged.
  return dirtyLog && !isLogged(pa) ? kinds & ~2 : kinds;
}

function isLogged(pa: u64): bool {
  const page = pa >> PAGE_SHIFT;
  return ((load<u8>(dirtyLog + <usize>(page >> 3)) >> (<u8>page & 7)) & 1) != 0;
}

/** Logs a write. Precondition: `pa` is in RAM. */
export function logWrite(pa: u64): void {
  if (!dirtyLog) return;
  const page = pa >> PAGE_SHIFT;
  const at = dirtyLog + <usize>(page >> 3);
  store<u8>(at, load<u8>(at) | (1 << (<u8>page & 7)));
}
