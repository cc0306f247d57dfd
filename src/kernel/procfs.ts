/**
 * What a script reads of a process and of memory, in Linux's own format (fs/proc/task_mmu.c,
 * fs/proc/array.c, mm/hugetlb.c: hugetlb_report_meminfo()).
 */
import { PAGE_2M, PAGE_4K } from "../address.ts";
import type { Leaf } from "../hardware/page-tables.ts";
import type { AddressSpace } from "./address-space.ts";
import { heldPage } from "./get-user-pages.ts";
import type { Process } from "./process.ts";
import type { Profile } from "./profile.ts";
import { isTableShared } from "./shared-tables.ts";
import { type KernelState, folioOf } from "./state.ts";
import { type Vma, pageBytes } from "./vma.ts";
import { VM_FLAG_OF } from "./vm-flags.ts";

/** What smaps says of a mapping, in bytes. */
export interface Smaps {
  readonly start: number;
  readonly end: number;
  /** `rw-p` */
  readonly permissions: string;
  readonly offset: number;
  readonly kernelPageSize: number;
  readonly sharedHugetlb: number;
  readonly privateHugetlb: number;
  /** Resident bytes of 4K pages; pages of zeros do not count. */
  readonly resident: number;
  /** `rd`, `wr`, … */
  readonly flags: readonly string[];
}

/** One page of pagemap; undefined where nothing is mapped. */
export type PagemapPage =
  | undefined
  | {
      /** Physical address of the 4K at that address, which may lie inside a huge page. */
      readonly frame: number;
      /** Identifies the page's frame in this life. */
      readonly life: number;
      /** PM_FILE: bit 61 */
      readonly isFile: boolean;
      /** PM_MMAP_EXCLUSIVE: bit 56 */
      readonly isExclusive: boolean;
    };

export function smaps(kernel: KernelState, space: AddressSpace, vma: Vma): Smaps {
  let sharedHugetlb = 0;
  let privateHugetlb = 0;
  let resident = 0;
  kernel.tables.list(space.root, vma.start, vma.end, (leaf) => {
    if (!folioOf(kernel, leaf)) return;
    if (!vma.inode) resident += PAGE_4K;
    else if (showsAsShared(kernel, space, leaf)) sharedHugetlb += vma.inode.hstate.pageBytes;
    else privateHugetlb += vma.inode.hstate.pageBytes;
  });
  const { read, write, execute } = vma.protection;
  const permissions =
    (read ? "r" : "-") + (write ? "w" : "-") + (execute ? "x" : "-") + (vma.isShared ? "s" : "p");
  return {
    start: vma.start,
    end: vma.end,
    permissions,
    offset: vma.inode ? vma.offset : 0,
    kernelPageSize: pageBytes(vma),
    sharedHugetlb,
    privateHugetlb,
    resident,
    flags: vmFlags(vma, kernel.profile),
  };
}

function showsAsShared(kernel: KernelState, space: AddressSpace, leaf: Leaf): boolean {
  if (kernel.folios.at(leaf.physicalAddress).mapCount > 1) return true;
  if (isTableShared(kernel, space, leaf.address)) return true;
  return leaf.level === 3 && kernel.profile.smapsShows1GShared;
}

/** show_smap_vma_flags(), in its order. */
function vmFlags(vma: Vma, { showsLockOnFault }: Profile): string[] {
  const { read, write, execute } = vma.protection;
  const isHuge = vma.inode !== undefined;
  const has = (name: keyof typeof VM_FLAG_OF): [string, boolean] => {
    return [name, (vma.flags & VM_FLAG_OF[name]) !== 0];
  };
  const all: readonly (readonly [string, boolean])[] = [
    ["rd", read],
    ["wr", write],
    ["ex", execute],
    has("sh"),
    ["mr", true],
    has("mw"),
    ["me", true],
    ["ms", vma.isShared],
    has("gd"),
    has("gu"),
    has("um"),
    has("uw"),
    has("lo"),
    has("sr"),
    has("rr"),
    has("dc"),
    ["de", isHuge],
    has("lf"),
    has("ac"),
    has("nr"),
    ["ht", isHuge],
    has("wf"),
    has("dd"),
    has("hg"),
    has("nh"),
    has("mg"),
    has("ui"),
  ];
  const shown = all.filter(([, isSet]) => isSet).map(([name]) => name);
  return showsLockOnFault ? shown : shown.map((name) => (name === "lf" ? "??" : name));
}

/** Pages of `step` bytes from `address` on. */
export function pagemap(
  kernel: KernelState,
  space: AddressSpace,
  address: number,
  nrPages: number,
  step = PAGE_2M,
): PagemapPage[] {
  return Array.from({ length: nrPages }, (_, i) => {
    const leaf = kernel.tables.lookup(space.root, address + i * step);
    if (!leaf) return undefined;
    const { folio, frame } = heldPage(kernel, leaf, address + i * step);
    return (
      folio && {
        frame,
        life: folio.life,
        isFile: folio.isInPageCache,
        isExclusive:
          folio.mapCount === 1 &&
          !(kernel.profile.pagemapKnowsSharedTables && isTableShared(kernel, space, leaf.address)),
      }
    );
  });
}

// ---- Text

const kB = (bytes: number): string => `${unsigned(bytes / 1024)}`;
const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

/** `Name:    123 kB`, the number's end in column 24. */
const sizeLine = (name: string, bytes: number): string =>
  `${`${name}:`.padEnd(16)}${kB(bytes).padStart(8)} kB\n`;

/** The kernel's unsigned 64-bit view of a counter. */
export function unsigned(counter: number): bigint {
  return BigInt.asUintN(64, BigInt(counter));
}

/** /proc/meminfo: the lines that this kernel can answer. */
export function meminfoText(kernel: KernelState): string {
  const defaultPool = kernel.hstates.get(PAGE_2M);
  if (!defaultPool) return "";
  const { total, free, reserved, surplus } = defaultPool.counters;
  let hugeBytes = 0;
  for (const { counters, pageBytes: bytes } of kernel.hstates.values()) {
    hugeBytes += counters.total * bytes;
  }
  const count = (name: string, value: bigint): string =>
    `${`${name}:`.padEnd(19)}${`${value}`.padStart(5)}\n`;
  return (
    sizeLine("MemTotal", kernel.machine.ram.bytes) +
    sizeLine("MemFree", kernel.nodes.freeBytes) +
    count("HugePages_Total", unsigned(total)) +
    count("HugePages_Free", unsigned(free)) +
    count("HugePages_Rsvd", unsigned(reserved)) +
    count("HugePages_Surp", unsigned(surplus)) +
    sizeLine("Hugepagesize", PAGE_2M) +
    sizeLine("Hugetlb", hugeBytes)
  );
}

/** A line of /proc/PID/maps. */
function mapsLine(vma: Vma, permissions: string): string {
  const range = `${hex(vma.start, 8)}-${hex(vma.end, 8)}`;
  const offset = hex(vma.inode ? vma.offset : 0, 8);
  const head = `${range} ${permissions} ${offset} 00:00 0 `;
  return vma.inode ? `${head.padEnd(73)}${vma.inode.path}\n` : `${head}\n`;
}

export function mapsText(kernel: KernelState, space: AddressSpace): string {
  return space.vmas.map((vma) => mapsLine(vma, smaps(kernel, space, vma).permissions)).join("");
}

export function smapsText(kernel: KernelState, space: AddressSpace): string {
  return space.vmas
    .map((vma) => {
      const s = smaps(kernel, space, vma);
      return (
        mapsLine(vma, s.permissions) +
        sizeLine("Size", s.end - s.start) +
        sizeLine("KernelPageSize", s.kernelPageSize) +
        sizeLine("MMUPageSize", s.kernelPageSize) +
        sizeLine("Rss", s.resident) +
        sizeLine("Anonymous", s.resident) +
        sizeLine("Shared_Hugetlb", s.sharedHugetlb) +
        sizeLine("Private_Hugetlb", s.privateHugetlb) +
        `VmFlags: ${s.flags.map((flag) => `${flag} `).join("")}\n`
      );
    })
    .join("");
}

/** /proc/PID/status: the lines that this kernel can answer. */
export function statusText(process: Process): string {
  const { space } = process;
  const sizes = space.vmas.map((vma) => vma.end - vma.start);
  const line = (name: string, bytes: number): string => `${name}:\t${kB(bytes).padStart(8)} kB\n`;
  return (
    `Name:\t${process.name}\nPid:\t${process.pid}\nPPid:\t${process.parent}\n` +
    line(
      "VmSize",
      sizes.reduce((sum, bytes) => sum + bytes, 0),
    ) +
    line("HugetlbPages", space.hugetlbBytes)
  );
}
