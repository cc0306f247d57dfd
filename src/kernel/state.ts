/** What all parts of one kernel share. Operations take it as their first argument. */
import type { Machine } from "../hardware/machine.ts";
import type { Leaf, PageTables } from "../hardware/page-tables.ts";
import type { AddressSpace } from "./address-space.ts";
import type { Cgroup } from "./cgroup.ts";
import type { EventStream } from "./event.ts";
import { type Folio, type FolioTable, bytesOf } from "./folio.ts";
import type { Hstate } from "./hstate.ts";
import type { MountTable } from "./mount.ts";
import type { Nodes } from "./nodes.ts";
import type { PlainInode } from "./plain-file.ts";
import type { Process, Task } from "./process.ts";
import type { Profile } from "./profile.ts";
import type { ReverseMap } from "./reverse-map.ts";
import type { SharedTables } from "./shared-tables.ts";
import type { Segment } from "./shm.ts";

export interface KernelState {
  readonly profile: Profile;
  readonly machine: Machine;
  readonly tables: PageTables;
  readonly nodes: Nodes;
  readonly folios: FolioTable;
  /** By page size in bytes. */
  readonly hstates: ReadonlyMap<number, Hstate>;
  readonly reverseMap: ReverseMap;
  readonly mounts: MountTable;
  /** Files where no hugetlbfs is mounted, by path. */
  readonly plainFiles: Map<string, PlainInode>;
  readonly events: EventStream;
  readonly sharedTables: SharedTables;
  /** SysV segments by identifier. */
  readonly segments: Map<number, Segment>;
  nextSegment: number;
  /** Living and ended ones, by pid, until their parent has waited for them. */
  readonly processes: Map<number, Process>;
  /** Whom the kernel works for (`current`): its group pays, its policy chooses nodes. */
  current: Task;
  /** Groups below the root, by name. */
  readonly cgroups: Map<string, Cgroup>;
  /** By CPU: the address space that its CR3 names. */
  readonly running: (AddressSpace | undefined)[];
  /** The frame of zeros that read faults of 4K memory map. */
  readonly zeroFrame: number;
  /** What the kernel printed. */
  readonly log: string[];
  /** Pages of 4K that count as locked by io_urings, by UID (user_struct.locked_vm). */
  readonly ringPagesOf: Map<number, number>;
  /** PCIDs that no address space has. */
  readonly freePcids: number[];
  nextPid: number;
  /** Frames that page tables hold now. */
  nrTableFrames: number;
}

export function printk(kernel: KernelState, text: string): void {
  kernel.log.push(text);
  if (kernel.events.isHeard) kernel.events.emit({ kind: "log", text });
}

/**
 * Drops what CPUs may cache of [start, end) in `space` (flush_tlb_mm_range()): on those that run it
 * at once, those but the asking one being interrupted for it; any other drops all of `space` before
 * it runs it again.
 */
export function invalidate(
  kernel: KernelState,
  space: AddressSpace,
  start: number,
  end: number,
): void {
  const { pid, pcid, ranOn } = space;
  const runsIt = (cpu: number): boolean => kernel.running[cpu] === space;
  for (const cpu of ranOn) {
    if (runsIt(cpu)) kernel.machine.cpus[cpu].invalidateRange(pcid, start, end);
    else space.behindOn.add(cpu);
  }
  if (kernel.events.isHeard) {
    const cpus = [...ranOn];
    const asker = kernel.current.cpu;
    const atOnce = cpus.filter(runsIt);
    kernel.events.emit({ kind: "invalidate", pid, pcid, start, end, cpus, atOnce, asker });
  }
}

/** vm_normal_folio(): what a leaf points at; undefined: the frame of zeros. */
export function folioOf(kernel: KernelState, { physicalAddress }: Leaf): Folio | undefined {
  return physicalAddress === kernel.zeroFrame ? undefined : kernel.folios.at(physicalAddress);
}

/**
 * Points a leaf of `vma` at a folio. The entry that was there, if any, is the caller's to forget.
 */
export function mapFolio(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  folio: Folio,
  rights: Parameters<PageTables["install"]>[4],
): void {
  kernel.tables.install(space.root, address, folio.level, folio.frame, rights);
  folio.mapCount++;
  if (folio.level > 1) space.hugetlbBytes += bytesOf(folio);
  if (kernel.events.isHeard) {
    kernel.events.emit({ kind: "map", pid: space.pid, address, frame: folio.frame });
  }
}

/** Frees a folio that nothing maps, caches or refers to any more. */
export function freeIfUnused(kernel: KernelState, folio: Folio): void {
  if (folio.mapCount > 0 || folio.isInPageCache || folio.nrReferences > 0) return;
  const bytes = bytesOf(folio);
  const hstate = kernel.hstates.get(bytes);
  if (hstate) {
    hstate.free(folio);
    return;
  }
  kernel.folios.delete(folio);
  kernel.nodes.free(folio.frame, 0);
  if (kernel.events.isHeard) {
    const { frame } = folio;
    kernel.events.emit({ kind: "free", frame, bytes, to: "buddy", restoresReservation: false });
  }
}
