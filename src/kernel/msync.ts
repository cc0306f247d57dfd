/**
 * msync (mm/msync.c). Nothing is ever written back: neither huge nor anonymous memory has a disk.
 */
import { PAGE_4K, roundUp } from "../address.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Errno } from "./errno.ts";
import { VM_LOCKED } from "./vm-flags.ts";

export type SyncKind = "sync" | "async" | "inval";

export function msync(
  space: AddressSpace,
  address: number,
  length: number,
  kind: SyncKind,
): "ok" | Errno {
  if (address % PAGE_4K !== 0) return "EINVAL";
  const end = address + roundUp(length, PAGE_4K);
  // A hole makes it ENOMEM, but a locked mapping behind it is seen first.
  const vmas = space.overlapping(address, end);
  if (kind === "inval" && vmas.some(({ flags }) => (flags & VM_LOCKED) !== 0)) return "EBUSY";
  return space.covers(address, end) ? "ok" : "ENOMEM";
}
