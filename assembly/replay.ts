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
import { access, accessSlow } from "./access";
import { lookasideContext, lookasideHits, lookasidePhysical, lookasideSlot } from "./lookaside";
import { quickDenials, quickMask, quickWalk, translated, walk } from "./walk";

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

function lookasideServes(cpu: Cpu, reference: u64, context: u64): bool {
  const va = addressOf(reference);
  const slot = lookasideSlot(changetype<usize>(cpu), va);
  return lookasideHits(slot, va, bytesOf(reference), kindOf(reference), context);
}

/** Makes the references at `from` (layout.ts: one u64 each): translation, A and D, TLB; no data. */
export function replay(cpu: Cpu, from: usize, count: u32): u32 {
  const end = from + ((<usize>count) << 3);
  for (let at = from; at < end; at += 8) {
    // Hits have a loop of their own: see `translateBatch`.
    const context = lookasideContext(changetype<usize>(cpu));
    while (lookasideServes(cpu, load<u64>(at), context)) {
      at += 8;
      if (at == end) return count;
    }
    const reference = load<u64>(at);
    const va = addressOf(reference);
    if (accessSlow(cpu, va, bytesOf(reference), kindOf(reference), MANNER_ORDINARY) < 0) {
      return <u32>(at - from) >> 3;
    }
  }
  return count;
}

/**
 * Translates the u64 addresses at `from` for one kind of access; physical addresses go to `to`.
 * Hits have a loop of their own: in a loop that contains a call, the engine keeps every variable on
 * the stack. It is unrolled, because the engine looks for interrupts each time round and lays
 * addresses out anew, and the context, which only misses change, is kept: 1.19 ns an address; by
 * two 1.26, not unrolled 1.41, and with the context loaded each time 1.67. `to` may be `from`.
 */
export function translateBatch(cpu: Cpu, from: usize, to: usize, count: u32, kind: u32): u32 {
  const end = from + ((<usize>count) << 3);
  const distance = to - from;
  for (let at = from; at < end; at += 8) {
    const context = lookasideContext(changetype<usize>(cpu));
    while (at + 24 < end) {
      const into = at + distance;
      const va0 = load<u64>(at);
      const slot0 = lookasideSlot(changetype<usize>(cpu), va0);
      if (!lookasideHits(slot0, va0, 1, kind, context)) break;
      store<u64>(into, lookasidePhysical(slot0, va0));
      const va1 = load<u64>(at, 8);
      const slot1 = lookasideSlot(changetype<usize>(cpu), va1);
      if (!lookasideHits(slot1, va1, 1, kind, context)) {
        at += 8;
        break;
      }
      store<u64>(into, lookasidePhysical(slot1, va1), 8);
      const va2 = load<u64>(at, 16);
      const slot2 = lookasideSlot(changetype<usize>(cpu), va2);
      if (!lookasideHits(slot2, va2, 1, kind, context)) {
        at += 16;
        break;
      }
      store<u64>(into, lookasidePhysical(slot2, va2), 16);
      const va3 = load<u64>(at, 24);
      const slot3 = lookasideSlot(changetype<usize>(cpu), va3);
      if (!lookasideHits(slot3, va3, 1, kind, context)) {
        at += 24;
        break;
      }
      store<u64>(into, lookasidePhysical(slot3, va3), 24);
      at += 32;
    }
    if (at == end) break;
    const pa = access(cpu, load<u64>(at), 1, kind);
    if (pa < 0) return <u32>(at - from) >> 3;
    store<i64>(at + distance, pa);
  }
  return count;
}

/** The same by the tables alone: neither lookaside nor TLB is asked or filled. */
export function walkBatch(cpu: Cpu, from: usize, to: usize, count: u32): u32 {
  const kind = accessOf(cpu, KIND_READ, MANNER_ORDINARY);
  const end = from + ((<usize>count) << 3);
  const distance = to - from;
  const root = cpu.root;
  const mask = quickMask(cpu);
  const denials = quickDenials(cpu, kind);
  // Canonical addresses are half of them on either side of 0: one addition and one comparison.
  const half = (<u64>1) << (63 - <u64>cpu.canonicalShift);
  for (let at = from; at < end; at += 8) {
    // Walks that need no call have a loop of their own: see `translateBatch`.
    do {
      const va = load<u64>(at);
      const translation = va + half < half << 1 ? quickWalk(cpu, root, mask, denials, va, kind) : 0;
      if (!translation) break;
      store<u64>(at + distance, translated(translation, va));
      at += 8;
    } while (at < end);
    if (at == end) break;
    const va = load<u64>(at);
    if (!isCanonical(cpu, va)) {
      canonicalFault(cpu, va, MANNER_ORDINARY);
      return <u32>(at - from) >> 3;
    }
    const translation = walk(cpu, va, kind, false);
    if (!translation) return <u32>(at - from) >> 3;
    store<u64>(at + distance, translated(translation, va));
  }
  return count;
}
