/** fork, exec, exit: address spaces begin and end (kernel/fork.c, mm/hugetlb.c, kernel/exit.c). */
import { pageBytesOf } from "../address.ts";
import { ResourceError } from "../errors.ts";
import type { Leaf } from "../hardware/page-tables.ts";
import { AddressSpace } from "./address-space.ts";
import { allocate4K } from "./anonymous.ts";
import { Descriptors } from "./descriptors.ts";
import { bytesOf } from "./folio.ts";
import { removeVmas } from "./munmap.ts";
import { openVma } from "./pieces.ts";
import type { ExitStatus, Process } from "./process.ts";
import { formatStatus } from "./process.ts";
import { allocateHuge } from "./reservation.ts";
import { INITIAL_LIMITS } from "./rlimit.ts";
import { ensureTable, isTableShared } from "./shared-tables.ts";
import { type KernelState, invalidate, mapFolio, folioOf } from "./state.ts";
import { type Vma, leafRights } from "./vma.ts";
import { VM_DONTCOPY, VM_LOCKED_MASK, VM_UFFD_MASK, VM_WIPEONFORK } from "./vm-flags.ts";

function createSpace(kernel: KernelState, pid: number): AddressSpace {
  const root = kernel.tables.createRoot();
  const { mergesWithUntouched } = kernel.profile;
  return new AddressSpace(root, kernel.freePcids.pop() ?? 0, pid, mergesWithUntouched);
}

/** exit_mmap(): all pages of all mappings, then what the mappings held, then the tables. */
function destroySpace(kernel: KernelState, space: AddressSpace): void {
  removeVmas(kernel, space, [...space.vmas]);
  for (const cpu of space.ranOn) {
    if (kernel.running[cpu] === space) kernel.running[cpu] = undefined;
  }
  kernel.tables.destroyRoot(space.root);
  if (space.pcid !== 0) kernel.freePcids.push(space.pcid);
}

/** A process whose address space is empty. Throws ResourceError if RAM has no frame for it. */
export function spawn(kernel: KernelState, name: string, parent: number): Process {
  const pid = kernel.nextPid++;
  const child: Process = {
    pid,
    name,
    parent,
    children: new Set(),
    cpu: pid % kernel.machine.cpus.length,
    space: createSpace(kernel, pid),
    policy: undefined,
    catchesSignals: false,
    descriptors: new Descriptors(),
    cgroup: undefined,
    isStuck: false,
    uid: 0,
    limits: INITIAL_LIMITS,
    status: undefined,
  };
  kernel.processes.set(pid, child);
  kernel.processes.get(parent)?.children.add(child);
  return child;
}

/** copy_process(), dup_mmap(); undefined is ENOMEM. */
export function fork(kernel: KernelState, parent: Process, name: string): Process | undefined {
  let child: Process;
  try {
    child = spawn(kernel, name, parent.pid);
  } catch (error) {
    if (error instanceof ResourceError) return undefined;
    throw error;
  }
  child.catchesSignals = parent.catchesSignals;
  child.cgroup = parent.cgroup;
  child.policy = parent.policy;
  child.uid = parent.uid;
  child.limits = parent.limits;
  for (const vma of parent.space.vmas) {
    if (vma.flags & VM_DONTCOPY || copyVma(kernel, parent.space, child.space, vma)) continue;
    destroySpace(kernel, child.space);
    release(kernel, child);
    return undefined;
  }
  child.descriptors = parent.descriptors.copy();
  return child;
}

/**
 * A child's mapping has neither map nor OWNER: reservations are its parent's. Its private pages
 * are the parent's, write-protected on both sides; pages of shared mappings it faults in. False:
 * there is no page for the copy of a pinned one.
 */
function copyVma(kernel: KernelState, from: AddressSpace, to: AddressSpace, vma: Vma): boolean {
  const isWiped = (vma.flags & VM_WIPEONFORK) !== 0;
  const copy: Vma = {
    ...vma,
    flags: vma.flags & ~(VM_LOCKED_MASK | VM_UFFD_MASK),
    userfaultfd: undefined,
    isOwner: false,
    reservation: undefined,
    isUnmapped: vma.isUnmapped && !kernel.profile.forkForgetsUnmapped,
    anonVma: vma.anonVma && !isWiped ? { isForked: true } : undefined,
  };
  openVma(kernel, to, copy);
  to.insert(copy);
  if (vma.isShared) {
    if (kernel.profile.forkCopiesShared) copySharedEntries(kernel, from, to, copy);
    return true;
  }
  // vma_needs_copy(): where no page is its own there are zeros at most.
  if (!copy.anonVma) return true;
  for (const [page, mark] of from.marks.in(vma.start, vma.end)) {
    const isKept = mark !== "write-protected" || kernel.profile.forkKeepsProtection;
    if (isKept) to.marks.set(page, mark);
  }
  // What is pinned is the parent's alone: between such pages the rest is shared.
  let start = vma.start;
  for (const leaf of pinnedLeaves(kernel, from, vma)) {
    shareEntries(kernel, from, to, start, leaf.address);
    if (!copyPinned(kernel, to, copy, leaf)) return false;
    start = leaf.address + pageBytesOf(leaf.level);
  }
  shareEntries(kernel, from, to, start, vma.end);
  return true;
}

function copySharedEntries(
  kernel: KernelState,
  from: AddressSpace,
  to: AddressSpace,
  copy: Vma,
): void {
  const { inode } = copy;
  kernel.tables.list(from.root, copy.start, copy.end, (leaf) => {
    if (inode) ensureTable(kernel, to, copy, inode, leaf.address);
    if (isTableShared(kernel, to, leaf.address)) return;
    const folio = kernel.folios.at(leaf.physicalAddress);
    mapFolio(kernel, to, leaf.address, folio, leafRights(copy, leaf.writable));
  });
}

function shareEntries(
  kernel: KernelState,
  from: AddressSpace,
  to: AddressSpace,
  start: number,
  end: number,
): void {
  let nrShared = 0;
  kernel.tables.share(from.root, to.root, start, end, (leaf) => {
    nrShared++;
    const folio = folioOf(kernel, leaf);
    if (!folio) return;
    folio.mapCount++;
    folio.isExclusive = false;
    if (folio.level > 1) to.hugetlbBytes += bytesOf(folio);
  });
  if (nrShared > 0) invalidate(kernel, from, start, end);
}

/** folio_needs_cow_for_dma() */
function pinnedLeaves(kernel: KernelState, space: AddressSpace, vma: Vma): Leaf[] {
  const found: Leaf[] = [];
  kernel.tables.list(space.root, vma.start, vma.end, (leaf) => {
    const folio = folioOf(kernel, leaf);
    if (folio && folio.nrPins > 0 && !folio.isInPageCache) found.push(leaf);
  });
  return found;
}

/** copy_hugetlb_page_range(), copy_present_page(): the child's own copy, at once. */
function copyPinned(kernel: KernelState, to: AddressSpace, vma: Vma, leaf: Leaf): boolean {
  const folio = vma.inode
    ? allocateHuge(kernel, vma, vma.inode, leaf.address, false)
    : allocate4K(kernel, vma, leaf.address);
  if (!folio) return false;
  kernel.machine.ram.copyFrame(folio.frame, leaf.physicalAddress, leaf.level);
  if (kernel.events.isHeard) {
    const bytes = pageBytesOf(leaf.level);
    kernel.events.emit({ kind: "copy", from: leaf.physicalAddress, to: folio.frame, bytes });
  }
  const rights = leafRights(vma, true);
  const isWritable = rights.writable || (leaf.level > 1 && kernel.profile.pinnedCopyIsWritable);
  mapFolio(kernel, to, leaf.address, folio, { ...rights, writable: isWritable });
  return true;
}

/** exec: every mapping goes, and every descriptor, and signal handlers are reset. */
export function exec(kernel: KernelState, process: Process): void {
  destroySpace(kernel, process.space);
  process.space = createSpace(kernel, process.pid);
  process.descriptors.closeAll();
  process.catchesSignals = false;
}

/** do_exit(): memory goes at once; the status stays until the parent waits. */
export function end(kernel: KernelState, process: Process, status: ExitStatus): void {
  const { current } = kernel;
  // Whoever has killed it, it ends on its own CPU.
  kernel.current = process;
  destroySpace(kernel, process.space);
  kernel.current = current;
  process.descriptors.closeAll();
  process.status = status;
  if (kernel.events.isHeard) {
    const { pid, name } = process;
    kernel.events.emit({ kind: "exit", pid, name, status: formatStatus(status) });
  }
  for (const child of process.children) {
    child.parent = 1;
    // init waits at once.
    if (child.status) release(kernel, child);
  }
  process.children.clear();
  if (process.parent === 1) release(kernel, process);
}

/** release_task(): its parent has waited for it. */
export function release(kernel: KernelState, process: Process): void {
  kernel.processes.delete(process.pid);
  kernel.processes.get(process.parent)?.children.delete(process);
}
