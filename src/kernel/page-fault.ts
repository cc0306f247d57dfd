/** The page fault (arch/x86/mm/fault.c, mm/hugetlb.c: hugetlb_fault(), hugetlb_no_page()). */
import { USER_END, roundDown } from "../address.ts";
import { ERROR_I, ERROR_W, VECTOR_GP } from "../../assembly/layout.ts";
import type { Fault } from "../fault.ts";
import { traceWalk } from "../hardware/inspect.ts";
import type { AddressSpace } from "./address-space.ts";
import { faultAnonymous, prepareAnonVma } from "./anonymous.ts";
import { copyOnWrite } from "./copy-on-write.ts";
import { FAULT_HANDLED, type FaultOutcome, SIGBUS, type Signal, noPage } from "./fault-outcome.ts";
import type { Inode } from "./hugetlbfs.ts";
import { allocateHuge } from "./reservation.ts";
import { ensureTable } from "./shared-tables.ts";
import { expandStack } from "./stack.ts";
import { tryMarkedFault } from "./marked-fault.ts";
import { type KernelState, invalidate, mapFolio, printk } from "./state.ts";
import {
  type Protection,
  type Vma,
  fileIndex,
  leafRights,
  pageBytes,
  isAccessible,
} from "./vma.ts";
import { VM_LOCKONFAULT, VM_UFFD_MINOR, VM_UFFD_MISSING } from "./vm-flags.ts";

export type AccessIntent = "read" | "write" | "fetch";

const segv = (code: "MAPERR" | "ACCERR" | "KERNEL"): Signal => ({
  kind: "signal",
  signal: "SIGSEGV",
  code,
});

/** Resolves what a CPU running in `space` reported. */
export function handleFault(kernel: KernelState, space: AddressSpace, fault: Fault): FaultOutcome {
  if (kernel.events.isHeard) {
    const walk = traceWalk(kernel.machine.ram, space.root, fault.address);
    kernel.events.emit({ kind: "fault", pid: space.pid, fault, walk });
  }
  if (fault.vector === VECTOR_GP) return segv("KERNEL");
  if (fault.address >= BigInt(USER_END)) return segv("MAPERR");
  const address = Number(fault.address);
  const vma = space.find(address) ?? expandStack(kernel, space, address);
  if (!vma) return segv("MAPERR");
  const intent = fault.errorCode & ERROR_W ? "write" : fault.errorCode & ERROR_I ? "fetch" : "read";
  if (!allows(vma.protection, intent)) return segv("ACCERR");
  return faultIn(kernel, space, vma, address, intent);
}

/** access_error(): a mapping that can be written or executed can be read. */
function allows(protection: Protection, intent: AccessIntent): boolean {
  if (intent === "write") return protection.write;
  if (intent === "fetch") return protection.execute;
  return isAccessible(protection);
}

/** handle_mm_fault(). Precondition: the mapping allows the access. */
export function faultIn(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  address: number,
  intent: AccessIntent,
): FaultOutcome {
  const isWrite = intent === "write";
  const page = roundDown(address, pageBytes(vma));
  if (vma.inode) ensureTable(kernel, space, vma, vma.inode, page);
  const leaf = kernel.tables.lookup(space.root, page);
  if (leaf && (!isWrite || leaf.writable)) {
    // Somebody was faster, or the TLB is older than the tables.
    invalidate(kernel, space, page, page + pageBytes(vma));
    return FAULT_HANDLED;
  }
  const userfault = tryMarkedFault(kernel, space, vma, page, leaf);
  if (userfault) return userfault;
  if (!vma.inode) return faultAnonymous(kernel, space, vma, page, isWrite, leaf);
  if (leaf) return copyOnWrite(kernel, space, vma, vma.inode, leaf);
  return faultHuge(kernel, space, vma, vma.inode, page, isWrite);
}

/** hugetlb_no_page(): the entry is empty. */
function faultHuge(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  inode: Inode,
  page: number,
  isWrite: boolean,
): FaultOutcome {
  if (vma.isUnmapped) {
    printk(kernel, `PID ${space.pid} killed due to inadequate hugepage pool`);
    return SIGBUS;
  }
  const index = fileIndex(vma, inode, page);
  let folio = inode.pages.get(index);
  if (!folio) {
    if (index >= Math.floor(inode.size / inode.hstate.pageBytes)) return SIGBUS;
    if (vma.flags & VM_UFFD_MISSING) return SIGBUS;
    folio = allocateHuge(kernel, vma, inode, page, false);
    if (!folio) return noPage(kernel, space.pid);
    kernel.machine.ram.zeroFrame(folio.frame, folio.level);
    if (vma.isShared) inode.addPage(index, folio);
    else prepareAnonVma(space, vma);
  } else if (vma.flags & VM_UFFD_MINOR) {
    return SIGBUS;
  }
  // make_huge_pte(): a page of the file is writable in a shared mapping alone.
  const isMine = vma.isShared ? vma.protection.write : isWrite && !folio.isInPageCache;
  const isWritable = isMine && space.marks.at(page) === undefined;
  mapFolio(kernel, space, page, folio, leafRights(vma, isWritable));
  return isWrite && !isWritable ? faultIn(kernel, space, vma, page, "write") : FAULT_HANDLED;
}

/** Faults in each page of [start, end) that lies in `vma`, as mlock and MAP_POPULATE do. */
export function populate(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  end: number,
): { readonly nrPages: number; readonly isComplete: boolean } {
  // populate_vma_page_range(): what is locked on fault waits for it.
  if (vma.flags & VM_LOCKONFAULT) return { nrPages: 0, isComplete: true };
  // Private writable memory is broken from its copies at once.
  const intent: AccessIntent = vma.protection.write && !vma.isShared ? "write" : "read";
  const bytes = pageBytes(vma);
  let nrPages = 0;
  for (let page = roundDown(start, bytes); page < end; page += bytes) {
    if (!allows(vma.protection, intent)) return { nrPages, isComplete: false };
    let outcome = faultIn(kernel, space, vma, page, intent);
    // __mm_populate(): after a part that was done it goes on with the page that was not.
    if (outcome.kind !== "handled" && nrPages > 0) {
      outcome = faultIn(kernel, space, vma, page, intent);
    }
    if (outcome.kind !== "handled") return { nrPages, isComplete: false };
    nrPages++;
  }
  return { nrPages, isComplete: true };
}
