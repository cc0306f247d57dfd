/**
 * Write protection for a userfaultfd (mm/userfaultfd.c: mwriteprotect_range(), uffd_wp_range()).
 */
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { ensureTable } from "./shared-tables.ts";
import { type KernelState, invalidate } from "./state.ts";
import { type Vma, leafRights, pageBytes } from "./vma.ts";
import { VM_UFFD_WP } from "./vm-flags.ts";

/**
 * Protects [start, end) or lifts that. Precondition: the range is sane. What precedes a failure
 * stays changed.
 */
export function writeProtect(
  kernel: KernelState,
  space: AddressSpace,
  start: number,
  end: number,
  isOn: boolean,
): "ok" | Errno {
  const vmas = space.overlapping(start, end);
  const isOne = vmas.length === 1 && vmas[0].start <= start && end <= vmas[0].end;
  if (!isOne && !kernel.profile.writeProtectSpansMappings) return "ENOENT";
  let result: "ok" | Errno = "ENOENT";
  for (const vma of vmas) {
    if (!(vma.flags & VM_UFFD_WP)) return "ENOENT";
    const bytes = pageBytes(vma);
    if (start % bytes !== 0 || (end - start) % bytes !== 0) return "EINVAL";
    const [from, to] = [Math.max(start, vma.start), Math.min(end, vma.end)];
    if (isOn) protect(kernel, space, vma, from, to);
    else liftProtection(kernel, space, vma, from, to);
    result = "ok";
  }
  return result;
}

/**
 * Huge pages are protected even before they are there; 4K ones without UFFD_FEATURE_WP_UNPOPULATED
 * not.
 */
function protect(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  end: number,
): void {
  const { inode } = vma;
  if (inode) {
    for (let page = start; page < end; page += inode.hstate.pageBytes) {
      ensureTable(kernel, space, vma, inode, page);
      if (space.marks.at(page) !== "poisoned") space.marks.set(page, "write-protected");
    }
  } else {
    kernel.tables.list(space.root, start, end, ({ address }) => {
      space.marks.set(address, "write-protected");
    });
  }
  makeReadOnly(kernel, space, vma, start, end);
}

/** Pages become writable again by the next write, which sees whether they are shared. */
export function liftProtection(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  end: number,
): void {
  space.marks.clear(start, end, "write-protected");
  makeReadOnly(kernel, space, vma, start, end);
}

function makeReadOnly(
  kernel: KernelState,
  space: AddressSpace,
  vma: Vma,
  start: number,
  end: number,
): void {
  kernel.tables.protect(space.root, start, end, leafRights(vma, false));
  invalidate(kernel, space, start, end);
}
