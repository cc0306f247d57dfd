/** References of those who use a page without mapping it (folio_get(), pin_user_pages()). */
import type { HeldPage } from "./folio.ts";
import { type KernelState, freeIfUnused } from "./state.ts";

/** `isPin`: FOLL_PIN, for I/O; fork copies such a page instead of sharing it. */
export function takeReference({ folio }: HeldPage, isPin: boolean): void {
  if (!folio) return;
  folio.nrReferences++;
  if (isPin) folio.nrPins++;
}

/** The page is freed if that was its last use. */
export function dropReference(kernel: KernelState, { folio }: HeldPage, isPin: boolean): void {
  if (!folio) return;
  folio.nrReferences--;
  if (isPin) folio.nrPins--;
  freeIfUnused(kernel, folio);
}
