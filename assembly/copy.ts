// Zeroing and copying a frame of 4K, 2M or 1G. Sections that hold only zeros have no backing:
// zeroing a 2M or 1G frame gives its sections back, and copying one touches only what is there.
// Preconditions: frames are aligned to their size and lie in RAM.

import { LEVEL_PT, LEVEL_PD, PAGE_SHIFT, SECTION_SHIFT, STATUS_DONE } from "./layout";
import { back, isBacked, linear, unback } from "./ram";

const PAGE_BYTES: usize = 1 << PAGE_SHIFT;
const SECTION_BYTES: usize = 1 << SECTION_SHIFT;
const SECTIONS_OF_1G: u32 = 512;

function nrSections(level: u32): u32 {
  return level == LEVEL_PD ? 1 : SECTIONS_OF_1G;
}

export function zeroFrame(pa: u64, level: u32): void {
  if (level == LEVEL_PT) {
    if (isBacked(pa)) memory.fill(linear(pa), 0, PAGE_BYTES);
    return;
  }
  const count = nrSections(level);
  for (let i: u32 = 0; i < count; i++) unback(pa + ((<u64>i) << SECTION_SHIFT));
}

export function copyFrame(to: u64, from: u64, level: u32): i32 {
  if (level == LEVEL_PT) {
    if (!isBacked(from) && !isBacked(to)) return STATUS_DONE;
    const status = back(to, false);
    if (status == STATUS_DONE) memory.copy(linear(to), linear(from), PAGE_BYTES);
    return status;
  }
  const count = nrSections(level);
  for (let i: u32 = 0; i < count; i++) {
    const offset = (<u64>i) << SECTION_SHIFT;
    if (!isBacked(from + offset)) {
      unback(to + offset);
      continue;
    }
    const status = back(to + offset, true);
    if (status != STATUS_DONE) return status;
    memory.copy(linear(to + offset), linear(from + offset), SECTION_BYTES);
  }
  return STATUS_DONE;
}
