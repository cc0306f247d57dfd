// Accesses by virtual address, 1 to 8 bytes, at any alignment. One that crosses into another page
// translates both first, so that it happens wholly or not at all; its fault names the first
// address that cannot be accessed. Of device memory nothing is loaded or stored: the event says
// where, and the caller does it.

import {
  EVENT_MMIO,
  KIND_READ,
  KIND_WRITE,
  MANNER_ORDINARY,
  PAGE_SHIFT,
  STATUS_DONE,
  STATUS_NO_BACKING,
} from "./layout";
import { Cpu, noFault } from "./cpu";
import { back, isBacked, ramBytes, ramLoad, ramStore } from "./ram";
import { isMmio } from "./ranges";
import { lookasideContext, lookasideHits, lookasideLinear } from "./lookaside";
import { lookasidePhysical, lookasideSlot } from "./lookaside";
import { translated } from "./walk";
import { clearEvent, translateSlow } from "./translate";

const PAGE_BYTES: u64 = 1 << PAGE_SHIFT;
const OFFSET_MASK: u64 = PAGE_BYTES - 1;
/** What `access` returns when it faulted. */
const FAULTED: i64 = -1;
/** The event's address of an access of which only a part, or two parts, are device memory. */
const IN_PARTS: u64 = ~(<u64>0);

// A page's offset is the same with a pointer's metadata as without: `translated` takes either.

/** Bytes of [va, va + nrBytes) that lie in the page of `va`. */
// @ts-ignore: decorator
@inline
function bytesInPage(va: u64, nrBytes: u32): u32 {
  const left = <u32>(PAGE_BYTES - (va & OFFSET_MASK));
  return left < nrBytes ? left : nrBytes;
}

export function accessSlow(cpu: Cpu, va: u64, nrBytes: u32, kind: u32, manner: u32): i64 {
  clearEvent(cpu);
  const translation = translateSlow(cpu, va, nrBytes, kind, manner);
  if (!translation) return FAULTED;
  const isCrossing = (va & OFFSET_MASK) + nrBytes > PAGE_BYTES;
  if (isCrossing && !translateSlow(cpu, (va | OFFSET_MASK) + 1, 1, kind, manner)) return FAULTED;
  return <i64>translated(translation, va);
}

/**
 * The physical address of an access's first byte, or −1 with the fault in `cpu`.
 * Precondition: `kind` is 0 to 3; other kinds have no place in the lookaside.
 */
// @ts-ignore: decorator
@inline
export function access(cpu: Cpu, va: u64, nrBytes: u32, kind: u32): i64 {
  const slot = lookasideSlot(changetype<usize>(cpu), va);
  if (lookasideHits(slot, va, nrBytes, kind, lookasideContext(changetype<usize>(cpu)))) {
    return <i64>lookasidePhysical(slot, va);
  }
  return accessSlow(cpu, va, nrBytes, kind, MANNER_ORDINARY);
}

/** Precondition: `nrBytes` is 1, 2, 4 or 8. */
// @ts-ignore: decorator
@inline
function loadLinear(at: usize, nrBytes: u32): u64 {
  if (nrBytes == 8) return load<u64>(at);
  if (nrBytes == 4) return load<u32>(at);
  return nrBytes == 2 ? load<u16>(at) : load<u8>(at);
}

// @ts-ignore: decorator
@inline
function isPowerOf2(n: u32): bool {
  return (n & (n - 1)) == 0;
}

/** Notes that the caller has to do the access itself; true if so. */
function isDevice(cpu: Cpu, pa: u64, nrBytes: u32, address: u64): bool {
  if (!isMmio(pa, nrBytes)) return false;
  cpu.event = EVENT_MMIO;
  cpu.eventAddress = address;
  return true;
}

/** Loads 1 to 8 bytes. On a fault `cpu.vector` is not VECTOR_NONE and the value is 0. */
export function loadVirtual(cpu: Cpu, va: u64, nrBytes: u32): u64 {
  const slot = lookasideSlot(changetype<usize>(cpu), va);
  if (isPowerOf2(nrBytes) && lookasideHits(slot, va, nrBytes, KIND_READ, lookasideContext(changetype<usize>(cpu)))) {
    noFault(cpu);
    return loadLinear(lookasideLinear(slot, va), nrBytes);
  }
  clearEvent(cpu);
  const first = translateSlow(cpu, va, nrBytes, KIND_READ, MANNER_ORDINARY);
  if (!first) return 0;
  const pa = translated(first, va);
  const inFirst = bytesInPage(va, nrBytes);
  if (inFirst == nrBytes) return isDevice(cpu, pa, nrBytes, pa) ? 0 : ramLoad(pa, nrBytes);
  const second = translateSlow(cpu, va + inFirst, 1, KIND_READ, MANNER_ORDINARY);
  if (!second) return 0;
  const rest = nrBytes - inFirst;
  const paOfRest = translated(second, va + inFirst);
  if (isDevice(cpu, pa, inFirst, IN_PARTS) || isDevice(cpu, paOfRest, rest, IN_PARTS)) return 0;
  return ramLoad(pa, inFirst) | (ramLoad(paOfRest, rest) << (inFirst << 3));
}

// @ts-ignore: decorator
@inline
function canStore(pa: u64): bool {
  return pa >= ramBytes || isBacked(pa) || back(pa, false) == STATUS_DONE;
}

/** Stores 1 to 8 bytes: a status. On a fault `cpu.vector` is not VECTOR_NONE and nothing is stored. */
export function storeVirtual(cpu: Cpu, va: u64, nrBytes: u32, value: u64): i32 {
  const slot = lookasideSlot(changetype<usize>(cpu), va);
  if (lookasideHits(slot, va, nrBytes, KIND_WRITE, lookasideContext(changetype<usize>(cpu)))) {
    noFault(cpu);
    const at = lookasideLinear(slot, va);
    if (nrBytes == 8) store<u64>(at, value);
    else if (nrBytes == 4) store<u32>(at, <u32>value);
    else for (let i: u32 = 0; i < nrBytes; i++) store<u8>(at + i, <u8>(value >> (i << 3)));
    return STATUS_DONE;
  }
  clearEvent(cpu);
  const first = translateSlow(cpu, va, nrBytes, KIND_WRITE, MANNER_ORDINARY);
  if (!first) return STATUS_DONE;
  const pa = translated(first, va);
  const inFirst = bytesInPage(va, nrBytes);
  if (inFirst == nrBytes) {
    return isDevice(cpu, pa, nrBytes, pa) ? STATUS_DONE : ramStore(pa, nrBytes, value);
  }
  const second = translateSlow(cpu, va + inFirst, 1, KIND_WRITE, MANNER_ORDINARY);
  if (!second) return STATUS_DONE;
  const rest = nrBytes - inFirst;
  const paOfRest = translated(second, va + inFirst);
  if (isDevice(cpu, pa, inFirst, IN_PARTS) || isDevice(cpu, paOfRest, rest, IN_PARTS)) {
    return STATUS_DONE;
  }
  // Both pages can be written before either is.
  if (!canStore(paOfRest)) return STATUS_NO_BACKING;
  const status = ramStore(pa, inFirst, value);
  if (status != STATUS_DONE) return status;
  return ramStore(paOfRest, rest, value >> (inFirst << 3));
}
