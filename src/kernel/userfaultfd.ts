/**
 * userfaultfd (fs/userfaultfd.c): a descriptor that takes the faults of ranges of the address space
 * in which it was made. All have UFFD_FEATURE_SIGBUS: what they take is SIGBUS to who faulted.
 */
import { PAGE_1G, PAGE_4K, roundDown, roundUp } from "../address.ts";
import { type AddressSpace, TASK_SIZE } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { OpenFile } from "./file.ts";
import { modifyVma } from "./pieces.ts";
import { MMAP_MIN } from "./placement.ts";
import { PlainInode } from "./plain-file.ts";
import { unshareTables } from "./shared-tables.ts";
import type { KernelState } from "./state.ts";
import { type Vma, pageBytes } from "./vma.ts";
import { liftProtection } from "./userfault-protect.ts";
import {
  VM_MAYWRITE,
  VM_UFFD_MASK,
  VM_UFFD_MINOR,
  VM_UFFD_MISSING,
  VM_UFFD_WP,
} from "./vm-flags.ts";

/** What a registered range's faults are taken for: no page, one not mapped yet, a protected one. */
export type Tracking = "missing" | "minor" | "wp";

const FLAG_OF: Readonly<Record<Tracking, number>> = {
  missing: VM_UFFD_MISSING,
  minor: VM_UFFD_MINOR,
  wp: VM_UFFD_WP,
};

export interface Range {
  readonly address: number;
  /** Bytes. */
  readonly length: number;
}

/** As a file it is empty and read-only. */
export class Userfaultfd extends OpenFile {
  readonly space: AddressSpace;
  readonly #kernel: KernelState;

  constructor(kernel: KernelState, space: AddressSpace) {
    const inode = new PlainInode();
    inode.nrLinks = 1;
    super(inode, false, false);
    this.space = space;
    this.#kernel = kernel;
  }

  /** mmget_not_zero(): whether its process still has the address space. */
  get isAlive(): boolean {
    const process = this.#kernel.processes.get(this.space.pid);
    return process?.space === this.space && process.status === undefined;
  }

  /** userfaultfd_release(): nobody has a descriptor of it any more. */
  protected override release(): void {
    if (!this.isAlive) return;
    eachPiece(this.space, { address: 0, length: TASK_SIZE }, (vma, start, stop) => {
      return vma.userfaultfd !== this || clearPiece(this.#kernel, this.space, vma, start, stop);
    });
  }
}

/** validate_unaligned_range() */
export function isSaneRange({ address, length }: Range): boolean {
  if (length % PAGE_4K !== 0 || length === 0) return false;
  return address >= MMAP_MIN && address + length <= TASK_SIZE;
}

/** validate_range() */
export function isSanePageRange(range: Range): boolean {
  return range.address % PAGE_4K === 0 && isSaneRange(range);
}

/**
 * userfaultfd_register(). What a mapping was tracked for before is replaced, unless it was more.
 */
export function register(
  kernel: KernelState,
  userfaultfd: Userfaultfd,
  range: Range,
  tracked: ReadonlySet<Tracking>,
): "ok" | Errno {
  if (!isSanePageRange(range)) return "EINVAL";
  if (!userfaultfd.isAlive) return "ENOMEM";
  const { space } = userfaultfd;
  const vmas = space.overlapping(range.address, range.address + range.length);
  if (vmas.length === 0 || !startsAtPage(vmas[0], range)) return "EINVAL";
  for (const vma of vmas) {
    const error = whyNotRegister(userfaultfd, vma, range, tracked);
    if (error) return error;
  }
  const flags = [...tracked].reduce((all, word) => all | FLAG_OF[word], 0);
  eachPiece(space, range, (vma, start, stop) => {
    if (vma.userfaultfd === userfaultfd && (vma.flags & flags) === flags) return true;
    const change = { userfaultfd, flags: (vma.flags & ~VM_UFFD_MASK) | flags };
    if (flags & (VM_UFFD_WP | VM_UFFD_MINOR)) unshareWholeTables(kernel, space, vma);
    return modifyVma(kernel, space, start, stop, change) !== undefined;
  });
  return "ok";
}

function whyNotRegister(
  userfaultfd: Userfaultfd,
  vma: Vma,
  { address, length }: Range,
  tracked: ReadonlySet<Tracking>,
): Errno | undefined {
  // vma_can_userfault(): anonymous memory has no page cache.
  if (tracked.has("minor") && !vma.inode) return "EINVAL";
  if (!(vma.flags & VM_MAYWRITE)) return "EPERM";
  const end = address + length;
  if (end <= vma.end && end % pageBytes(vma) !== 0) return "EINVAL";
  return vma.userfaultfd && vma.userfaultfd !== userfaultfd ? "EBUSY" : undefined;
}

/** userfaultfd_unregister(). What is not registered is passed over. */
export function unregister(
  kernel: KernelState,
  userfaultfd: Userfaultfd,
  range: Range,
): "ok" | Errno {
  if (!isSanePageRange(range)) return "EINVAL";
  if (!userfaultfd.isAlive) return "ENOMEM";
  const { space } = userfaultfd;
  const vmas = space.overlapping(range.address, range.address + range.length);
  if (vmas.length === 0 || !startsAtPage(vmas[0], range)) return "EINVAL";
  const isAnothers = (vma: Vma): boolean =>
    vma.userfaultfd !== undefined && vma.userfaultfd !== userfaultfd;
  if (kernel.profile.unregisterChecksOwner && vmas.some(isAnothers)) return "EINVAL";
  const isDone = eachPiece(space, range, (vma, start, stop) => {
    return vma.userfaultfd === undefined || clearPiece(kernel, space, vma, start, stop);
  });
  return isDone ? "ok" : "EINVAL";
}

/** userfaultfd_clear_vma(): false where a border lies inside a huge page. */
function clearPiece(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  stop: number,
): boolean {
  if (vma.flags & VM_UFFD_WP) liftProtection(kernel, space, vma, start, stop);
  const change = { userfaultfd: undefined, flags: vma.flags & ~VM_UFFD_MASK };
  return modifyVma(kernel, space, start, stop, change) !== undefined;
}

/** Where the first mapping has huge pages the range has to start at one. */
function startsAtPage(vma: Vma, { address }: Range): boolean {
  return address % pageBytes(vma) === 0;
}

/** Visits the mapped pieces of the range, whose mappings may change, until one is false. */
function eachPiece(
  space: AddressSpace,
  { address, length }: Range,
  visit: (vma: Vma, start: number, stop: number) => boolean,
): boolean {
  const end = address + length;
  for (let at = address; at < end;) {
    const vma = space.firstEndingAfter(at);
    if (!vma || vma.start >= end) return true;
    const stop = Math.min(end, vma.end);
    if (!visit(vma, Math.max(at, vma.start), stop)) return false;
    at = stop;
  }
  return true;
}

/** hugetlb_unshare_all_pmds() */
function unshareWholeTables(kernel: KernelState, space: AddressSpace, vma: Vma): void {
  if (!vma.inode) return;
  unshareTables(kernel, space, roundUp(vma.start, PAGE_1G), roundDown(vma.end, PAGE_1G));
}
