/** Where a new mapping goes (mm/mmap.c: __get_unmapped_area(), arch/x86/kernel/sys_x86_64.c). */
import { PAGE_2M, PAGE_4K, roundDown, roundUp } from "../address.ts";
import { type AddressSpace, TASK_SIZE } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import type { Profile } from "./profile.ts";

/** mmap_base without randomisation: new mappings go below it, top down. */
const MMAP_BASE = 0x7fff_f7ff_f000;
/** vm.mmap_min_addr */
export const MMAP_MIN = 0x1_0000;
/** MAP_32BIT: bottom up from here. */
const MMAP_32BIT_LOWEST = 0x4000_0000;
const MMAP_32BIT_END = 0x8000_0000;

export interface Placement {
  /** Bytes, in whole pages of `pageBytes`. */
  readonly length: number;
  readonly pageBytes: number;
  /** A hint, or the address itself; 0: none. */
  readonly at: number;
  readonly isFixed: boolean;
  readonly is32Bit: boolean;
}

/** __get_unmapped_area(): the address, which is free unless it was fixed. */
export function getUnmappedArea(
  profile: Profile,
  space: AddressSpace,
  wanted: Placement,
): number | Errno {
  const { length, pageBytes, at, isFixed } = wanted;
  if (length > TASK_SIZE) return "ENOMEM";
  // hugetlb_get_unmapped_area() looks before the range is judged.
  if (isFixed && pageBytes > PAGE_4K && at % pageBytes !== 0) return "EINVAL";
  const start = isFixed ? at : findArea(profile, space, wanted);
  if (start === undefined || start > TASK_SIZE - length) return "ENOMEM";
  return start % PAGE_4K === 0 ? start : "EINVAL";
}

function findArea(profile: Profile, space: AddressSpace, wanted: Placement): number | undefined {
  const { length, pageBytes, is32Bit } = wanted;
  const hint = roundHint(profile, wanted);
  const end = is32Bit ? MMAP_32BIT_END : TASK_SIZE;
  if (hint > 0 && hint <= end - length && space.isFreeForHint(hint, hint + length)) return hint;
  const find = (bytes: number): number | undefined =>
    is32Bit
      ? space.findLowest(bytes, pageBytes, MMAP_32BIT_LOWEST, MMAP_32BIT_END)
      : space.findHighest(bytes, pageBytes, MMAP_MIN, MMAP_BASE);
  const mayBeTransparent = pageBytes === PAGE_4K && length % PAGE_2M === 0;
  if (profile.alignsAnonymous && mayBeTransparent && hint === 0) {
    // __thp_get_unmapped_area(): room for 2M more, and the first border of 2M inside it.
    const room = find(length + PAGE_2M);
    if (room !== undefined) return roundDown(room, PAGE_2M) + PAGE_2M;
  }
  return find(length);
}

/** round_hint_to_min(), and the huge page's alignment; 0: no hint. */
function roundHint(profile: Profile, { at, pageBytes }: Placement): number {
  const page = roundDown(at, PAGE_4K);
  const hint = page > 0 ? Math.max(page, MMAP_MIN) : 0;
  return profile.hintIsRounded === "up" ? roundUp(hint, pageBytes) : roundDown(hint, pageBytes);
}
