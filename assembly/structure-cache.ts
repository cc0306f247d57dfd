// Paging-structure caches (SDM Vol. 3A §4.10.3): PDE, PDPTE, PML4E and PML5E caches, each of a
// chosen size, fully associative, in order of use. An entry holds the table that the paging entry
// names and the rights of all levels so far, so that a walk begins below it. Like real ones they are
// stale until software invalidates: INVLPG drops those of the current PCID, whatever its address.
// Entries with P = 0, A = 0 or a reserved bit set are never cached: only what a walk went through is.
//
//  tag:  63   62…57       56………………12   11…0        a cached entry's address prefix
//       +---+------------+------------+------+
//       | 1 | generation | prefix     | PCID |      0: no entry
//       +---+------------+------------+------+
//  data: table (bits 51:12) | rights U, W, X (bits 2:0)

import {
  COUNT_STRUCTURE_HITS,
  CPU_LOOKASIDE,
  LEVEL_PD,
  LOOKASIDE_ENTRIES,
  LOOKASIDE_ENTRY_SHIFT,
  STRUCTURE_ENTRIES_MAX,
  STRUCTURE_LEVELS,
} from "./layout";
import { ADDRESS, levelShift } from "./entry";
import { Cpu, count } from "./cpu";

const ENTRY_BYTES: u32 = 16;
const VALID: u64 = (<u64>1) << 63;
const PREFIX_MASK: u64 = 0x01ff_ffff_ffff_f000;
const PCID_MASK: u64 = 0xfff;
/** The number of entries of each level's cache, u32 each, then the entries. */
const SIZES: u32 = CPU_LOOKASIDE + (LOOKASIDE_ENTRIES << LOOKASIDE_ENTRY_SHIFT);
const ENTRIES: u32 = SIZES + 16;
const CACHE_BYTES: u32 = STRUCTURE_ENTRIES_MAX * ENTRY_BYTES;
/** Where the caches end, from the start of a CPU. */
export const STRUCTURE_CACHES_END: u32 = ENTRIES + STRUCTURE_LEVELS * CACHE_BYTES;

/** Where the walk begins: set by `structureLookup`. */
export let startTable: u64 = 0;
export let startRights: u64 = 0;

function sizeAddress(cpu: Cpu, level: u32): usize {
  return changetype<usize>(cpu) + SIZES + ((level - LEVEL_PD) << 2);
}

function cacheAddress(cpu: Cpu, level: u32): usize {
  return changetype<usize>(cpu) + ENTRIES + (level - LEVEL_PD) * CACHE_BYTES;
}

/** Sets how many entries of `level` (2 to 5) are cached. Precondition: all caches are empty. */
export function setStructureEntries(cpu: Cpu, level: u32, nrEntries: u32): void {
  cpu.nrStructureEntries += nrEntries - load<u32>(sizeAddress(cpu, level));
  store<u32>(sizeAddress(cpu, level), nrEntries);
}

function tagOf(cpu: Cpu, va: u64, level: u32): u64 {
  const prefix = va & PREFIX_MASK & ~(((<u64>1) << levelShift(level)) - 1);
  return VALID | prefix | cpu.tlbContext;
}

/** Moves what precedes `entry` one place down and writes the pair at the front. */
function putFirst(first: usize, entry: usize, tag: u64, data: u64): void {
  for (; entry > first; entry -= ENTRY_BYTES) v128.store(entry, v128.load(entry - ENTRY_BYTES));
  store<u64>(first, tag);
  store<u64>(first, data, 8);
}

/** Where the entry of `level` for `va` is cached; 0: nowhere. */
function find(cpu: Cpu, va: u64, level: u32): usize {
  const first = cacheAddress(cpu, level);
  const end = first + load<u32>(sizeAddress(cpu, level)) * ENTRY_BYTES;
  const tag = tagOf(cpu, va, level);
  for (let entry = first; entry < end; entry += ENTRY_BYTES) {
    if (load<u64>(entry) == tag) return entry;
  }
  return 0;
}

/**
 * The level of the lowest cached entry for `va`, whose table and rights are then in `startTable`
 * and `startRights`; 0 if none is cached.
 */
export function structureLookup(cpu: Cpu, va: u64): u32 {
  for (let level: u32 = LEVEL_PD; level <= cpu.topLevel; level++) {
    const entry = find(cpu, va, level);
    if (!entry) continue;
    const data = load<u64>(entry, 8);
    putFirst(cacheAddress(cpu, level), entry, load<u64>(entry), data);
    startTable = data & ADDRESS;
    startRights = data & 7;
    count(cpu, COUNT_STRUCTURE_HITS + level - LEVEL_PD);
    return level;
  }
  return 0;
}

/** As `structureLookup`, without a trace: the table is then in `peekedStructure`. */
export function structurePeek(cpu: Cpu, va: u64): u32 {
  for (let level: u32 = LEVEL_PD; level <= cpu.topLevel; level++) {
    const entry = find(cpu, va, level);
    if (!entry) continue;
    peekedStructure = load<u64>(entry, 8) & ADDRESS;
    return level;
  }
  return 0;
}
export let peekedStructure: u64 = 0;

/** Caches the entry of `level` that a walk went through. */
export function structureFill(cpu: Cpu, va: u64, level: u32, table: u64, rights: u64): void {
  const nrEntries = load<u32>(sizeAddress(cpu, level));
  if (!nrEntries) return;
  const first = cacheAddress(cpu, level);
  const last = first + (nrEntries - 1) * ENTRY_BYTES;
  const tag = tagOf(cpu, va, level);
  let entry = first;
  while (entry < last && load<u64>(entry) != tag) entry += ENTRY_BYTES;
  putFirst(first, entry, tag, table | rights);
}

/** Drops the entries of one PCID, or with `allPcids` of every one. */
export function structureDrop(cpu: Cpu, pcid: u64, allPcids: bool): void {
  if (!cpu.nrStructureEntries) return;
  for (let level: u32 = LEVEL_PD; level < <u32>(LEVEL_PD + STRUCTURE_LEVELS); level++) {
    const first = cacheAddress(cpu, level);
    const end = first + load<u32>(sizeAddress(cpu, level)) * ENTRY_BYTES;
    for (let entry = first; entry < end; entry += ENTRY_BYTES) {
      if (allPcids || (load<u64>(entry) & PCID_MASK) == pcid) store<u64>(entry, 0);
    }
  }
}

/** Drops the entries that a walk of `va` would begin at, as a page fault does (§4.10.4.1). */
export function structureDropAddress(cpu: Cpu, va: u64): void {
  for (let level: u32 = LEVEL_PD; level <= cpu.topLevel; level++) {
    const entry = find(cpu, va, level);
    if (entry) store<u64>(entry, 0);
  }
}
