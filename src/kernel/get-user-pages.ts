/**
 * How the kernel takes hold of a process's pages without the process's CPU (mm/gup.c): the checks,
 * and the same page faults.
 */
import { PAGE_4K, pageBytesOf, roundDown } from "../address.ts";
import { InternalError } from "../errors.ts";
import type { Leaf } from "../hardware/page-tables.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import type { FaultOutcome } from "./fault-outcome.ts";
import type { HeldPage } from "./folio.ts";
import { faultIn } from "./page-fault.ts";
import { type KernelState, folioOf } from "./state.ts";
import type { Vma } from "./vma.ts";

export interface Grip {
  /** FOLL_WRITE */
  readonly isWrite: boolean;
  /** FOLL_FORCE: whatever the mapping's protection says, if it is private. */
  readonly isForced?: boolean;
}

/**
 * Why a page cannot be had: nothing maps the address, the mapping forbids it, or its fault fails.
 */
export type NoGrip =
  | { readonly kind: "unmapped" | "forbidden" }
  | Exclude<FaultOutcome, { kind: "handled" }>;

/** The leaf that maps `address`, faulted in as need be (__get_user_pages()). */
export function getUserPage(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  grip: Grip,
): Leaf | NoGrip {
  const vma = space.find(address);
  if (!vma) return { kind: "unmapped" };
  if (!allowsGrip(kernel, vma, grip)) return { kind: "forbidden" };
  const leaf = kernel.tables.lookup(space.root, address);
  if (leaf && (!grip.isWrite || leaf.writable)) return leaf;
  const outcome = faultIn(kernel, space, vma, address, grip.isWrite ? "write" : "read");
  if (outcome.kind !== "handled") return outcome;
  const found = kernel.tables.lookup(space.root, address);
  if (!found) throw new InternalError("a page that was faulted in is there");
  return found;
}

/** check_vma_flags() */
function allowsGrip(kernel: KernelState, vma: Vma, { isWrite, isForced }: Grip): boolean {
  const { read, write } = vma.protection;
  if (!isWrite) return read || (isForced ?? false);
  if (write) return true;
  if (!isForced || vma.isShared) return false;
  return vma.inode === undefined || kernel.profile.forcesHugeWrites;
}

/** The 4K at `address`, and the folio that they are of. */
export function heldPage(kernel: KernelState, leaf: Leaf, address: number): HeldPage {
  const frame = leaf.physicalAddress + roundDown(address - leaf.address, PAGE_4K);
  return { folio: folioOf(kernel, leaf), frame };
}

/** faultin_page_range(): MADV_POPULATE_READ and _WRITE stop at what they cannot populate. */
export function populateForMadvise(
  kernel: KernelState,
  space: AddressSpace,
  start: number,
  end: number,
  isWrite: boolean,
): "ok" | Errno {
  for (let at = start; at < end;) {
    const page = getUserPage(kernel, space, at, { isWrite });
    if ("kind" in page) {
      if (page.kind === "unmapped") return "ENOMEM";
      return page.kind === "forbidden" ? "EINVAL" : "EFAULT";
    }
    at = page.address + pageBytesOf(page.level);
  }
  return "ok";
}
