/** mmu_gather (mm/mmu_gather.c): pages that nothing may use until all of a range is unmapped. */
import type { Folio } from "./folio.ts";
import { type KernelState, freeIfUnmapped } from "./state.ts";
import type { Vma } from "./vma.ts";

export class Gather {
  readonly #folios = new Map<Folio, Vma>();

  /** tlb_remove_page(): an entry of `vma` that pointed at the folio is gone. */
  add(folio: Folio, vma: Vma): void {
    this.#folios.set(folio, vma);
  }

  /** tlb_finish_mmu(): frees what nothing maps any more. */
  finish(kernel: KernelState): void {
    for (const [folio, vma] of this.#folios) freeIfUnmapped(kernel, vma, folio);
    this.#folios.clear();
  }
}
