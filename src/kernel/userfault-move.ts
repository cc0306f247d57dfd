/** UFFDIO_MOVE: pages of 4K change their address (mm/userfaultfd.c: move_pages()). */
import { PAGE_4K } from "../address.ts";
import { prepareAnonVma } from "./anonymous.ts";
import type { Errno } from "./errno.ts";
import { type KernelState, invalidate, folioOf } from "./state.ts";
import type { Userfaultfd } from "./userfaultfd.ts";
import { type Vma, isSameProtection, leafRights } from "./vma.ts";
import { VM_LOCKED } from "./vm-flags.ts";

/** EAGAIN: not all of them. Precondition: both ranges are sane. */
export function movePages(
  kernel: KernelState,
  userfaultfd: Userfaultfd,
  target: number,
  source: number,
  length: number,
): "ok" | Errno {
  const { space } = userfaultfd;
  const [to, from] = [space.find(target), space.find(source)];
  if (to && !to.isShared) prepareAnonVma(space, to);
  if (!to || !from) return "ENOENT";
  if (source + length > from.end || target + length > to.end) return "EINVAL";
  if (!canMove(from, to) || to.userfaultfd !== userfaultfd) return "EINVAL";
  for (let done = 0; done < length; done += PAGE_4K) {
    const error = movePage(kernel, userfaultfd, to, target + done, source + done);
    if (error) return done === 0 ? error : "EAGAIN";
  }
  return "ok";
}

/** validate_move_areas(): both private memory of 4K pages, writable and alike. */
function canMove(from: Vma, to: Vma): boolean {
  if (from.inode || to.inode || !from.protection.write) return false;
  return (
    isSameProtection(from.protection, to.protection) &&
    (from.flags & VM_LOCKED) === (to.flags & VM_LOCKED)
  );
}

/** move_pages_pte(); before it, move_pages() asks for the page table of the source. */
function movePage(
  kernel: KernelState,
  { space }: Userfaultfd,
  vma: Vma,
  target: number,
  source: number,
): Errno | undefined {
  const leaf = kernel.tables.lookup(space.root, source);
  const mark = space.marks.at(source);
  const hasTable = mark !== undefined || kernel.tables.tableAt(space.root, source, 1) !== undefined;
  if (!hasTable) return "ENOENT";
  kernel.tables.ensure(space.root, target, 1);
  if (kernel.tables.lookup(space.root, target) || space.marks.at(target)) return "EEXIST";
  if (!leaf) return mark ? "EFAULT" : "ENOENT";
  const folio = folioOf(kernel, leaf);
  if (folio && folio.mapCount > 1) return "EBUSY";
  space.marks.delete(source);
  kernel.tables.remove(space.root, source, source + PAGE_4K, () => undefined);
  invalidate(kernel, space, source, source + PAGE_4K);
  const rights = leafRights(vma, folio !== undefined);
  kernel.tables.install(space.root, target, 1, leaf.physicalAddress, rights);
  return undefined;
}
