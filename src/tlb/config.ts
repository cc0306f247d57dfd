/**
 * The TLBs of a processor, as data. What the data means is said here, once, and exactly: the fast
 * model and the slow one (`test/oracle/tlb-model.ts`) must count the same.
 *
 * A reference is an address, a kind, the size of the page it falls into, and a PCID. Of the address
 * bits 0 to 47 count. An array keeps a page as the size `keptSize()`; the **page number** there is
 * the address / the bytes of that size (of `coalescedPages` pages, where it is 4K), rounded down.
 * An entry is found by that size, page number and PCID.
 *
 * 1. The first-level array that serves kind and size is looked up. A hit ends the reference.
 * 2. Else the second-level bank is. Where n banks serve kind and size, it is number (page number mod
 *    n) of them, in the order of the data, and there the page number is divided by n.
 * 3. Else the page is walked, the levels are filled, and then, with `nextPagePrefetch`, the page
 *    after it (same size; after the last of the 48 bits the first) is walked too, if a bank serves it
 *    that does not have it. This counts as a prefetch, not a walk; its entry loads count.
 *
 * What is filled, second level first:
 * - `non-inclusive`: a walk fills both levels, a second-level hit the first level.
 * - `inclusive`: the same, and what a bank evicts leaves the first level too: every array that
 *   serves a kind the bank serves.
 * - `exclusive`: walks fill the first level; what it evicts goes to the second level (and only
 *   touches it there if it is there already); a second-level hit leaves the bank before the first
 *   level is filled. Kinds and sizes without a first-level array use their bank as if non-inclusive.
 * - Prefetched pages fill their bank only.
 *
 * A PCID is resident in an array from its first reference on. Before a reference is looked up, if
 * its PCID is not resident in an array, and the array is full of them (max(1, pcids)), the entries
 * of the one least recently switched to are dropped. This holds for all arrays and structure
 * caches, used by the reference or not.
 */

/** Which bytes a page has. */
export type PageSize = "4K" | "2M" | "1G";
export const PAGE_SIZES: readonly PageSize[] = ["4K", "2M", "1G"];

/** log2 of the bytes of a page. */
export const PAGE_SHIFT: Readonly<Record<PageSize, number>> = { "4K": 12, "2M": 21, "1G": 30 };

export type ReferenceKind = "fetch" | "load" | "store";
export const REFERENCE_KINDS: readonly ReferenceKind[] = ["fetch", "load", "store"];

/** Address bits a reference is made of; the rest is ignored. */
export const ADDRESS_BITS = 48;

/**
 * Who leaves a full set. A set that is not full takes the lowest free way. Filling and hitting a
 * way touches it. Dropping entries changes no other state.
 *
 * - `lru`: the way touched longest ago.
 * - `fifo`: the way filled longest ago.
 * - `plru`: a binary tree of bits, all 0 at first; a bit is the half the victim is in (0: lower
 *   ways), and a touch points the bits on the way's path to the other half. Ways: a power of two.
 * - `mru3-plru`: three groups of ways / 3 neighbouring ways, each a `plru`; the victim is in group
 *   (group touched last, 0 at first, + 1) mod 3. Skylake's STLB, by measurement.
 * - `nru`: a touch marks the way, and where all are marked then, unmarks the others; the victim is
 *   the lowest way without a mark.
 * - `random`: way `(x × ways) >> 32`, x the next number of the array's own xorshift32 (13, 17, 5),
 *   which starts as the processor's `randomSeed`.
 */
export type Replacement = "lru" | "fifo" | "plru" | "mru3-plru" | "nru" | "random";
export const REPLACEMENTS: readonly Replacement[] = [
  "lru",
  "fifo",
  "plru",
  "mru3-plru",
  "nru",
  "random",
];

export type Inclusion = "non-inclusive" | "inclusive" | "exclusive";
export const INCLUSIONS: readonly Inclusion[] = ["non-inclusive", "inclusive", "exclusive"];

/** One array of entries. `entries / ways` is its number of sets, a power of two. */
export interface TlbArray {
  /** What reports call it; no two of a processor are alike. */
  readonly name: string;
  readonly entries: number;
  readonly ways: number | "full";
  /** The sizes of pages whose translations it keeps, in one space. */
  readonly pageSizes: readonly PageSize[];
  readonly kinds: readonly ReferenceKind[];
  /**
   * The set is the XOR of this many groups of log2(sets) bits of the page number, from its lowest
   * bit on: 1 is linear. Bits above are not part of the index.
   */
  readonly indexGroups: number;
  readonly replacement: Replacement;
  /** How many PCIDs have entries at once; 0 and 1: a switch to another PCID drops all. */
  readonly pcids: number;
  /** Neighbouring 4K pages, aligned, that one entry translates (AMD's coalescing); 1: none. */
  readonly coalescedPages: number;
  /** Sizes that are kept in pieces, an entry for each that is used: `{ "1G": "2M" }` on Zen 2. */
  readonly keptAs: Readonly<Partial<Record<PageSize, PageSize>>>;
}

export interface SecondLevelBank extends TlbArray {
  /** What a hit costs beyond a first-level hit. */
  readonly hitCycles: number;
}

/**
 * Caches of entries that point to tables, each fully associative, true LRU; 0: there is none. A
 * walk looks for the lowest such entry of its address (a walk for 2M has no use for `pd`, one for
 * 1G none for `pdpt`), touches only that one, loads all entries below it, and keeps those that
 * point to tables.
 */
export interface StructureCaches {
  /** Entries, each of which stands for 512 GiB, and gives the PDPT. */
  readonly pml4: number;
  /** Entries, each of which stands for 1 GiB, and gives the PD. */
  readonly pdpt: number;
  /** Entries, each of which stands for 2 MiB, and gives the page table. */
  readonly pd: number;
  /** As `TlbArray.pcids`. */
  readonly pcids: number;
}

/**
 * A cache that a walk's loads go through: the share that page tables have of it. Lines are 64
 * bytes, 8 entries of one table level; a line is (PCID, level, address / bytes 8 entries stand
 * for), its set the last of these mod sets; true LRU.
 */
export interface WalkCache {
  readonly name: string;
  readonly lines: number;
  readonly ways: number | "full";
  /** What a load costs that hits here. */
  readonly cycles: number;
}

/** A load costs the cycles of the first cache that has the line, and fills those before it. */
export interface WalkCost {
  /** From the nearest on. */
  readonly caches: readonly WalkCache[];
  /** What a load costs that no cache has. */
  readonly memoryCycles: number;
}

export interface Processor {
  /** What the command line calls it. */
  readonly name: string;
  /** At most one array for a kind and size. */
  readonly firstLevel: readonly TlbArray[];
  /**
   * For a kind and size 0, 1, 2 or 4 banks, which serve the same kinds of that size. A bank serves
   * all kinds of a first-level array or none.
   */
  readonly secondLevel: readonly SecondLevelBank[];
  readonly inclusion: Inclusion;
  readonly structureCaches: StructureCaches;
  readonly nextPagePrefetch: boolean;
  /** Walks that are under way at once; it changes no count, only what their cycles add up to. */
  readonly walkers: number;
  readonly walkCost: WalkCost;
  /** What `random` starts from: 32 bits, not 0. */
  readonly randomSeed: number;
}

export function nrWays({ entries, ways }: Pick<TlbArray, "entries" | "ways">): number {
  return ways === "full" ? entries : ways;
}

/** The size an array keeps pages of a size as. */
export function keptSize({ keptAs }: TlbArray, size: PageSize): PageSize {
  return keptAs[size] ?? size;
}

export function serves(array: TlbArray, kind: ReferenceKind, size: PageSize): boolean {
  return array.kinds.includes(kind) && array.pageSizes.includes(size);
}
