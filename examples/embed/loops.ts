// The loops that the bench measures: the words at a list of addresses, summed up, by a plain load
// of the module's own memory, by a hit that is inlined, and by a call of hugewalk.

import { load64 } from "./hugewalk";
import { contextOf, isLoadHit, loadHit, loadMissed, slotOf } from "./mmu";

/** `addresses`: `count` addresses of this module's memory, u64 each. */
export function sumPlain(addresses: usize, count: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    sum += load<u64>(<usize>load<u64>(addresses + ((<usize>i) << 3)));
  }
  return sum;
}

/**
 * `addresses`: virtual ones. The hits have a loop of their own, without a call in it: around a call,
 * engines keep every variable in memory.
 */
export function sumInlined(cpu: usize, addresses: usize, count: u32): u64 {
  let sum: u64 = 0;
  let at = addresses;
  const end = addresses + ((<usize>count) << 3);
  while (at !== end) {
    const context = contextOf(cpu);
    let va: u64;
    do {
      va = load<u64>(at);
      const slot = slotOf(cpu, va);
      if (!isLoadHit(slot, va, context)) break;
      sum += loadHit(slot, va);
      at += 8;
    } while (at !== end);
    if (at === end) break;
    sum += loadMissed(cpu, va);
    at += 8;
  }
  return sum;
}

export function sumCalled(cpu: usize, addresses: usize, count: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    sum += load64(cpu, load<u64>(addresses + ((<usize>i) << 3)), 8);
  }
  return sum;
}
