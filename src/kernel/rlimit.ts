/** Resource limits, and what they bound of memory (kernel/sys.c, mm/mlock.c, mm/vma.c). */
import { PAGE_4K } from "../address.ts";
import { InternalError } from "../errors.ts";
import type { AddressSpace } from "./address-space.ts";
import { hasCapability } from "./credentials.ts";
import type { Errno } from "./errno.ts";
import type { Process } from "./process.ts";
import type { KernelState } from "./state.ts";
import type { Protection, Vma } from "./vma.ts";
import { VM_GROWSDOWN, VM_LOCKED } from "./vm-flags.ts";

export type Resource = "memlock" | "as" | "data" | "fsize";

/** In bytes, soft and hard alike; Infinity is RLIM_INFINITY. */
export type Limits = Readonly<Record<Resource, number>>;

/** As a process has them that nobody has limited (include/asm-generic/resource.h). */
export const INITIAL_LIMITS: Limits = {
  memlock: 8 * 2 ** 20,
  as: Infinity,
  data: Infinity,
  fsize: Infinity,
};

const RLIM_INFINITY = 2n ** 64n - 1n;

/** prlimit64() with both limits the same. */
export function setrlimit(process: Process, resource: Resource, value: bigint): "ok" | Errno {
  const bytes = value === RLIM_INFINITY ? Infinity : Number(value);
  const isRaised = bytes > process.limits[resource];
  if (isRaised && !hasCapability(process, "CAP_SYS_RESOURCE")) return "EPERM";
  process.limits = { ...process.limits, [resource]: bytes };
  return "ok";
}

// ---- RLIMIT_MEMLOCK

/** can_do_mlock() */
export function mayLock(kernel: KernelState, space: AddressSpace): boolean {
  const process = owner(kernel, space);
  return process.limits.memlock > 0 || hasCapability(process, "CAP_IPC_LOCK");
}

/** Whether `bytes` more may be locked, beside what is (mlock_future_ok()). */
export function mayLockMore(kernel: KernelState, space: AddressSpace, bytes: number): boolean {
  return isWithinMemlock(kernel, space, () => lockedBytes(space) + bytes);
}

/** Whether so many bytes may be locked; they are counted only for who has a limit. */
export function isWithinMemlock(
  kernel: KernelState,
  space: AddressSpace,
  count: () => number,
): boolean {
  const process = owner(kernel, space);
  if (hasCapability(process, "CAP_IPC_LOCK") || process.limits.memlock === Infinity) return true;
  return pages(count()) <= pages(process.limits.memlock);
}

/** mm->locked_vm in bytes. */
export function lockedBytes(space: AddressSpace): number {
  return sizeOf(space.vmas.filter(({ flags }) => (flags & VM_LOCKED) !== 0));
}

/** mm->total_vm in bytes. */
export function mappedBytes(space: AddressSpace): number {
  return sizeOf(space.vmas);
}

/** Bytes of [start, end) that mappings have for which `counts`. */
export function mappedWithin(
  space: AddressSpace,
  start: number,
  end: number,
  counts: (vma: Vma) => boolean = () => true,
): number {
  return space
    .overlapping(start, end)
    .filter(counts)
    .reduce((sum, vma) => sum + Math.min(end, vma.end) - Math.max(start, vma.start), 0);
}

// ---- RLIMIT_AS, RLIMIT_DATA

/** What a mapping is, as far as RLIMIT_DATA asks. */
type Purpose = Pick<Vma, "isShared" | "flags"> & { readonly protection: Protection };

/**
 * may_expand_vm(): whether `bytes` more of such memory may be mapped, `replaced` of those that are
 * mapped now being unmapped first.
 */
export function mayExpand(
  kernel: KernelState,
  space: AddressSpace,
  purpose: Purpose,
  bytes: number,
  replaced = 0,
): boolean {
  const { limits } = owner(kernel, space);
  if (limits.as < Infinity && mappedBytes(space) + bytes - replaced > whole(limits.as))
    return false;
  if (limits.data === Infinity || !isData(purpose)) return true;
  return sizeOf(space.vmas.filter(isData)) + bytes <= whole(limits.data);
}

/** is_data_mapping(): private and writable, of huge pages too, and no stack. */
function isData({ isShared, flags, protection }: Purpose): boolean {
  return protection.write && !isShared && (flags & VM_GROWSDOWN) === 0;
}

const sizeOf = (vmas: readonly Vma[]): number =>
  vmas.reduce((sum, { start, end }) => sum + (end - start), 0);
const pages = (bytes: number): number => Math.floor(bytes / PAGE_4K);
const whole = (bytes: number): number => pages(bytes) * PAGE_4K;

function owner(kernel: KernelState, space: AddressSpace): Process {
  const process = kernel.processes.get(space.pid);
  if (!process) throw new InternalError("an address space belongs to a process");
  return process;
}
