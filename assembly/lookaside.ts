// The lookaside: a direct-mapped table a CPU, in front of its TLB, that turns an address into a
// linear address with one compare. It holds what the TLB was asked for since the last change of
// anything (registers, tables' invalidation, a section's backing): each change raises the
// generation in the tags, which empties it. A crossing misses by itself, because the compare uses
// the access's last byte and the slot its first.
//
//  tag:   63……………12   11………2    1…0
//        +----------+------------+------+
//        | page     | generation | mode |   the generation starts at 1: a tag of 0 never matches
//        +----------+------------+------+

import {
  CPU_LOOKASIDE,
  CPU_LOOKASIDE_CONTEXT,
  CPU_LOOKASIDE_GENERATION,
  KIND_FETCH,
  KIND_READ,
  KIND_WRITE,
  LOOKASIDE_ADDEND,
  LOOKASIDE_ENTRIES,
  LOOKASIDE_ENTRY_SHIFT,
  LOOKASIDE_FRAME,
  PAGE_SHIFT,
} from "./layout";

const MODE_BITS: u32 = 2;
const MODE_MASK: u64 = 3;
const GENERATION_LAST: u32 = 1023;
const PAGE_MASK: u64 = ~(<u64>0xfff);
const OFFSET_MASK: u32 = (LOOKASIDE_ENTRIES - 1) << LOOKASIDE_ENTRY_SHIFT;

let cpus: usize = 0;
let cpuBytes: u32 = 0;
let nrCpus: u32 = 0;

/** Tells where all CPUs are, for `lookasideDropEverywhere`. */
export function lookasideInit(firstCpu: usize, bytesOfCpu: u32, count: u32): void {
  cpus = firstCpu;
  cpuBytes = bytesOfCpu;
  nrCpus = count;
}

export function lookasideSlot(cpu: usize, va: u64): usize {
  // One shift instead of two: the index lands where the slot's offset has it.
  const offset = <usize>(va >> (PAGE_SHIFT - LOOKASIDE_ENTRY_SHIFT)) & OFFSET_MASK;
  return cpu + CPU_LOOKASIDE + offset;
}

/** What tags carry beside the page: the generation and the mode. */
export function lookasideContext(cpu: usize): u64 {
  return load<u64>(cpu, CPU_LOOKASIDE_CONTEXT);
}

/** Whether `slot` serves an access of this kind to `nrBytes` at `va`. */
export function lookasideHits(slot: usize, va: u64, nrBytes: u32, kind: u32, context: u64): bool {
  return load<u64>(slot + (kind << 3)) == (((va + nrBytes - 1) & PAGE_MASK) | context);
}

/** Linear address. Precondition: `slot` hits. */
export function lookasideLinear(slot: usize, va: u64): usize {
  return <u32>va + load<u32>(slot, LOOKASIDE_ADDEND);
}

/** Physical address. Precondition: `slot` hits. */
export function lookasidePhysical(slot: usize, va: u64): u64 {
  return ((<u64>load<u32>(slot, LOOKASIDE_FRAME)) << PAGE_SHIFT) | (va & ~PAGE_MASK);
}

/** Fills the slot of `va`, whose 4K lie at `pa` and, in linear memory, at `at`. */
export function lookasideFill(
  cpu: usize,
  va: u64,
  pa: u64,
  at: usize,
  canRead: bool,
  canWrite: bool,
  canFetch: bool,
): void {
  const slot = lookasideSlot(cpu, va);
  const tag = (va & PAGE_MASK) | load<u64>(cpu, CPU_LOOKASIDE_CONTEXT);
  store<u64>(slot + (KIND_READ << 3), canRead ? tag : 0);
  store<u64>(slot + (KIND_WRITE << 3), canWrite ? tag : 0);
  store<u64>(slot + (KIND_FETCH << 3), canFetch ? tag : 0);
  store<u32>(slot, <u32>at - <u32>va, LOOKASIDE_ADDEND);
  store<u32>(slot, <u32>(pa >> PAGE_SHIFT), LOOKASIDE_FRAME);
}

/** Whether a frame can be held: its number has 32 bits, so RAM above 16 TiB is always looked up. */
export function lookasideCanHold(pa: u64): bool {
  return pa >> (PAGE_SHIFT + 32) == 0;
}

/** Empties a CPU's lookaside. */
export function lookasideDrop(cpu: usize): void {
  let generation = load<u32>(cpu, CPU_LOOKASIDE_GENERATION) + 1;
  if (generation > GENERATION_LAST) {
    generation = 1;
    memory.fill(cpu + CPU_LOOKASIDE, 0, LOOKASIDE_ENTRIES << LOOKASIDE_ENTRY_SHIFT);
  }
  store<u32>(cpu, generation, CPU_LOOKASIDE_GENERATION);
  const mode = load<u64>(cpu, CPU_LOOKASIDE_CONTEXT) & MODE_MASK;
  store<u64>(cpu, ((<u64>generation) << MODE_BITS) | mode, CPU_LOOKASIDE_CONTEXT);
}

/** Empties the lookaside of every CPU: linear addresses of RAM have changed. */
export function lookasideDropEverywhere(): void {
  for (let i: u32 = 0; i < nrCpus; i++) lookasideDrop(cpus + i * cpuBytes);
}

/** Tags carry the mode: accesses of user mode, and of supervisor mode with and without AC. */
export function lookasideSetMode(cpu: usize, mode: u32): void {
  const context = load<u64>(cpu, CPU_LOOKASIDE_CONTEXT);
  store<u64>(cpu, (context & ~MODE_MASK) | mode, CPU_LOOKASIDE_CONTEXT);
}
