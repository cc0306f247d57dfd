// Physical memory. RAM is a directory of 2M sections, one u32 a section: the linear address of
// its backing. A section that was never written shares one section of zeros, so reads need no
// branch for it; the first write backs it. Beyond RAM is open bus: loads give all ones, stores
// go nowhere.

import { SECTION_SHIFT, STATUS_DONE, STATUS_NO_BACKING } from "./layout";
import { lookasideDropEverywhere } from "./lookaside";

const SECTION_BYTES: u32 = 1 << SECTION_SHIFT;
const SECTION_MASK: u64 = SECTION_BYTES - 1;

let directory: usize = 0;
let zeroSection: u32 = 0;
/** Physical bytes; addresses at or above it are open bus. */
export let ramBytes: u64 = 0;
/** Backing never handed out so far, from here to `backingEnd`: it reads as zeros. */
let backingNext: u32 = 0;
let backingEnd: u32 = 0;
/** Sections given back, linked through their first word. Their contents are old. */
let freeSection: u32 = 0;
let sectionsBacked: u32 = 0;

/** End of the linear memory that was ever written. */
export function ramUsedEnd(): usize {
  return backingNext;
}

/** What of RAM's state is not in linear memory: next, free and number of backed sections. */
export function ramState(index: u32): u32 {
  return index == 0 ? backingNext : index == 1 ? freeSection : sectionsBacked;
}
export function setRamState(index: u32, value: u32): void {
  if (index == 0) backingNext = value;
  else if (index == 1) freeSection = value;
  else sectionsBacked = value;
}

/** Lays RAM out from `base` to `end` (linear); returns false if there is no room at all. */
export function ramInit(base: usize, end: usize, bytes: u64): bool {
  const nrSections = bytes >> SECTION_SHIFT;
  ramBytes = bytes;
  directory = base;
  const directoryEnd = <u64>base + (nrSections << 2);
  const first = (directoryEnd + SECTION_MASK) & ~SECTION_MASK;
  if (first + 2 * <u64>SECTION_BYTES > <u64>end) return false;
  zeroSection = <u32>first;
  backingNext = zeroSection + SECTION_BYTES;
  backingEnd = <u32>(<u64>end & ~SECTION_MASK);
  freeSection = 0;
  sectionsBacked = 0;
  for (let i: u64 = 0; i < nrSections; i++) store<u32>(directory + ((<usize>i) << 2), zeroSection);
  return true;
}

/** Linear address of a physical one. Precondition: `pa < ramBytes`. Read only, unless backed. */
export function linear(pa: u64): usize {
  return load<u32>(directory + ((<usize>(pa >> SECTION_SHIFT)) << 2)) + <u32>(pa & SECTION_MASK);
}

export function isBacked(pa: u64): bool {
  return load<u32>(directory + ((<usize>(pa >> SECTION_SHIFT)) << 2)) != zeroSection;
}

/** Backs the section of `pa`. `willBeOverwritten`: the caller writes all of it, so it is not cleared. */
export function back(pa: u64, willBeOverwritten: bool): i32 {
  const slot = directory + ((<usize>(pa >> SECTION_SHIFT)) << 2);
  if (load<u32>(slot) != zeroSection) return STATUS_DONE;
  let section = freeSection;
  if (section) {
    freeSection = load<u32>(section);
    if (!willBeOverwritten) memory.fill(section, 0, SECTION_BYTES);
  } else if (backingNext < backingEnd) {
    section = backingNext;
    backingNext += SECTION_BYTES;
  } else {
    return STATUS_NO_BACKING;
  }
  store<u32>(slot, section);
  sectionsBacked++;
  lookasideDropEverywhere();
  return STATUS_DONE;
}

/** Gives the backing of the section of `pa` back: it reads as zeros from now on. */
export function unback(pa: u64): void {
  const slot = directory + ((<usize>(pa >> SECTION_SHIFT)) << 2);
  const section = load<u32>(slot);
  if (section == zeroSection) return;
  store<u32>(section, freeSection);
  freeSection = section;
  store<u32>(slot, zeroSection);
  sectionsBacked--;
  lookasideDropEverywhere();
}

export function nrSectionsBacked(): u32 {
  return sectionsBacked;
}

/** An entry of a paging structure. Precondition: `pa` is a multiple of 8. */
export function loadEntry(pa: u64): u64 {
  return pa < ramBytes ? load<u64>(linear(pa)) : ~(<u64>0);
}

/** Rewrites an entry that was read as not zero: its section is backed, or it is open bus. */
export function storeEntry(pa: u64, entry: u64): void {
  if (pa < ramBytes) store<u64>(linear(pa), entry);
}

/** 1 to 8 bytes, little-endian. May cross sections and the end of RAM. */
export function ramLoad(pa: u64, nrBytes: u32): u64 {
  let value: u64 = 0;
  for (let i: u32 = 0; i < nrBytes; i++) {
    const at = pa + i;
    const byte: u64 = at < ramBytes ? load<u8>(linear(at)) : 0xff;
    value |= byte << (i << 3);
  }
  return value;
}

/** 1 to 8 bytes, little-endian; all of them or none. */
export function ramStore(pa: u64, nrBytes: u32, value: u64): i32 {
  const last = pa + nrBytes - 1;
  if (pa < ramBytes && back(pa, false) != STATUS_DONE) return STATUS_NO_BACKING;
  if (last < ramBytes && back(last, false) != STATUS_DONE) return STATUS_NO_BACKING;
  for (let i: u32 = 0; i < nrBytes; i++) {
    const at = pa + i;
    if (at < ramBytes) store<u8>(linear(at), <u8>(value >> (i << 3)));
  }
  return STATUS_DONE;
}
