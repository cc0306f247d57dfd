/**
 * How a page comes to where a userfaultfd's faults were (mm/userfaultfd.c: mfill_atomic(),
 * mm/hugetlb.c: hugetlb_mfill_atomic_pte()).
 */
import type { AddressSpace } from "./address-space.ts";
import { chooseNodes } from "./mempolicy.ts";
import { allocate4K, prepareAnonVma } from "./anonymous.ts";
import type { Errno } from "./errno.ts";
import type { Folio } from "./folio.ts";
import type { Inode } from "./hugetlbfs.ts";
import { allocateHuge, needsReservation, returnUnused } from "./reservation.ts";
import { ensureTable } from "./shared-tables.ts";
import { type KernelState, freeIfUnused, mapFolio } from "./state.ts";
import { copyUserToFrame, faultInUser, isUserReadable } from "./user-copy.ts";
import { type Vma, fileIndex, leafRights, pageBytes } from "./vma.ts";
import { VM_UFFD_WP } from "./vm-flags.ts";

type Filling =
  /** UFFDIO_COPY: from `source` in `reader`, the address space of who asks. */
  | { readonly kind: "copy"; readonly source: number; readonly reader: AddressSpace }
  /** UFFDIO_CONTINUE: the page that the file has. */
  | { readonly kind: "continue" }
  | { readonly kind: "zeropage" }
  /** UFFDIO_POISON: nothing, from now on. */
  | { readonly kind: "poison" };

export interface Fill {
  /** Of the first byte, and one past the last. */
  readonly start: number;
  readonly end: number;
  readonly filling: Filling;
  readonly isWriteProtected: boolean;
}

/** Fills page by page; EAGAIN: not all of them. Precondition: the range is sane. */
export function fill(kernel: KernelState, space: AddressSpace, request: Fill): "ok" | Errno {
  const { start, end, filling, isWriteProtected } = request;
  const vma = space.find(start);
  if (!vma) return "ENOENT";
  const isPrivate = !vma.isShared;
  if (isPrivate && kernel.profile.fillPreparesFirst) prepareAnonVma(space, vma);
  if (end > vma.end || !vma.userfaultfd) return "ENOENT";
  if (isWriteProtected && !(vma.flags & VM_UFFD_WP)) return "EINVAL";
  if (!canFill(vma, request)) return "EINVAL";
  if (isPrivate) prepareAnonVma(space, vma);
  for (let page = start; page < end; page += pageBytes(vma)) {
    const step = filling.kind === "copy" ? advance(filling, page - start) : filling;
    const error = vma.inode
      ? fillHuge(kernel, space, vma, vma.inode, page, step, isWriteProtected)
      : fill4K(kernel, space, vma, page, step, isWriteProtected);
    if (error) return page === start ? error : "EAGAIN";
  }
  return "ok";
}

function canFill(vma: Vma, { start, end, filling }: Fill): boolean {
  if (!vma.inode) return filling.kind !== "continue";
  const bytes = pageBytes(vma);
  return filling.kind !== "zeropage" && start % bytes === 0 && (end - start) % bytes === 0;
}

function advance(copy: Extract<Filling, { kind: "copy" }>, bytes: number): Filling {
  return { ...copy, source: copy.source + bytes };
}

function fillHuge(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  inode: Inode,
  page: number,
  filling: Filling,
  isWriteProtected: boolean,
): Errno | undefined {
  ensureTable(kernel, space, vma, inode, page);
  const isMapped = (): boolean => kernel.tables.lookup(space.root, page) !== undefined;
  if (filling.kind !== "continue" && isMapped()) return "EEXIST";
  if (filling.kind === "poison") return poison(space, page);
  const folio =
    filling.kind === "copy"
      ? copyHuge(kernel, vma, inode, page, filling, isMapped)
      : inode.pages.get(fileIndex(vma, inode, page));
  if (!folio) return "EFAULT";
  if (typeof folio === "string") return folio;
  if (isMapped()) return "EEXIST";
  // A page of the file is writable in a shared mapping alone.
  const isMine = vma.isShared || !folio.isInPageCache;
  map(kernel, space, vma, page, folio, isMine, isWriteProtected);
  return undefined;
}

/** A new page with the source's contents, in the page cache where the mapping is shared. */
function copyHuge(
  kernel: KernelState,
  vma: Vma,
  inode: Inode,
  page: number,
  { source, reader }: Extract<Filling, { kind: "copy" }>,
  isMapped: () => boolean,
): Folio | Errno {
  const { hstate } = inode;
  const index = fileIndex(vma, inode, page);
  const isCached = (): boolean => vma.isShared && inode.pages.has(index);
  if (isCached()) return "EEXIST";
  const wasKept = !needsReservation(vma, inode, index);
  let folio = allocateHuge(kernel, vma, inode, page, false);
  if (!folio) return hstate.level === 2 ? kernel.profile.copyWithoutPage : "ENOMEM";
  if (!isUserReadable(kernel, reader, source, hstate.pageBytes)) {
    // What is copied waits in another page until the source has been faulted in.
    returnUnused(vma, inode, page, folio, wasKept);
    const putBack = hstate.takeTemporary(
      chooseNodes(kernel.nodes, kernel.current, vma.policy, index),
    );
    if (!putBack) return "ENOMEM";
    const isReadable = faultInUser(kernel, reader, source, hstate.pageBytes);
    const isThere = isMapped() || isCached();
    folio = isReadable && !isThere ? allocateHuge(kernel, vma, inode, page, false) : undefined;
    putBack();
    if (!isReadable) return "EFAULT";
    if (!folio) return isThere ? "EEXIST" : "ENOMEM";
  }
  copyUserToFrame(kernel, reader, source, folio.frame, hstate.pageBytes);
  if (!vma.isShared) return folio;
  if (index >= Math.floor(inode.size / hstate.pageBytes)) {
    returnUnused(vma, inode, page, folio, wasKept);
    return "EFAULT";
  }
  inode.addPage(index, folio);
  return folio;
}

function fill4K(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  page: number,
  filling: Filling,
  isWriteProtected: boolean,
): Errno | undefined {
  const isMapped = kernel.tables.lookup(space.root, page) !== undefined;
  if (filling.kind === "copy") {
    const { source, reader } = filling;
    const folio = allocate4K(kernel, vma, page);
    if (!folio) return "ENOMEM";
    const isReadable = faultInUser(kernel, reader, source, pageBytes(vma));
    if (!isReadable || kernel.tables.lookup(space.root, page)) {
      freeIfUnused(kernel, folio);
      return isReadable ? "EEXIST" : "EFAULT";
    }
    copyUserToFrame(kernel, reader, source, folio.frame, pageBytes(vma));
    map(kernel, space, vma, page, folio, true, isWriteProtected);
    return undefined;
  }
  if (isMapped || space.marks.at(page)) return "EEXIST";
  if (filling.kind === "poison") return poison(space, page);
  kernel.tables.install(space.root, page, 1, kernel.zeroFrame, leafRights(vma, false));
  return undefined;
}

/** A marked entry is not overwritten. */
function poison(space: AddressSpace, page: number): Errno | undefined {
  if (space.marks.at(page)) return "EEXIST";
  space.marks.set(page, "poisoned");
  return undefined;
}

function map(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  page: number,
  folio: Folio,
  isMine: boolean,
  isWriteProtected: boolean,
): void {
  const isWritable = isMine && vma.protection.write && !isWriteProtected;
  mapFolio(kernel, space, page, folio, leafRights(vma, isWritable));
  if (isWriteProtected) space.marks.set(page, "write-protected");
  else space.marks.delete(page);
}
