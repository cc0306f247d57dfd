/** mmu_gather (mm/mmu_gather.c): pages that nothing may use until all of a range is unmapped. */
import type { Folio } from "./folio.ts";
import { type KernelState, freeIfUnused } from "./state.ts";

export class Gather {
  readonly #folios = new Set<Folio>();

  /** tlb_remove_page(): an entry that pointed at the folio is gone. */
  add(folio: Folio): void {
    this.#folios.add(folio);
  }

  /** tlb_finish_mmu(): frees what nothing uses any more. */
  finish(kernel: KernelState): void {
    for (const folio of this.#folios) freeIfUnused(kernel, folio);
    this.#folios.clear();
  }
}
