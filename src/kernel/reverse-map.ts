/** Who maps a file (i_mmap): each mapping with its address space. */
import type { AddressSpace } from "./address-space.ts";
import type { Inode } from "./hugetlbfs.ts";
import type { Vma } from "./vma.ts";

export class ReverseMap {
  readonly #byInode = new Map<Inode, Map<Vma, AddressSpace>>();

  add(inode: Inode, vma: Vma, space: AddressSpace): void {
    let mappings = this.#byInode.get(inode);
    if (!mappings) this.#byInode.set(inode, (mappings = new Map()));
    mappings.set(vma, space);
  }

  delete(inode: Inode, vma: Vma): void {
    const mappings = this.#byInode.get(inode);
    mappings?.delete(vma);
    if (mappings?.size === 0) this.#byInode.delete(inode);
  }

  /** In the order in which they were made. */
  mappings(inode: Inode): Iterable<readonly [Vma, AddressSpace]> {
    return this.#byInode.get(inode) ?? [];
  }
}
