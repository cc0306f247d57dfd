// What walks were for: a table from a key, the number of a 2M region or an instruction's address, to
// how many there were and what they cost. Open addressing; a slot moves when the table grows.
//
//   a slot:  key + 1 | walks | cycles | what else is known, zeros at first

import { SLOT_CYCLES, SLOT_KEY, SLOT_WALKS, TABLE_MASK, TABLE_SLOTS } from "./layout";
import { allocate } from "./memory";

const SLOTS_AT_FIRST: u32 = 1024;
/** 2^64 over the golden ratio. */
const SPREAD: u64 = 0x9e3779b97f4a7c15;

@unmanaged
export class Tally {
  slots: usize;
  mask: u32;
  nrUsed: u32;
  slotBytes: u32;
}
if (offsetof<Tally>("slots") != TABLE_SLOTS) ERROR("TABLE_SLOTS");
if (offsetof<Tally>("mask") != TABLE_MASK) ERROR("TABLE_MASK");

export function createTally(slotBytes: u32): Tally {
  const tally = changetype<Tally>(allocate(offsetof<Tally>()));
  tally.slotBytes = slotBytes;
  tally.slots = allocate(SLOTS_AT_FIRST * slotBytes);
  tally.mask = SLOTS_AT_FIRST - 1;
  return tally;
}

/** The slot of `key`, good until the next call. */
export function slotOf(tally: Tally, key: u64): usize {
  const slot = findSlot(tally, key);
  if (load<u64>(slot, SLOT_KEY)) return slot;
  store<u64>(slot, key + 1, SLOT_KEY);
  if (++tally.nrUsed <= tally.mask >> 1) return slot;
  grow(tally);
  return findSlot(tally, key);
}

/** Where `key` is, or would be. */
function findSlot(tally: Tally, key: u64): usize {
  let i = <u32>((key * SPREAD) >> 32) & tally.mask;
  let slot = tally.slots + i * tally.slotBytes;
  let found = load<u64>(slot, SLOT_KEY);
  while (found && found != key + 1) {
    i = (i + 1) & tally.mask;
    slot = tally.slots + i * tally.slotBytes;
    found = load<u64>(slot, SLOT_KEY);
  }
  return slot;
}

function grow(tally: Tally): void {
  const old = tally.slots;
  const end = old + (tally.mask + 1) * tally.slotBytes;
  tally.mask = (tally.mask << 1) | 1;
  tally.slots = allocate((tally.mask + 1) * tally.slotBytes);
  for (let slot = old; slot < end; slot += tally.slotBytes) {
    const key = load<u64>(slot, SLOT_KEY);
    if (key) memory.copy(findSlot(tally, key - 1), slot, tally.slotBytes);
  }
}

export function addWalk(slot: usize, cycles: u64): void {
  store<u64>(slot, load<u64>(slot, SLOT_WALKS) + 1, SLOT_WALKS);
  store<u64>(slot, load<u64>(slot, SLOT_CYCLES) + cycles, SLOT_CYCLES);
}
