// Loads and stores of 8 bytes through the MMU. What the lookaside holds costs a compare and one
// addition, here, without a call; the rest is hugewalk's (docs/abi.md, "How to inline a hit").

import {
  CPU_LOOKASIDE,
  CPU_LOOKASIDE_CONTEXT,
  CPU_VECTOR,
  KIND_READ,
  KIND_WRITE,
  LOOKASIDE_ADDEND,
  LOOKASIDE_ENTRIES,
  LOOKASIDE_ENTRY_SHIFT,
  PAGE_SHIFT,
  STATUS_DONE,
  VECTOR_NONE,
} from "../../assembly/layout";
import { access64, load64, store64 } from "./hugewalk";
import { pageFault } from "./host";

const PAGE_MASK: u64 = ~(((<u64>1) << PAGE_SHIFT) - 1);
const SLOT_MASK: usize = (LOOKASIDE_ENTRIES - 1) << LOOKASIDE_ENTRY_SHIFT;
const WORD_BYTES: u32 = 8;

/** Accesses that were not served here. */
let nrCalls: u32 = 0;

export function nrCallsOfHugewalk(): u32 {
  return nrCalls;
}

/** What tags have in their low 12 bits. It holds until the next call, of anything. */
export function contextOf(cpu: usize): u64 {
  return load<u64>(cpu, CPU_LOOKASIDE_CONTEXT);
}

/**
 * The entry of the lookaside in which the page of `va` would be, less CPU_LOOKASIDE: the low bits of
 * the page's number, by one shift where they count entries.
 */
export function slotOf(cpu: usize, va: u64): usize {
  return cpu + (<usize>(va >> (PAGE_SHIFT - LOOKASIDE_ENTRY_SHIFT)) & SLOT_MASK);
}

/** What the tag is if the entry serves a word at `va`, all of it; never so if it crosses pages. */
function tagOf(va: u64, context: u64): u64 {
  return ((va + WORD_BYTES - 1) & PAGE_MASK) | context;
}

/** Whether a load of a word at `va` is served by its slot. */
export function isLoadHit(slot: usize, va: u64, context: u64): bool {
  return load<u64>(slot, CPU_LOOKASIDE + (KIND_READ << 3)) === tagOf(va, context);
}

/** Precondition: `isLoadHit`, and no call since. */
export function loadHit(slot: usize, va: u64): u64 {
  return load<u64>(linearAddress(slot, va));
}

function linearAddress(slot: usize, va: u64): usize {
  return <usize>(<u32>va + load<u32>(slot, CPU_LOOKASIDE + LOOKASIDE_ADDEND));
}

export function loadWord(cpu: usize, va: u64): u64 {
  const slot = slotOf(cpu, va);
  return isLoadHit(slot, va, contextOf(cpu)) ? loadHit(slot, va) : loadMissed(cpu, va);
}

export function storeWord(cpu: usize, va: u64, value: u64): void {
  const slot = slotOf(cpu, va);
  if (load<u64>(slot, CPU_LOOKASIDE + (KIND_WRITE << 3)) === tagOf(va, contextOf(cpu))) {
    store<u64>(linearAddress(slot, va), value);
  } else {
    storeMissed(cpu, va, value);
  }
}

export function loadMissed(cpu: usize, va: u64): u64 {
  while (true) {
    nrCalls++;
    const value = load64(cpu, va, WORD_BYTES);
    if (load<u32>(cpu, CPU_VECTOR) === VECTOR_NONE) return value;
    resolve(cpu);
  }
}

function storeMissed(cpu: usize, va: u64, value: u64): void {
  while (true) {
    nrCalls++;
    // Without room for what is written there is nothing to be done here.
    if (store64(cpu, va, WORD_BYTES, value) !== STATUS_DONE) unreachable();
    if (load<u32>(cpu, CPU_VECTOR) === VECTOR_NONE) return;
    resolve(cpu);
  }
}

/** The physical address of a byte, as an access of `kind` finds it. */
export function physicalAddress(cpu: usize, va: u64, kind: u32): u64 {
  while (true) {
    nrCalls++;
    const address = access64(cpu, va, 1, kind);
    if (address >= 0) return address;
    resolve(cpu);
  }
}

function resolve(cpu: usize): void {
  if (!pageFault(cpu)) unreachable();
}
