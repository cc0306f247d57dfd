/** Page walks, slowly: which entries are loaded, and where the loads find them. */
import type { PageSize, Processor, WalkCache } from "../../src/tlb/config.ts";
import { createLru, EntrySet } from "./replacement.ts";

export interface WalkCounts {
  /** By level, the page table's entries first: PTE, PDE, PDPTE, PML4E. */
  readonly entryLoads: [number, number, number, number];
  /** Loads that hit each of the walk's caches; the last one: memory. */
  readonly loadsFrom: number[];
  /** What all entry loads cost. */
  walkCycles: number;
}

const LEAF_LEVEL: Readonly<Record<PageSize, number>> = { "4K": 1, "2M": 2, "1G": 3 };

/** The PCIDs that an array has entries of, the one used last at the end. */
export class Residents {
  readonly #pcids: number[] = [];
  readonly #most: number;

  constructor(pcids: number) {
    this.#most = Math.max(1, pcids);
  }

  /** Returns the one whose entries are dropped for it. */
  enter(pcid: number): number | undefined {
    if (this.#pcids.at(-1) === pcid) return undefined;
    const at = this.#pcids.indexOf(pcid);
    if (at !== -1) this.#pcids.splice(at, 1);
    this.#pcids.push(pcid);
    return this.#pcids.length > this.#most ? this.#pcids.shift() : undefined;
  }
}

/** What points to the table of `level` - 1: the part of the address it stands for. */
interface TablePointer {
  readonly prefix: number;
  readonly pcid: number;
}

/** What an entry of `level` stands for, in bytes. */
function bytesOfEntry(level: number): number {
  return 2 ** (12 + 9 * (level - 1));
}

class StructureCacheModel {
  readonly level: number;
  readonly #entries: EntrySet<TablePointer>;
  readonly #nrEntries: number;
  readonly #residents: Residents;

  constructor(level: number, nrEntries: number, pcids: number) {
    this.level = level;
    this.#nrEntries = nrEntries;
    this.#entries = new EntrySet(nrEntries, createLru(nrEntries));
    this.#residents = new Residents(pcids);
  }

  enter(pcid: number): void {
    const left = this.#residents.enter(pcid);
    if (left !== undefined) this.forget(left);
  }

  /** Drops the entries of `pcid`, or of all PCIDs. */
  forget(pcid: number | undefined): void {
    this.#entries.drop((entry) => pcid === undefined || entry.pcid === pcid);
  }

  /** Whether it is there; if so, it is touched. */
  lookUp(address: number, pcid: number): boolean {
    const prefix = Math.floor(address / bytesOfEntry(this.level));
    const way = this.#entries.ways.findIndex((e) => e?.prefix === prefix && e.pcid === pcid);
    if (way !== -1) this.#entries.touch(way);
    return way !== -1;
  }

  fill(address: number, pcid: number): void {
    if (this.#nrEntries === 0) return;
    this.#entries.insert({ prefix: Math.floor(address / bytesOfEntry(this.level)), pcid });
  }
}

interface Line {
  readonly pcid: number;
  readonly level: number;
  readonly number: number;
}

class WalkCacheModel {
  readonly cycles: number;
  readonly #sets: EntrySet<Line>[];

  constructor({ lines, ways, cycles }: WalkCache) {
    this.cycles = cycles;
    const nrWays = ways === "full" ? lines : ways;
    this.#sets = Array.from({ length: lines / nrWays }, () => {
      return new EntrySet<Line>(nrWays, createLru(nrWays));
    });
  }

  /** Whether the line is there; in either case it is the last used one afterwards. */
  load(line: Line): boolean {
    const set = this.#sets[line.number % this.#sets.length];
    const way = set.ways.findIndex((other) => {
      return (
        other?.number === line.number && other.level === line.level && other.pcid === line.pcid
      );
    });
    if (way === -1) set.insert(line);
    else set.touch(way);
    return way !== -1;
  }
}

export class WalkModel {
  readonly #counts: WalkCounts;
  readonly #memoryCycles: number;
  /** The lowest level first: that of entries that point to page tables. */
  readonly #structureCaches: readonly StructureCacheModel[];
  readonly #walkCaches: readonly WalkCacheModel[];

  constructor({ structureCaches, walkCost }: Processor, counts: WalkCounts) {
    this.#counts = counts;
    this.#memoryCycles = walkCost.memoryCycles;
    const { pml4, pdpt, pd, pcids } = structureCaches;
    this.#structureCaches = [pd, pdpt, pml4].map((nrEntries, i) => {
      return new StructureCacheModel(i + 2, nrEntries, pcids);
    });
    this.#walkCaches = walkCost.caches.map((cache) => new WalkCacheModel(cache));
  }

  enter(pcid: number): void {
    for (const cache of this.#structureCaches) cache.enter(pcid);
  }

  /** Drops what points to tables: of `pcid`, or of all PCIDs. */
  forget(pcid: number | undefined): void {
    for (const cache of this.#structureCaches) cache.forget(pcid);
  }

  /** Returns what it cost. */
  walk(at: number, pageSize: PageSize, pcid: number): number {
    const before = this.#counts.walkCycles;
    const leaf = LEAF_LEVEL[pageSize];
    const useful = this.#structureCaches.filter(({ level }) => level > leaf);
    const known = useful.find((cache) => cache.lookUp(at, pcid));
    for (let level = (known?.level ?? 5) - 1; level >= leaf; level--) {
      this.#counts.entryLoads[level - 1]++;
      this.#load({ pcid, level, number: Math.floor(at / (8 * bytesOfEntry(level))) });
      useful.find((cache) => cache.level === level)?.fill(at, pcid);
    }
    return this.#counts.walkCycles - before;
  }

  #load(line: Line): void {
    let from = this.#walkCaches.findIndex((cache) => cache.load(line));
    if (from === -1) from = this.#walkCaches.length;
    this.#counts.loadsFrom[from]++;
    this.#counts.walkCycles += this.#walkCaches[from]?.cycles ?? this.#memoryCycles;
  }
}
