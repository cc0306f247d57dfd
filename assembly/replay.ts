// Batches: many references in one call. Each stops at the first fault, which is left in the CPU,
// and returns how many references it has done, so that the caller resolves the fault and goes on.

import {
  KIND_READ,
  MANNER_ORDINARY,
  REFERENCE_ADDRESS_BITS,
  REFERENCE_KIND_SHIFT,
  REFERENCE_SIZE_SHIFT,
} from "./layout";
import { Cpu, accessOf, canonicalFault, isCanonical } from "./cpu";
import { accessSlow } from "./access";
import { lookasideHits, lookasidePhysical, lookasideSlot } from "./lookaside";
import { quickWalk, translated, walk } from "./walk";

const SIGN_SHIFT: u64 = 64 - REFERENCE_ADDRESS_BITS;

function addressOf(reference: u64): u64 {
  return <u64>(<i64>(reference << SIGN_SHIFT) >> SIGN_SHIFT);
}

function kindOf(reference: u64): u32 {
  return <u32>(reference >> REFERENCE_KIND_SHIFT) & 3;
}

function bytesOf(reference: u64): u32 {
  return (<u32>(reference >> REFERENCE_SIZE_SHIFT) & 7) + 1;
}

function lookasideServes(cpu: Cpu, reference: u64): bool {
  const va = addressOf(reference);
  const slot = lookasideSlot(changetype<usize>(cpu), va);
  return lookasideHits(changetype<usize>(cpu), slot, va, bytesOf(reference), kindOf(reference));
}

/** Makes the references at `from` (layout.ts: one u64 each): translation, A and D, TLB; no data. */
export function replay(cpu: Cpu, from: usize, count: u32): u32 {
  for (let i: u32 = 0; i < count; i++) {
    // Hits have a loop of their own: see `translateBatch`.
    do {
      if (!lookasideServes(cpu, load<u64>(from + ((<usize>i) << 3)))) break;
    } while (++i < count);
    if (i == count) break;
    const reference = load<u64>(from + ((<usize>i) << 3));
    if (
      accessSlow(
        cpu,
        addressOf(reference),
        bytesOf(reference),
        kindOf(reference),
        MANNER_ORDINARY,
      ) < 0
    )
      return i;
  }
  return count;
}

/**
 * Translates the u64 addresses at `from` for one kind of access; physical addresses go to `to`.
 * Hits have a loop of their own: in a loop that contains a call, the engine keeps every variable on
 * the stack (2.7 ns an address, against 1.7).
 */
export function translateBatch(cpu: Cpu, from: usize, to: usize, count: u32, kind: u32): u32 {
  for (let i: u32 = 0; i < count; i++) {
    do {
      const va = load<u64>(from + ((<usize>i) << 3));
      const slot = lookasideSlot(changetype<usize>(cpu), va);
      if (!lookasideHits(changetype<usize>(cpu), slot, va, 1, kind)) break;
      store<u64>(to + ((<usize>i) << 3), lookasidePhysical(slot, va));
    } while (++i < count);
    if (i == count) break;
    const pa = accessSlow(cpu, load<u64>(from + ((<usize>i) << 3)), 1, kind, MANNER_ORDINARY);
    if (pa < 0) return i;
    store<i64>(to + ((<usize>i) << 3), pa);
  }
  return count;
}

/** The same by the tables alone: neither lookaside nor TLB is asked or filled. */
export function walkBatch(cpu: Cpu, from: usize, to: usize, count: u32): u32 {
  const kind = accessOf(cpu, KIND_READ, MANNER_ORDINARY);
  for (let i: u32 = 0; i < count; i++) {
    // Walks that need no call have a loop of their own: see `translateBatch`.
    do {
      const va = load<u64>(from + ((<usize>i) << 3));
      const translation = isCanonical(cpu, va) ? quickWalk(cpu, va, kind) : 0;
      if (!translation) break;
      store<u64>(to + ((<usize>i) << 3), translated(translation, va));
    } while (++i < count);
    if (i == count) break;
    const va = load<u64>(from + ((<usize>i) << 3));
    if (!isCanonical(cpu, va)) {
      canonicalFault(cpu, va, MANNER_ORDINARY);
      return i;
    }
    const translation = walk(cpu, va, kind, false);
    if (!translation) return i;
    store<u64>(to + ((<usize>i) << 3), translated(translation, va));
  }
  return count;
}
