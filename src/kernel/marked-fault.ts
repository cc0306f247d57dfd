/**
 * Faults of pages that carry a mark instead of an entry, or beside one: poison, guards, protection
 * for a userfaultfd (mm/memory.c: handle_pte_marker(), mm/hugetlb.c: hugetlb_fault()).
 */
import type { Leaf } from "../hardware/page-tables.ts";
import type { AddressSpace } from "./address-space.ts";
import { type FaultOutcome, GUARDED, SIGBUS, stuck } from "./fault-outcome.ts";
import { type KernelState, printk } from "./state.ts";
import type { Vma } from "./vma.ts";
import { VM_UFFD_MISSING, VM_UFFD_WP } from "./vm-flags.ts";

/** What a mark, or tracking of 4K memory, makes of a fault; undefined: it is an ordinary one. */
export function tryMarkedFault(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  page: number,
  leaf: Leaf | undefined,
): FaultOutcome | undefined {
  const mark = space.marks.at(page);
  if (mark === "poisoned") return poisonFault(kernel, space, page);
  if (mark === "guard") return GUARDED;
  // handle_userfault(), as UFFD_FEATURE_SIGBUS has it, is SIGBUS.
  if (!leaf) return !vma.inode && vma.flags & VM_UFFD_MISSING ? SIGBUS : undefined;
  if (!mark) return undefined;
  if (vma.flags & VM_UFFD_WP) return SIGBUS;
  if (vma.inode) {
    const why = "the page is protected for a userfaultfd that does not track that any more";
    return stuck(kernel, space.pid, page, why);
  }
  space.marks.delete(page);
  return undefined;
}

/** do_sigbus() of VM_FAULT_HWPOISON */
function poisonFault(kernel: KernelState, space: AddressSpace, page: number): FaultOutcome {
  if (!kernel.profile.hasMemoryFailure) return SIGBUS;
  const name = kernel.processes.get(space.pid)?.name ?? "";
  const where = page.toString(16);
  printk(
    kernel,
    `MCE: Killing ${name}:${space.pid} due to hardware memory corruption fault at ${where}`,
  );
  return { kind: "signal", signal: "SIGBUS", code: "MCEERR_AR" };
}
