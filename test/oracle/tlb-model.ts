/**
 * A slow model of a processor's TLBs, written after what `src/tlb/config.ts` says and nothing else,
 * to be compared with the fast one: entries are objects, searched for one by one.
 */
import type {
  PageSize,
  Processor,
  ReferenceKind,
  Replacement,
  TlbArray,
  WalkCache,
} from "../../src/tlb/config.ts";

export interface TlbReference {
  /** Bits 0 to 47 count. */
  readonly address: number | bigint;
  readonly kind: ReferenceKind;
  /** Of the page that the address falls into. */
  readonly pageSize: PageSize;
  /** 0 if it is left out. */
  readonly pcid?: number;
}

interface HitsAndMisses {
  hits: number;
  misses: number;
}

/** Arrays, banks and caches in the order of the processor's data. */
export interface TlbCounts {
  accesses: number;
  readonly firstLevel: readonly HitsAndMisses[];
  readonly secondLevel: readonly HitsAndMisses[];
  walks: number;
  prefetches: number;
  /** By level, the page table's entries first: PTE, PDE, PDPTE, PML4E. */
  readonly entryLoads: [number, number, number, number];
  /** Loads that hit each of the walk's caches; the last one: memory. */
  readonly loadsFrom: number[];
  /** What all second-level hits cost. */
  hitCycles: number;
  /** What all entry loads cost. */
  walkCycles: number;
}

const BYTES: Readonly<Record<PageSize, number>> = { "4K": 2 ** 12, "2M": 2 ** 21, "1G": 2 ** 30 };
const LEAF_LEVEL: Readonly<Record<PageSize, number>> = { "4K": 1, "2M": 2, "1G": 3 };

/** A page as an array keeps it. */
interface Entry {
  readonly size: PageSize;
  readonly pageNumber: number;
  readonly pcid: number;
}

function isSame(a: Entry, b: Entry): boolean {
  return a.size === b.size && a.pageNumber === b.pageNumber && a.pcid === b.pcid;
}

/** The order in which the ways of one set leave. */
interface Order {
  touch(way: number, isFilled: boolean): void;
  victim(): number;
}

function createOrder(replacement: Replacement, nrWays: number, random: () => number): Order {
  switch (replacement) {
    case "lru":
      return oldest(nrWays, true);
    case "fifo":
      return oldest(nrWays, false);
    case "plru":
      return tree(nrWays);
    case "mru3-plru":
      return threeTrees(nrWays / 3);
    case "nru":
      return unmarked(nrWays);
    case "random":
      return { touch: () => {}, victim: () => Number((BigInt(random()) * BigInt(nrWays)) >> 32n) };
  }
}

function oldest(nrWays: number, countsHits: boolean): Order {
  const order = Array.from({ length: nrWays }, (_, way) => way);
  return {
    touch(way, isFilled) {
      if (!isFilled && !countsHits) return;
      order.splice(order.indexOf(way), 1);
      order.push(way);
    },
    victim: () => order[0],
  };
}

/** A leaf is a way; a node has two halves, and says which of them the victim is in. */
function tree(nrWays: number): Order {
  if (nrWays === 1) return { touch: () => {}, victim: () => 0 };
  const half = nrWays / 2;
  const halves = [tree(half), tree(half)];
  let victimHalf = 0;
  return {
    touch(way, isFilled) {
      const touched = way < half ? 0 : 1;
      victimHalf = 1 - touched;
      halves[touched].touch(way % half, isFilled);
    },
    victim: () => victimHalf * half + halves[victimHalf].victim(),
  };
}

function threeTrees(nrWays: number): Order {
  const trees = [tree(nrWays), tree(nrWays), tree(nrWays)];
  let last = 0;
  return {
    touch(way, isFilled) {
      last = Math.floor(way / nrWays);
      trees[last].touch(way % nrWays, isFilled);
    },
    victim() {
      const next = (last + 1) % 3;
      return next * nrWays + trees[next].victim();
    },
  };
}

function unmarked(nrWays: number): Order {
  const isMarked = Array.from({ length: nrWays }, () => false);
  return {
    touch(way) {
      isMarked[way] = true;
      if (isMarked.every(Boolean)) isMarked.fill(false).fill(true, way, way + 1);
    },
    victim: () => Math.max(0, isMarked.indexOf(false)),
  };
}

function xorshift32(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/** Ways with entries, and who leaves. */
class EntrySet<T> {
  readonly ways: (T | undefined)[];
  readonly #order: Order;

  constructor(nrWays: number, order: Order) {
    this.ways = Array.from({ length: nrWays }, () => undefined);
    this.#order = order;
  }

  touch(way: number): void {
    this.#order.touch(way, false);
  }

  /** Returns what had to leave. */
  fill(entry: T): T | undefined {
    const free = this.ways.indexOf(undefined);
    const way = free === -1 ? this.#order.victim() : free;
    const evicted = this.ways[way];
    this.ways[way] = entry;
    this.#order.touch(way, true);
    return evicted;
  }

  drop(isDropped: (entry: T) => boolean): void {
    for (const [way, entry] of this.ways.entries()) {
      if (entry !== undefined && isDropped(entry)) this.ways[way] = undefined;
    }
  }
}

/** The PCIDs that an array has entries of, the one used last at the end. */
class Residents {
  readonly #pcids: number[] = [];
  readonly #most: number;

  constructor(pcids: number) {
    this.#most = Math.max(1, pcids);
  }

  /** Returns the one whose entries are dropped for it. */
  enter(pcid: number): number | undefined {
    const at = this.#pcids.indexOf(pcid);
    if (at !== -1) this.#pcids.splice(at, 1);
    this.#pcids.push(pcid);
    return this.#pcids.length > this.#most ? this.#pcids.shift() : undefined;
  }
}

class TlbArrayModel {
  readonly array: TlbArray;
  readonly counts: HitsAndMisses = { hits: 0, misses: 0 };
  readonly #sets: EntrySet<Entry>[];
  readonly #residents: Residents;

  constructor(array: TlbArray, seed: number) {
    this.array = array;
    const nrWays = array.ways === "full" ? array.entries : array.ways;
    const random = xorshift32(seed);
    this.#sets = Array.from({ length: array.entries / nrWays }, () => {
      return new EntrySet<Entry>(nrWays, createOrder(array.replacement, nrWays, random));
    });
    this.#residents = new Residents(array.pcids);
  }

  serves(kind: ReferenceKind, size: PageSize): boolean {
    return this.array.kinds.includes(kind) && this.array.pageSizes.includes(size);
  }

  entryOf(address: number, pageSize: PageSize, pcid: number): Entry {
    const size = this.array.keptAs[pageSize] ?? pageSize;
    const bytes = BYTES[size] * (size === "4K" ? this.array.coalescedPages : 1);
    return { size, pageNumber: Math.floor(address / bytes), pcid };
  }

  enter(pcid: number): void {
    const left = this.#residents.enter(pcid);
    if (left !== undefined) this.drop((entry) => entry.pcid === left);
  }

  drop(isDropped: (entry: Entry) => boolean): void {
    for (const set of this.#sets) set.drop(isDropped);
  }

  has(entry: Entry, nrBanks: number): boolean {
    return this.#setOf(entry, nrBanks).ways.some((other) => other && isSame(other, entry));
  }

  touch(entry: Entry, nrBanks: number): void {
    const set = this.#setOf(entry, nrBanks);
    set.touch(set.ways.findIndex((other) => other && isSame(other, entry)));
  }

  fill(entry: Entry, nrBanks: number): Entry | undefined {
    return this.#setOf(entry, nrBanks).fill(entry);
  }

  /** `nrBanks`: of how many banks, between which pages are dealt out, this is one. */
  #setOf({ pageNumber }: Entry, nrBanks: number): EntrySet<Entry> {
    const nrSets = this.#sets.length;
    let rest = Math.floor(pageNumber / nrBanks);
    let index = 0;
    for (let group = 0; group < this.array.indexGroups; group++) {
      index ^= rest % nrSets;
      rest = Math.floor(rest / nrSets);
    }
    return this.#sets[index];
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
    this.#entries = new EntrySet(nrEntries, oldest(nrEntries, true));
    this.#residents = new Residents(pcids);
  }

  enter(pcid: number): void {
    const left = this.#residents.enter(pcid);
    if (left !== undefined) this.#entries.drop((entry) => entry.pcid === left);
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
    this.#entries.fill({ prefix: Math.floor(address / bytesOfEntry(this.level)), pcid });
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
      return new EntrySet<Line>(nrWays, oldest(nrWays, true));
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
    if (way === -1) set.fill(line);
    else set.touch(way);
    return way !== -1;
  }
}

export class TlbModel {
  readonly counts: TlbCounts;
  readonly #processor: Processor;
  readonly #firstLevel: readonly TlbArrayModel[];
  readonly #secondLevel: readonly TlbArrayModel[];
  /** The lowest level first: that of entries that point to page tables. */
  readonly #structureCaches: readonly StructureCacheModel[];
  readonly #walkCaches: readonly WalkCacheModel[];

  constructor(processor: Processor) {
    this.#processor = processor;
    const model = (array: TlbArray) => new TlbArrayModel(array, processor.randomSeed);
    this.#firstLevel = processor.firstLevel.map(model);
    this.#secondLevel = processor.secondLevel.map(model);
    const { pml4, pdpt, pd, pcids } = processor.structureCaches;
    this.#structureCaches = [pd, pdpt, pml4].map((nrEntries, i) => {
      return new StructureCacheModel(i + 2, nrEntries, pcids);
    });
    this.#walkCaches = processor.walkCost.caches.map((cache) => new WalkCacheModel(cache));
    this.counts = {
      accesses: 0,
      firstLevel: this.#firstLevel.map(({ counts }) => counts),
      secondLevel: this.#secondLevel.map(({ counts }) => counts),
      walks: 0,
      prefetches: 0,
      entryLoads: [0, 0, 0, 0],
      loadsFrom: Array.from({ length: this.#walkCaches.length + 1 }, () => 0),
      hitCycles: 0,
      walkCycles: 0,
    };
  }

  refer({ address, kind, pageSize, pcid = 0 }: TlbReference): void {
    const at = Number(BigInt.asUintN(48, BigInt(address)));
    for (const part of [...this.#firstLevel, ...this.#secondLevel, ...this.#structureCaches]) {
      part.enter(pcid);
    }
    this.counts.accesses++;

    const first = this.#firstLevel.find((array) => array.serves(kind, pageSize));
    if (first) {
      const entry = first.entryOf(at, pageSize, pcid);
      if (first.has(entry, 1)) {
        first.counts.hits++;
        first.touch(entry, 1);
        return;
      }
      first.counts.misses++;
    }

    const second = this.#bankOf(at, kind, pageSize, pcid);
    const isExclusive = this.#processor.inclusion === "exclusive" && first !== undefined;
    if (second) {
      const { bank, nrBanks, entry } = second;
      if (bank.has(entry, nrBanks)) {
        bank.counts.hits++;
        this.counts.hitCycles +=
          this.#processor.secondLevel[this.#secondLevel.indexOf(bank)].hitCycles;
        if (isExclusive) bank.drop((other) => isSame(other, entry));
        else bank.touch(entry, nrBanks);
        if (first) this.#fillFirst(first, at, kind, pageSize, pcid);
        return;
      }
      bank.counts.misses++;
    }

    this.counts.walks++;
    this.#walk(at, pageSize, pcid);
    if (second && !isExclusive) this.#fillSecond(second);
    if (first) this.#fillFirst(first, at, kind, pageSize, pcid);
    if (this.#processor.nextPagePrefetch) this.#prefetch(at, kind, pageSize, pcid);
  }

  #bankOf(at: number, kind: ReferenceKind, pageSize: PageSize, pcid: number) {
    const banks = this.#secondLevel.filter((bank) => bank.serves(kind, pageSize));
    if (banks.length === 0) return undefined;
    const entry = banks[0].entryOf(at, pageSize, pcid);
    return { bank: banks[entry.pageNumber % banks.length], nrBanks: banks.length, entry };
  }

  #fillFirst(
    first: TlbArrayModel,
    at: number,
    kind: ReferenceKind,
    pageSize: PageSize,
    pcid: number,
  ): void {
    const evicted = first.fill(first.entryOf(at, pageSize, pcid), 1);
    if (!evicted || this.#processor.inclusion !== "exclusive") return;
    const { size, pageNumber } = evicted;
    const second = this.#bankOf(pageNumber * BYTES[size], kind, size, evicted.pcid);
    if (!second) return;
    if (second.bank.has(evicted, second.nrBanks)) second.bank.touch(evicted, second.nrBanks);
    else this.#fillSecond(second);
  }

  #fillSecond({ bank, nrBanks, entry }: NonNullable<ReturnType<TlbModel["#bankOf"]>>): void {
    const evicted = bank.fill(entry, nrBanks);
    if (!evicted || this.#processor.inclusion !== "inclusive") return;
    for (const first of this.#firstLevel) {
      if (first.array.kinds.some((kind) => bank.array.kinds.includes(kind))) {
        first.drop((other) => isSame(other, evicted));
      }
    }
  }

  #prefetch(at: number, kind: ReferenceKind, pageSize: PageSize, pcid: number): void {
    const next = (at + BYTES[pageSize]) % 2 ** 48;
    const second = this.#bankOf(next, kind, pageSize, pcid);
    if (!second || second.bank.has(second.entry, second.nrBanks)) return;
    this.counts.prefetches++;
    this.#walk(next, pageSize, pcid);
    this.#fillSecond(second);
  }

  #walk(at: number, pageSize: PageSize, pcid: number): void {
    const leaf = LEAF_LEVEL[pageSize];
    const useful = this.#structureCaches.filter(({ level }) => level > leaf);
    const known = useful.find((cache) => cache.lookUp(at, pcid));
    for (let level = (known?.level ?? 5) - 1; level >= leaf; level--) {
      this.counts.entryLoads[level - 1]++;
      this.#load({ pcid, level, number: Math.floor(at / (8 * bytesOfEntry(level))) });
      useful.find((cache) => cache.level === level)?.fill(at, pcid);
    }
  }

  #load(line: Line): void {
    const { memoryCycles } = this.#processor.walkCost;
    let from = this.#walkCaches.findIndex((cache) => cache.load(line));
    if (from === -1) from = this.#walkCaches.length;
    this.counts.loadsFrom[from]++;
    this.counts.walkCycles += this.#walkCaches[from]?.cycles ?? memoryCycles;
  }
}
