// The whole ABI on one page. Addresses that come from JavaScript are f64: exact for user addresses
// and, as negative numbers, for the canonical upper half of 4-level paging; a BigInt argument costs
// more than the access. `…64` takes the full i64. A CPU is its linear address (`cpu`).

import { ABI_VERSION, EXCHANGE_BYTES, STATUS_DONE, TLB_ARRAYS } from "./layout";
import { Cpu, accessOf, canonicalFault, cpuReset, isCanonical, setAc } from "./cpu";
import { access as accessVirtual, accessSlow, loadVirtual, storeVirtual } from "./access";
import { lookasideDrop, lookasideDropEverywhere, lookasideInit } from "./lookaside";
import { back, linear, ramInit, ramLoad as loadPhysical, ramStore as storePhysical } from "./ram";
import { ramState, ramUsedEnd, setRamState } from "./ram";
import { RANGES_BYTES, rangesAddress as addressOfRanges, rangesInit } from "./ranges";
import { dirtyLogAddress as addressOfLog, setRanges as setRangesOf } from "./ranges";
import {
  peekedStructure,
  setStructureEntries as setStructures,
  structurePeek,
} from "./structure-cache";
import { tlbInit, tlbPeek } from "./tlb";
import { translated, walk } from "./walk";
import {
  addressOf,
  flushAll,
  invalidatePage as invlpg,
  invalidatePcid as invpcid,
  invalidateRange as dropRange,
  registersChanged as registersWritten,
  setMode,
  writeCr3 as movToCr3,
} from "./translate";
import { copyFrame as copy, zeroFrame as zero } from "./copy";
import * as tables from "./tables";
export { nrSectionsBacked } from "./ram";
export { nrTablesInStock } from "./tables";
export { replay, translateBatch, walkBatch } from "./replay";
export { lackeyLines, lackeyStoppedAt, parseLackey } from "./lackey";

let exchange: usize = 0;
let firstCpu: usize = 0;
let cpuBytes: u32 = 0;

export function abiVersion(): u32 {
  return ABI_VERSION;
}

// ---- Machine

/** Where the TLB geometry (sets, ways: u32 each, by array) is written before `init`. */
export function geometryAddress(): usize {
  return __heap_base;
}

/**
 * Lays the machine out: exchange area, CPUs, RAM's directory, RAM's backing up to `linearBytes`.
 * False if RAM's directory does not fit. A second call with the same arguments starts anew.
 */
export function init(ramBytes: f64, nrCpus: u32, linearBytes: f64, hasDirtyLog: bool): bool {
  exchange = (__heap_base + (TLB_ARRAYS << 3) + 4095) & ~4095;
  firstCpu = exchange + EXCHANGE_BYTES + RANGES_BYTES;
  if (ramUsedEnd() > exchange) memory.fill(exchange, 0, ramUsedEnd() - exchange);
  tables.emptyStock();
  cpuBytes = (tlbInit(changetype<Cpu>(firstCpu), geometryAddress()) + 4095) & ~4095;
  const log = firstCpu + nrCpus * cpuBytes;
  const logBytes = hasDirtyLog ? ramBytes / PAGES_BITS : 0;
  if (<f64>log + logBytes > linearBytes) return false;
  rangesInit(exchange + EXCHANGE_BYTES, hasDirtyLog ? log : 0);
  if (!ramInit(log + <usize>logBytes, <usize>linearBytes, <u64>ramBytes)) return false;
  lookasideInit(firstCpu, cpuBytes, nrCpus);
  for (let i: u32 = 0; i < nrCpus; i++) {
    const cpu = changetype<Cpu>(cpuAddress(i));
    tlbInit(cpu, geometryAddress());
    cpuReset(cpu);
    lookasideDrop(cpuAddress(i));
    setMode(cpu);
  }
  return true;
}
/** Bytes of RAM that a byte of the log of written pages stands for. */
const PAGES_BITS: f64 = 4096 * 8;

/**
 * What of the machine's state is not in linear memory, by index; the caller saves it with the bytes
 * up to `usedEnd` and sets it when those are back.
 */
export function getState(index: u32): f64 {
  return index < NR_RAM_STATE ? ramState(index) : tables.stockState(index - NR_RAM_STATE);
}
export function setState(index: u32, value: f64): void {
  if (index < NR_RAM_STATE) setRamState(index, <u32>value);
  else tables.setStockState(index - NR_RAM_STATE, <u64>value);
  lookasideDropEverywhere();
}
const NR_RAM_STATE: u32 = 3;
/** Linear memory beyond this was never written. */
export function usedEnd(): usize {
  return ramUsedEnd();
}

/** Where the ranges of MMIO or watchpoints are written (layout.ts), before `setRanges`. */
export function rangesAddress(isWatch: bool): usize {
  return addressOfRanges(isWatch);
}
export function setRanges(isWatch: bool, count: u32): void {
  setRangesOf(isWatch, count);
  lookasideDropEverywhere();
}
/** The log of written pages: a bit a 4K page; 0 if none is kept. */
export function dirtyLogAddress(): usize {
  return addressOfLog();
}
/** Bits of the log were cleared: the next write to each page is to be logged again. */
export function dirtyLogCleared(): void {
  lookasideDropEverywhere();
}

/** Linear address of CPU `index`. */
export function cpuAddress(index: u32): usize {
  return firstCpu + index * cpuBytes;
}

/** Linear address of EXCHANGE_BYTES that callers put batches in and take results from. */
export function exchangeAddress(): usize {
  return exchange;
}

// ---- Physical memory

export function ramLoad(pa: f64, nrBytes: u32): u64 {
  return loadPhysical(<u64>pa, nrBytes);
}
export function ramStore(pa: f64, nrBytes: u32, value: u64): i32 {
  return storePhysical(<u64>pa, nrBytes, value);
}
export function zeroFrame(pa: f64, level: u32): void {
  zero(<u64>pa, level);
}
export function copyFrame(to: f64, from: f64, level: u32): i32 {
  return copy(<u64>to, <u64>from, level);
}

/** Linear address of `pa` for reading; its section ends where the next multiple of 2M is. */
export function linearForRead(pa: f64): usize {
  return linear(<u64>pa);
}
/** The same for writing; 0 if nothing is left to back it. */
export function linearForWrite(pa: f64): usize {
  return back(<u64>pa, false) == STATUS_DONE ? linear(<u64>pa) : 0;
}

// ---- Registers and invalidation

/** The caller has written CR0, CR4, EFER or features in the CPU's fields. */
export function registersChanged(cpu: Cpu, dropsTlb: bool): void {
  registersWritten(cpu, dropsTlb);
}
export function writeCr3(cpu: Cpu, value: u64): void {
  movToCr3(cpu, value);
}
export function setPrivilege(cpu: Cpu, cpl: u32): void {
  cpu.cpl = cpl;
  setMode(cpu);
}
/** RFLAGS.AC */
export function setAlignmentCheck(cpu: Cpu, isSet: bool): void {
  setAc(cpu, isSet);
  setMode(cpu);
}
/** How many entries of `level` (2: PDE, to 5: PML5E) the CPU caches. */
export function setStructureEntries(cpu: Cpu, level: u32, nrEntries: u32): void {
  flushAll(cpu);
  setStructures(cpu, level, nrEntries);
}
export function invalidatePage64(cpu: Cpu, va: u64): void {
  invlpg(cpu, va);
}
export function invalidateRange(cpu: Cpu, pcid: u32, start: f64, end: f64): void {
  dropRange(cpu, pcid, <u64>(<i64>start), <u64>(<i64>end));
}
/** INVPCID. Precondition: the operands are valid. */
export function invalidatePcid64(cpu: Cpu, type: u32, pcid: u32, va: u64): void {
  invpcid(cpu, type, pcid, va);
}
/** What the TLB caches of `va`, or 0; nothing changes. A translation as in walk.ts. */
export function peek64(cpu: Cpu, va: u64): u64 {
  return tlbPeek(cpu, va);
}
/** The level of the lowest paging entry that is cached for `va`, or 0; its table: `peekedTable`. */
export function peekStructure64(cpu: Cpu, va: u64): u32 {
  return structurePeek(cpu, va);
}
export function peekedTable(): f64 {
  return <f64>peekedStructure;
}
export function flush(cpu: Cpu): void {
  flushAll(cpu);
}

// ---- Accesses; kind: KIND_READ, KIND_WRITE or KIND_FETCH, where not said otherwise

/** The physical address, or −1 with the fault in `cpu`. */
export function access(cpu: Cpu, va: f64, nrBytes: u32, kind: u32): f64 {
  return <f64>accessVirtual(cpu, <u64>(<i64>va), nrBytes, kind);
}
export function access64(cpu: Cpu, va: u64, nrBytes: u32, kind: u32): i64 {
  return accessVirtual(cpu, va, nrBytes, kind);
}
export function load(cpu: Cpu, va: f64, nrBytes: u32): u64 {
  return loadVirtual(cpu, <u64>(<i64>va), nrBytes);
}
export function load64(cpu: Cpu, va: u64, nrBytes: u32): u64 {
  return loadVirtual(cpu, va, nrBytes);
}
export function store(cpu: Cpu, va: f64, nrBytes: u32, value: u64): i32 {
  return storeVirtual(cpu, <u64>(<i64>va), nrBytes, value);
}
export function store64(cpu: Cpu, va: u64, nrBytes: u32, value: u64): i32 {
  return storeVirtual(cpu, va, nrBytes, value);
}

/** The same for any kind and manner; slower. */
export function accessAs64(cpu: Cpu, va: u64, nrBytes: u32, kind: u32, manner: u32): i64 {
  return accessSlow(cpu, va, nrBytes, kind, manner);
}

/** What the tables say: the physical address, or −1 with the fault in `cpu`. Changes nothing else. */
export function probe64(cpu: Cpu, pointer: u64, kind: u32, manner: u32): f64 {
  const va = addressOf(cpu, pointer, kind);
  if (!isCanonical(cpu, va)) {
    canonicalFault(cpu, pointer, manner);
    return -1;
  }
  probed = walk(cpu, va, accessOf(cpu, kind, manner), true);
  return probed ? <f64>translated(probed, va) : -1;
}
let probed: u64 = 0;
/** What the last probe found: a translation (layout.ts), or 0. */
export function probed64(): u64 {
  return probed;
}

// ---- Page tables; roots and frames are physical addresses, leaves are recorded in the exchange

export function giveTable(pa: f64): i32 {
  return tables.giveTable(<u64>pa);
}
export function takeTable(): f64 {
  return <f64>tables.takeTable();
}
export function lookup(root: f64, va: f64): bool {
  return tables.lookup(<u64>root, <u64>(<i64>va), exchange);
}
export function install(root: f64, va: f64, level: u32, pa: f64, count: u32, rights: u32): i32 {
  return tables.install(<u64>root, <u64>(<i64>va), level, <u64>pa, count, rights);
}
export function remove(root: f64, start: f64, end: f64, capacity: u32): i32 {
  return tables.remove(<u64>root, <u64>start, <u64>end, exchange, capacity);
}
export function protect(root: f64, start: f64, end: f64, rights: u32): i32 {
  return tables.protect(<u64>root, <u64>start, <u64>end, rights);
}
export function share(root: f64, child: f64, start: f64, end: f64, capacity: u32): i32 {
  return tables.share(<u64>root, <u64>child, <u64>start, <u64>end, exchange, capacity);
}
export function list(root: f64, start: f64, end: f64, capacity: u32): i32 {
  return tables.list(<u64>root, <u64>start, <u64>end, exchange, capacity);
}
export function ensureTable(root: f64, va: f64, level: u32): i32 {
  return tables.ensureTable(<u64>root, <u64>(<i64>va), level);
}
export function tableAt(root: f64, va: f64, level: u32): f64 {
  return <f64>tables.tableAt(<u64>root, <u64>(<i64>va), level);
}
export function linkTable(root: f64, va: f64, level: u32, table: f64): i32 {
  return tables.linkTable(<u64>root, <u64>(<i64>va), level, <u64>table);
}
export function unlinkTable(root: f64, va: f64, level: u32): void {
  tables.unlinkTable(<u64>root, <u64>(<i64>va), level);
}
export function freeTables(root: f64, floor: f64, ceiling: f64): void {
  tables.freeTables(<u64>root, <u64>floor, <u64>ceiling);
}
/** Where the last range operation stopped. */
export function nextAddress(): f64 {
  return <f64>(<i64>tables.next);
}
/** Leaf records that it wrote. */
export function nrLeaves(): u32 {
  return tables.nrLeaves;
}
