/** mmap: placement, the checks in the kernel's order, reservation (mm/mmap.c, ksys_mmap_pgoff()). */
import { PAGE_4K, USER_END, roundDown, roundUp } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import type { Hstate } from "./hstate.ts";
import { Inode } from "./hugetlbfs.ts";
import { munmap, openVma } from "./munmap.ts";
import { populate } from "./page-fault.ts";
import { reserveForMmap } from "./reservation.ts";
import type { KernelState } from "./state.ts";
import type { Protection, Vma } from "./vma.ts";

export interface MmapRequest {
  /** Bytes; rounded up to the page. */
  readonly length: number;
  readonly protection: Protection;
  /** MAP_SHARED; otherwise MAP_PRIVATE. Shared anonymous memory is modelled for huge pages. */
  readonly isShared?: boolean;
  /** Bytes of the huge page (MAP_HUGETLB); undefined: 4K pages. */
  readonly hugePageBytes?: number;
  /** MAP_NORESERVE */
  readonly isNoreserve?: boolean;
  /** MAP_POPULATE, MAP_LOCKED */
  readonly isPopulated?: boolean;
  /** Bytes; of huge memory the first index that it maps of its new file follows from it. */
  readonly offset?: number;
  /** A hint, or with `placement` the address itself. */
  readonly at?: number;
  readonly placement?: "hint" | "fixed" | "fixed_noreplace";
  /** MAP_32BIT: in the second GiB. */
  readonly is32Bit?: boolean;
}

/** loff_t ends at 2^63. */
const OFFSET_END = 2 ** 63;

/** The address of the new mapping, or the error's name. */
export function mmap(
  kernel: KernelState,
  space: AddressSpace,
  request: MmapRequest,
): number | Errno {
  const hstate = hstateOf(kernel, request.hugePageBytes);
  if (hstate === "EINVAL") return "EINVAL";
  const bytes = hstate?.pageBytes ?? PAGE_4K;
  if (request.length === 0) return "EINVAL";
  if (hstate && !kernel.profile.roundsHugeLength && request.length % bytes !== 0) return "EINVAL";
  const length = roundUp(request.length, bytes);
  if (length > USER_END) return "ENOMEM";
  const offset = request.offset ?? 0;
  if (offset % bytes !== 0) return "EINVAL";
  if (offset + length >= OFFSET_END) return "EOVERFLOW";
  const start = place(kernel, space, request, length, bytes);
  if (typeof start !== "number") return start;
  // The old mapping's pages and reservation go before the new one's are asked for.
  if (request.placement === "fixed") {
    const unmapped = munmap(kernel, space, start, length);
    if (unmapped !== "ok") return unmapped;
  }
  const vma: Vma = {
    start,
    end: start + length,
    protection: request.protection,
    isShared: request.isShared ?? false,
    isNoreserve: request.isNoreserve ?? false,
    isDontFork: false,
    // A writable mapping extends the file to its end (hugetlbfs_file_mmap()).
    inode: hstate && new Inode(hstate, request.protection.write ? offset + length : length),
    offset: hstate ? offset : 0,
    isOwner: false,
    reservation: undefined,
    isUnmapped: false,
    anonVma: undefined,
  };
  if (vma.inode && !reserveForMmap(kernel, vma, vma.inode)) return "ENOMEM";
  openVma(kernel, space, vma);
  space.insert(vma);
  space.merge(start, start + length);
  if (request.isPopulated) {
    const merged = space.find(start);
    if (merged) populate(kernel, space, merged, start, start + length);
  }
  return start;
}

function hstateOf(kernel: KernelState, bytes: number | undefined): Hstate | undefined | "EINVAL" {
  return bytes === undefined ? undefined : (kernel.hstates.get(bytes) ?? "EINVAL");
}

/** get_unmapped_area() */
function place(
  kernel: KernelState,
  space: AddressSpace,
  request: MmapRequest,
  length: number,
  bytes: number,
): number | Errno {
  const { at, placement = "hint" } = request;
  if (at !== undefined && placement !== "hint") {
    if (at % bytes !== 0) return "EINVAL";
    if (at + length > USER_END) return "ENOMEM";
    if (placement === "fixed_noreplace" && !space.isFree(at, at + length)) return "EEXIST";
    return at;
  }
  if (at !== undefined && at > 0) {
    const isUp = bytes > PAGE_4K && kernel.profile.hintIsRounded === "up";
    const hint = isUp ? roundUp(at, bytes) : roundDown(at, bytes);
    if (hint > 0 && space.isFree(hint, hint + length)) return hint;
  }
  return space.findGap(length, bytes, request.is32Bit ?? false) ?? "ENOMEM";
}
