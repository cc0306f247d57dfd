// Operations on page tables over a range of addresses, as a kernel needs them. They change tables
// only: invalidating what CPUs have cached is the caller's duty. Tables come from a stock of
// frames that the caller gives and that freed tables return to.
//
// A range operation that cannot go on says why (a status) and leaves in `next` where to go on.

import {
  LEAF_ACCESSED,
  LEAF_BYTES,
  LEAF_DIRTY,
  LEAF_KEPT,
  LEAF_WRITABLE,
  LEVEL_BITS,
  LEVEL_PML4,
  LEVEL_PT,
  RIGHTS_NONE,
  STATUS_DONE,
  STATUS_LEAF_IN_THE_WAY,
  STATUS_NEEDS_TABLE,
  STATUS_NO_BACKING,
  STATUS_OUTPUT_FULL,
} from "./layout";
import {
  A,
  ADDRESS,
  D,
  P,
  PS,
  W,
  encodeLeaf,
  encodeTable,
  leafFrame,
  levelShift,
  withRights,
} from "./entry";
import { back, linear, loadEntry, storeEntry } from "./ram";
import { zeroFrame } from "./copy";

/** Where a range operation stopped. */
export let next: u64 = 0;
/** Leaf records that the last range operation wrote. */
export let nrLeaves: u32 = 0;

/** First frame of the stock, linked through the frames' first words; 0 is none. */
let stock: u64 = 0;
let nrInStock: u32 = 0;

/** Forgets the stock: RAM starts anew. */
export function emptyStock(): void {
  stock = 0;
  nrInStock = 0;
}

/** The stock, as a snapshot saves it: its first frame, and how many. */
export function stockState(index: u32): f64 {
  return index == 0 ? <f64>stock : nrInStock;
}
export function setStockState(index: u32, value: u64): void {
  if (index == 0) stock = value;
  else nrInStock = <u32>value;
}

/** Gives a frame for tables. Precondition: 4K-aligned, in RAM, not frame 0, used by nobody. */
export function giveTable(pa: u64): i32 {
  if (back(pa, false) != STATUS_DONE) return STATUS_NO_BACKING;
  store<u64>(linear(pa), stock);
  stock = pa;
  nrInStock++;
  return STATUS_DONE;
}

/** Takes a frame out of the stock, zeroed; 0 if there is none. */
export function takeTable(): u64 {
  const pa = stock;
  if (!pa) return 0;
  stock = load<u64>(linear(pa));
  nrInStock--;
  zeroFrame(pa, LEVEL_PT);
  return pa;
}

export function nrTablesInStock(): u32 {
  return nrInStock;
}

function entryAddress(table: u64, va: u64, level: u32): u64 {
  return table + ((va >> (levelShift(level) - 3)) & 0xff8);
}

function isKeptLeaf(entry: u64, level: u32): bool {
  return level == LEVEL_PT ? entry != 0 : (entry & PS) != 0;
}

function roundDown(va: u64, level: u32): u64 {
  return va & ~(((<u64>1) << levelShift(level)) - 1);
}

/** Where a descent ended. */
let foundAddress: u64 = 0;
let foundEntry: u64 = 0;
let foundLevel: u32 = 0;

/** Descends to the leaf that maps `va`, or to the empty entry that ends the way: true for a leaf. */
function descend(root: u64, va: u64): bool {
  let table = root;
  let level: u32 = LEVEL_PML4;
  while (true) {
    foundAddress = entryAddress(table, va, level);
    foundEntry = loadEntry(foundAddress);
    foundLevel = level;
    if (isKeptLeaf(foundEntry, level)) return true;
    if (!(foundEntry & P)) return false;
    table = foundEntry & ADDRESS;
    level--;
  }
}

/** Writes a leaf record (layout.ts). */
function record(out: usize, va: u64): void {
  let flags = foundLevel;
  if (foundEntry & W) flags |= LEAF_WRITABLE;
  if (foundEntry & D) flags |= LEAF_DIRTY;
  if (foundEntry & A) flags |= LEAF_ACCESSED;
  if (!(foundEntry & P)) flags |= LEAF_KEPT;
  const at = out + nrLeaves * LEAF_BYTES;
  store<f64>(at, <f64>(<i64>roundDown(va, foundLevel)));
  store<f64>(at, <f64>leafFrame(foundEntry, foundLevel), 8);
  store<f64>(at, <f64>flags, 16);
  nrLeaves++;
}

/** The leaf that maps `va`: a record at `out`, and whether there is one. */
export function lookup(root: u64, va: u64, out: usize): bool {
  nrLeaves = 0;
  const isMapped = descend(root, va);
  if (isMapped) record(out, va);
  return isMapped;
}

/** Makes the tables that lead to the entry of `va` at `level`, down to the one that holds it. */
export function ensureTable(root: u64, va: u64, level: u32): i32 {
  let table = root;
  for (let at: u32 = LEVEL_PML4; at > level; at--) {
    const address = entryAddress(table, va, at);
    let entry = loadEntry(address);
    if (isKeptLeaf(entry, at)) return STATUS_LEAF_IN_THE_WAY;
    if (!(entry & P)) {
      const frame = takeTable();
      if (!frame) return STATUS_NEEDS_TABLE;
      entry = encodeTable(frame);
      storeEntry(address, entry);
    }
    table = entry & ADDRESS;
  }
  holder = table;
  return STATUS_DONE;
}

/** What `ensureTable` ended at. */
let holder: u64 = 0;

/** The table that holds the entry of `va` at `level`; 0 if there is none. */
export function tableAt(root: u64, va: u64, level: u32): u64 {
  let table = root;
  for (let at: u32 = LEVEL_PML4; at > level; at--) {
    const entry = loadEntry(entryAddress(table, va, at));
    if (!(entry & P) || isKeptLeaf(entry, at)) return 0;
    table = entry & ADDRESS;
  }
  return table;
}

/** Makes `table` the one that holds the entry of `va` at `level`. Precondition: there is none. */
export function linkTable(root: u64, va: u64, level: u32, table: u64): i32 {
  const status = ensureTable(root, va, level + 1);
  if (status == STATUS_DONE) storeEntry(entryAddress(holder, va, level + 1), encodeTable(table));
  return status;
}

/** Takes the table that holds the entry of `va` at `level` out of the way. It is not freed. */
export function unlinkTable(root: u64, va: u64, level: u32): void {
  const above = tableAt(root, va, level + 1);
  if (above) storeEntry(entryAddress(above, va, level + 1), 0);
}

/** Maps `count` pages of `level` from `va` to consecutive frames from `pa`; replaces old leaves. */
export function install(root: u64, va: u64, level: u32, pa: u64, count: u32, rights: u32): i32 {
  const bytes = (<u64>1) << levelShift(level);
  next = va;
  for (let i: u32 = 0; i < count; i++) {
    const status = ensureTable(root, next, level);
    if (status != STATUS_DONE) return status;
    const address = entryAddress(holder, next, level);
    const old = loadEntry(address);
    if (old & P && !isKeptLeaf(old, level)) return STATUS_LEAF_IN_THE_WAY;
    storeEntry(address, encodeLeaf(pa + i * bytes, level, rights));
    next += bytes;
  }
  return STATUS_DONE;
}

const VISIT_REMOVE: u32 = 0;
const VISIT_PROTECT: u32 = 1;
const VISIT_SHARE: u32 = 2;
const VISIT_LIST: u32 = 3;

/** Does one thing to each leaf of [start, end). A leaf that the range cuts stops it. */
function visit(
  root: u64,
  start: u64,
  end: u64,
  what: u32,
  rights: u32,
  child: u64,
  out: usize,
  capacity: u32,
): i32 {
  nrLeaves = 0;
  next = start;
  while (next < end) {
    const isMapped = descend(root, next);
    const span = (<u64>1) << levelShift(foundLevel);
    const first = roundDown(next, foundLevel);
    if (isMapped) {
      if (first < next || end - first < span) return STATUS_LEAF_IN_THE_WAY;
      if (what != VISIT_PROTECT && nrLeaves == capacity) return STATUS_OUTPUT_FULL;
      const address = foundAddress;
      const entry = foundEntry;
      if (what == VISIT_REMOVE) {
        storeEntry(address, 0);
      } else if (what == VISIT_PROTECT) {
        storeEntry(address, withRights(entry, foundLevel, rights));
      } else if (what == VISIT_SHARE) {
        const level = foundLevel;
        const status = install(child, first, level, leafFrame(entry, level), 1, RIGHTS_NONE);
        if (status != STATUS_DONE) {
          next = first;
          return status;
        }
        const shared = entry & ~W;
        storeEntry(address, shared);
        descend(child, first);
        storeEntry(foundAddress, shared & ~(A | D));
        foundEntry = entry;
      }
      if (what != VISIT_PROTECT) record(out, first);
    }
    next = first + span;
    if (!next) break;
  }
  return STATUS_DONE;
}

/** Empties the leaves of [start, end) and records them at `out`. */
export function remove(root: u64, start: u64, end: u64, out: usize, capacity: u32): i32 {
  return visit(root, start, end, VISIT_REMOVE, 0, 0, out, capacity);
}

/** Gives the leaves of [start, end) other rights. */
export function protect(root: u64, start: u64, end: u64, rights: u32): i32 {
  return visit(root, start, end, VISIT_PROTECT, rights, 0, 0, 0);
}

/** Copies the leaves of [start, end) to another root, write-protected on both sides (fork). */
export function share(root: u64, child: u64, start: u64, end: u64, out: usize, capacity: u32): i32 {
  return visit(root, start, end, VISIT_SHARE, 0, child, out, capacity);
}

/** Records the leaves of [start, end). */
export function list(root: u64, start: u64, end: u64, out: usize, capacity: u32): i32 {
  return visit(root, start, end, VISIT_LIST, 0, 0, out, capacity);
}

/** Frees the tables below `table` that lie wholly in [floor, ceiling). Precondition: no leaf there. */
function freeBelow(table: u64, level: u32, base: u64, floor: u64, ceiling: u64): void {
  if (level == LEVEL_PT) return;
  const span = (<u64>1) << levelShift(level);
  for (let i: u64 = 0; i < 1 << LEVEL_BITS; i++) {
    const first = base + i * span;
    if (first >= ceiling) return;
    if (first + span <= floor) continue;
    const address = table + (i << 3);
    const entry = loadEntry(address);
    if (!(entry & P) || isKeptLeaf(entry, level)) continue;
    const below = entry & ADDRESS;
    freeBelow(below, level - 1, first, floor, ceiling);
    if (first >= floor && first + span <= ceiling) {
      storeEntry(address, 0);
      giveTable(below);
    }
  }
}

/** Frees the tables that serve only [floor, ceiling), a gap between mappings of the lower half. */
export function freeTables(root: u64, floor: u64, ceiling: u64): void {
  freeBelow(root, LEVEL_PML4, 0, floor, ceiling);
}
