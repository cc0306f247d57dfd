// Batches: many references in one call. Each stops at the first fault, which is left in the CPU,
// and returns how many references it has done, so that the caller resolves the fault and goes on.

import {
  KIND_READ,
  REFERENCE_ADDRESS_BITS,
  REFERENCE_KIND_SHIFT,
  REFERENCE_SIZE_SHIFT,
} from "./layout";
import { Cpu, isCanonical, protectionFault } from "./cpu";
import { access } from "./access";
import { accessOf } from "./translate";
import { translated, walk } from "./walk";

const SIGN_SHIFT: u64 = 64 - REFERENCE_ADDRESS_BITS;

/** Makes the references at `from` (layout.ts: one u64 each): translation, A and D, TLB; no data. */
export function replay(cpu: Cpu, from: usize, count: u32): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const reference = load<u64>(from + ((<usize>i) << 3));
    const va = <u64>(<i64>(reference << SIGN_SHIFT) >> SIGN_SHIFT);
    const kind = <u32>(reference >> REFERENCE_KIND_SHIFT) & 3;
    const nrBytes = (<u32>(reference >> REFERENCE_SIZE_SHIFT) & 7) + 1;
    if (access(cpu, va, nrBytes, kind) < 0) return i;
  }
  return count;
}

/** Translates the u64 addresses at `from` for one kind of access; physical addresses go to `to`. */
export function translateBatch(cpu: Cpu, from: usize, to: usize, count: u32, kind: u32): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const pa = access(cpu, load<u64>(from + ((<usize>i) << 3)), 1, kind);
    if (pa < 0) return i;
    store<i64>(to + ((<usize>i) << 3), pa);
  }
  return count;
}

/** The same by the tables alone: neither lookaside nor TLB is asked or filled. */
export function walkBatch(cpu: Cpu, from: usize, to: usize, count: u32): u32 {
  const kind = accessOf(cpu, KIND_READ);
  for (let i: u32 = 0; i < count; i++) {
    const va = load<u64>(from + ((<usize>i) << 3));
    if (!isCanonical(va)) {
      protectionFault(cpu, va);
      return i;
    }
    const translation = walk(cpu, va, kind, false);
    if (!translation) return i;
    store<u64>(to + ((<usize>i) << 3), translated(translation, va));
  }
  return count;
}
