/**
 * What must hold between any two operations. On profile `fixed` always; on a real kernel's profile
 * a violation is one of its known defects, or a bug of ours.
 */
import { PAGE_1G, PAGE_4K, USER_END } from "../address.ts";
import { type Folio, bytesOf } from "./folio.ts";
import { RESERVED_BYTES } from "./nodes.ts";
import type { PageCounter } from "./page-counter.ts";
import { isTableShared } from "./shared-tables.ts";
import type { KernelState } from "./state.ts";

/** One line for each invariant that does not hold; empty when all do. */
export function brokenInvariants(kernel: KernelState): string[] {
  return [
    ...pools(kernel),
    ...nodePools(kernel),
    ...idlePools(kernel),
    ...groups(kernel),
    ...mapCounts(kernel),
    ...references(kernel),
    ...frames(kernel),
  ];
}

/** 0 ≤ R ≤ F ≤ T, S ≤ T. */
function pools(kernel: KernelState): string[] {
  const broken: string[] = [];
  for (const { counters, pageBytes } of kernel.hstates.values()) {
    const { total, free, reserved, surplus } = counters;
    if (reserved < 0 || reserved > free || free > total || surplus < 0 || surplus > total) {
      broken.push(
        `pool of ${pageBytes}: 0 <= R <= F <= T, S <= T, but T=${total} F=${free} R=${reserved} S=${surplus}`,
      );
    }
  }
  return broken;
}

/** On each node F ≤ T and 0 ≤ S ≤ T. */
function nodePools(kernel: KernelState): string[] {
  const broken: string[] = [];
  for (const hstate of kernel.hstates.values()) {
    for (let node = 0; node < kernel.nodes.count; node++) {
      const pool = hstate.nodeCounters(node);
      if (!pool) continue;
      const { total, free, surplus } = pool;
      if (free > total || surplus < 0 || surplus > total) {
        broken.push(
          `pool of ${hstate.pageBytes} on node ${node}: F <= T, S <= T, but T=${total} F=${free} S=${surplus}`,
        );
      }
    }
  }
  return broken;
}

/** No process lives, and no file that one had is left. */
function isIdle(kernel: KernelState): boolean {
  if (kernel.mounts.isAny || kernel.segments.size > 0) return false;
  return [...kernel.processes.values()].every(({ status }) => status !== undefined);
}

/**
 * When the last process has ended and the last file is gone, R = 0 and F = T; S = 0 where there is
 * one node, for surplus that lies on another node than the page that was freed stays.
 */
function idlePools(kernel: KernelState): string[] {
  if (!isIdle(kernel)) return [];
  const broken: string[] = [];
  for (const { counters, pageBytes } of kernel.hstates.values()) {
    const { total, free, reserved, surplus } = counters;
    const hasSurplus = surplus !== 0 && kernel.nodes.count === 1;
    if (reserved !== 0 || hasSurplus || free !== total) {
      broken.push(
        `pool of ${pageBytes}: R = S = 0 and F = T when idle, but T=${total} F=${free} R=${reserved} S=${surplus}`,
      );
    }
  }
  return broken;
}

/**
 * What a group has in use are the pages it is charged for; when idle it pays for no reservation.
 */
function groups(kernel: KernelState): string[] {
  const broken: string[] = [];
  const charged = new Map<PageCounter, number>();
  for (const { charges } of kernel.folios.values()) {
    for (const counter of charges) charged.set(counter, (charged.get(counter) ?? 0) + 1);
  }
  for (const [name, { counters }] of kernel.cgroups) {
    for (const [pageBytes, { pages, reservations }] of counters) {
      const nrCharged = charged.get(pages) ?? 0;
      if (pages.usage !== nrCharged) {
        broken.push(`group ${name}: ${pages.usage} pages of ${pageBytes}, but ${nrCharged} folios`);
      }
      if (reservations.usage < 0 || (isIdle(kernel) && reservations.usage > 0)) {
        broken.push(`group ${name}: pays for ${reservations.usage} reservations of ${pageBytes}`);
      }
    }
  }
  return broken;
}

/** Each frame's map count is the number of entries that point at it; no free frame is mapped. */
function mapCounts(kernel: KernelState): string[] {
  const broken: string[] = [];
  const entries = new Map<number, number>();
  const seen = new Set<string>();
  for (const { space, status } of kernel.processes.values()) {
    if (status) continue;
    kernel.tables.list(space.root, 0, USER_END, ({ physicalAddress, address }) => {
      // A shared table's entry is one entry.
      if (isTableShared(kernel, space, address)) {
        const entry = `${kernel.tables.tableAt(space.root, address, 2)} ${address % PAGE_1G}`;
        if (seen.has(entry)) return;
        seen.add(entry);
      }
      entries.set(physicalAddress, (entries.get(physicalAddress) ?? 0) + 1);
      if (!space.find(address)) broken.push(`an entry at ${address} belongs to no mapping`);
    });
  }
  entries.delete(kernel.zeroFrame);
  for (const folio of kernel.folios.values()) {
    const nrEntries = entries.get(folio.frame) ?? 0;
    if (nrEntries !== folio.mapCount) {
      broken.push(`frame ${folio.frame}: map count ${folio.mapCount}, but ${nrEntries} entries`);
    }
    if (nrEntries === 0 && !folio.isInPageCache && folio.nrReferences === 0) {
      broken.push(`frame ${folio.frame} is in use by nobody`);
    }
    entries.delete(folio.frame);
  }
  for (const frame of entries.keys()) broken.push(`frame ${frame} is free, but mapped`);
  return broken;
}

/** Each frame's reference count is the number of pages of it that pipes and rings hold. */
function references(kernel: KernelState): string[] {
  const held = new Map<Folio | undefined, number>();
  const files = new Set(
    [...kernel.processes.values()].flatMap(({ descriptors }) => [...descriptors.files()]),
  );
  for (const file of files) {
    for (const { folio } of file.heldPages) held.set(folio, (held.get(folio) ?? 0) + 1);
  }
  return [...kernel.folios.values()]
    .filter((folio) => folio.nrReferences !== (held.get(folio) ?? 0))
    .map((folio) => `frame ${folio.frame}: ${folio.nrReferences} references, but others hold it`);
}

/** Every frame is free, in a pool, in use, a page table, or set apart: none is lost. */
function frames(kernel: KernelState): string[] {
  let bytes = RESERVED_BYTES + kernel.nodes.freeBytes + kernel.nrTableFrames * PAGE_4K;
  for (const { counters, pageBytes } of kernel.hstates.values()) {
    bytes += counters.free * pageBytes;
  }
  for (const folio of kernel.folios.values()) bytes += bytesOf(folio);
  const lost = kernel.machine.ram.bytes - bytes;
  return lost === 0 ? [] : [`${lost} bytes of RAM are lost`];
}
