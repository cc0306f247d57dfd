// A program that runs in WebAssembly and whose memory is behind an MMU in WebAssembly: between the
// two there is no JavaScript. Page faults are served by the host. README.md tells how it is built.

import { KIND_READ } from "../../assembly/layout";
import { loadWord, nrCallsOfHugewalk, physicalAddress, storeWord } from "./mmu";

/** Static data, to be found at the module's own memoryBase. */
const MULTIPLIERS = memory.data<u64>([3, 5, 7, 11]);

let cpu: usize = 0;

/** `address`: `Cpu.linearAddress` */
export function useCpu(address: usize): void {
  cpu = address;
}

/** Accesses for which hugewalk was called, so far. */
export function nrCalls(): u32 {
  return nrCallsOfHugewalk();
}

/** Where the static data is. */
export function dataAddress(): usize {
  return MULTIPLIERS;
}

/** Word `i` of `count` from `start` becomes `i` times a multiplier. */
export function fill(start: u64, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const multiplier = load<u64>(MULTIPLIERS + ((i & 3) << 3));
    storeWord(cpu, start + ((<u64>i) << 3), i * multiplier);
  }
}

export function sum(start: u64, count: u32): u64 {
  let total: u64 = 0;
  for (let i: u32 = 0; i < count; i++) total += loadWord(cpu, start + ((<u64>i) << 3));
  return total;
}

/** A list of `count` nodes, `stride` bytes apart, each at an odd place: the next one, the value. */
export function makeList(start: u64, count: u32, stride: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const node = start + <u64>i * stride;
    storeWord(cpu, node, i + 1 < count ? node + stride : 0);
    storeWord(cpu, node + 8, <u64>i * i);
  }
}

/** The sum of a list's values. */
export function walkList(start: u64): u64 {
  let total: u64 = 0;
  for (let node = start; node !== 0; node = loadWord(cpu, node)) total += loadWord(cpu, node + 8);
  return total;
}

/** Where the byte at `va` is in physical memory. */
export function translate(va: u64): u64 {
  return physicalAddress(cpu, va, KIND_READ);
}
