/** fork, exec, exit: address spaces begin and end (kernel/fork.c, mm/hugetlb.c, kernel/exit.c). */
import { ResourceError } from "../errors.ts";
import { AddressSpace } from "./address-space.ts";
import { Descriptors } from "./file.ts";
import { openVma, removeVmas } from "./munmap.ts";
import type { ExitStatus, Process } from "./process.ts";
import { formatStatus } from "./process.ts";
import { bytesOf } from "./folio.ts";
import { ensureTable, isTableShared } from "./shared-tables.ts";
import { type KernelState, invalidate, mapFolio } from "./state.ts";
import { type Vma, leafRights } from "./vma.ts";
import { VM_DONTCOPY, VM_LOCKED, VM_UFFD_MASK, VM_WIPEONFORK } from "./vm-flags.ts";

function createSpace(kernel: KernelState, pid: number): AddressSpace {
  const root = kernel.tables.createRoot();
  return new AddressSpace(root, kernel.freePcids.pop() ?? 0, pid);
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
    status: undefined,
  };
  kernel.processes.set(pid, child);
  kernel.processes.get(parent)?.children.add(child);
  return child;
}

/** dup_mmap(); undefined is ENOMEM. */
export function fork(kernel: KernelState, parent: Process, name: string): Process | undefined {
  let child: Process;
  try {
    child = spawn(kernel, name, parent.pid);
  } catch (error) {
    if (error instanceof ResourceError) return undefined;
    throw error;
  }
  child.catchesSignals = parent.catchesSignals;
  child.descriptors = parent.descriptors.copy();
  child.cgroup = parent.cgroup;
  child.policy = parent.policy;
  for (const vma of parent.space.vmas) {
    if (!(vma.flags & VM_DONTCOPY)) copyVma(kernel, parent.space, child.space, vma);
  }
  return child;
}

/**
 * A child's mapping has neither map nor OWNER: reservations are its parent's. Its private pages
 * are the parent's, write-protected on both sides; pages of shared mappings it faults in.
 */
function copyVma(kernel: KernelState, from: AddressSpace, to: AddressSpace, vma: Vma): void {
  const isWiped = (vma.flags & VM_WIPEONFORK) !== 0;
  const copy: Vma = {
    ...vma,
    flags: vma.flags & ~(VM_LOCKED | VM_UFFD_MASK),
    userfaultfd: undefined,
    isOwner: false,
    reservation: undefined,
    isUnmapped: vma.isUnmapped && !kernel.profile.forkForgetsUnmapped,
    anonVma: vma.anonVma && !isWiped ? { isForked: true } : undefined,
  };
  openVma(kernel, to, copy);
  to.insert(copy);
  if (vma.isShared) {
    if (!kernel.profile.forkCopiesShared) return;
    const { inode } = vma;
    kernel.tables.list(from.root, vma.start, vma.end, (leaf) => {
      if (inode) ensureTable(kernel, to, copy, inode, leaf.address);
      if (isTableShared(kernel, to, leaf.address)) return;
      const folio = kernel.folios.at(leaf.physicalAddress);
      mapFolio(kernel, to, leaf.address, folio, leafRights(copy, leaf.writable));
    });
    return;
  }
  // vma_needs_copy(): where no page is its own there are zeros at most.
  if (!copy.anonVma) return;
  for (const [page, mark] of from.marks.in(vma.start, vma.end)) {
    if (mark === "poisoned" || kernel.profile.forkKeepsProtection) to.marks.set(page, mark);
  }
  let nrShared = 0;
  kernel.tables.share(from.root, to.root, vma.start, vma.end, (leaf) => {
    nrShared++;
    if (leaf.physicalAddress !== kernel.zeroFrame) {
      const folio = kernel.folios.at(leaf.physicalAddress);
      folio.mapCount++;
      if (folio.level > 1) to.hugetlbBytes += bytesOf(folio);
    }
  });
  if (nrShared > 0) invalidate(kernel, from, vma.start, vma.end);
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
  destroySpace(kernel, process.space);
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
