/** Private anonymous memory of 4K pages (mm/memory.c: do_anonymous_page(), do_wp_page()). */
import { PAGE_4K } from "../address.ts";
import type { Leaf } from "../hardware/page-tables.ts";
import type { AddressSpace } from "./address-space.ts";
import { FAULT_HANDLED, type FaultOutcome, outOfMemory } from "./fault-outcome.ts";
import type { Folio } from "./folio.ts";
import { chooseNodes } from "./mempolicy.ts";
import { type KernelState, freeIfUnused, invalidate, mapFolio, folioOf } from "./state.ts";
import { type Vma, leafRights, offsetOf, reusableAnonVma } from "./vma.ts";

/**
 * Precondition: `address` is page-aligned and `leaf`, if any, is not good enough for the access.
 */
export function faultAnonymous(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  address: number,
  isWrite: boolean,
  leaf: Leaf | undefined,
): FaultOutcome {
  if (!leaf && !isWrite) {
    kernel.tables.install(space.root, address, 1, kernel.zeroFrame, leafRights(vma, false));
    return FAULT_HANDLED;
  }
  prepareAnonVma(space, vma);
  const old = leaf && folioOf(kernel, leaf);
  if (old && isReusable(old)) {
    old.isExclusive = true;
    const rights = leafRights(vma, true);
    kernel.tables.protect(space.root, address, address + PAGE_4K, rights);
    if (kernel.events.isHeard) {
      kernel.events.emit({ kind: "reuse", pid: space.pid, frame: old.frame });
    }
    invalidate(kernel, space, address, address + PAGE_4K);
    return FAULT_HANDLED;
  }
  const folio = allocate4K(kernel, vma, address);
  if (!folio) return outOfMemory(kernel, space.pid);
  if (old) {
    kernel.machine.ram.copyFrame(folio.frame, old.frame, 1);
    if (kernel.events.isHeard) {
      const bytes = PAGE_4K;
      kernel.events.emit({ kind: "copy", from: old.frame, to: folio.frame, bytes });
    }
  } else {
    kernel.machine.ram.zeroFrame(folio.frame, 1);
  }
  mapFolio(kernel, space, address, folio, leafRights(vma, true));
  if (leaf) invalidate(kernel, space, address, address + PAGE_4K);
  if (old) {
    old.mapCount--;
    freeIfUnused(kernel, old);
  }
  return FAULT_HANDLED;
}

/** wp_can_reuse_anon_folio(): a page that was shared may still be read by who refers to it. */
function isReusable({ isExclusive, mapCount, nrReferences }: Folio): boolean {
  return isExclusive || (mapCount === 1 && nrReferences === 0);
}

export function allocate4K(kernel: KernelState, vma: Vma, address: number): Folio | undefined {
  const index = offsetOf(vma, address) / PAGE_4K;
  const choice = chooseNodes(kernel.nodes, kernel.current, vma.policy, index);
  const frame = kernel.nodes.allocate(0, choice);
  if (frame === undefined) return undefined;
  if (kernel.events.isHeard) {
    kernel.events.emit({ kind: "allocate", frame, bytes: PAGE_4K, from: "buddy" });
  }
  return kernel.folios.create(frame, 1);
}

/** __anon_vma_prepare(): the first page of its own; a neighbour's anon_vma where it will do. */
export function prepareAnonVma(space: AddressSpace, vma: Vma): void {
  vma.anonVma ??= reusableAnonVma(vma, space.find(vma.end)) ??
    reusableAnonVma(space.find(vma.start - 1), vma) ?? { isForked: false };
}
