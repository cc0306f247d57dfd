// Numbers that the TLB model and its TypeScript face (src/tlb/model.ts) share. It imports nothing.

// Replacement: `Replacement` in src/tlb/config.ts says what each does.
export const REPLACEMENT_LRU = 0;
export const REPLACEMENT_FIFO = 1;
export const REPLACEMENT_PLRU = 2;
export const REPLACEMENT_MRU3_PLRU = 3;
export const REPLACEMENT_NRU = 4;
export const REPLACEMENT_RANDOM = 5;
/** Numbers of ways are the first times (times.ts). */
export const ORDER_WAYS_MAX = 255;
/** Trees and marks are one u64; three trees and the last group, too. */
export const BIT_WAYS_MAX = 64;
export const GROUP_WAYS_MAX = 48;

export const INCLUSION_NONE = 0;
export const INCLUSION_INCLUSIVE = 1;
export const INCLUSION_EXCLUSIVE = 2;

/** Bits of a 4K page's number: addresses have 48. */
export const PAGE_NUMBER_BITS = 36;
export const PAGE_4K_SHIFT = 12;
/** 512 pages of a size are one of the next. */
export const SIZE_SHIFT = 9;

// Kinds are those of a reference (../layout.ts): read, write, fetch. Sizes: 0 4K, 1 2M, 2 1G.
export const KINDS = 3;
/** In a reference's place of kind: the word is a control. Its number is in the place of size. */
export const KIND_CONTROL = 3;
/** The references that follow are of this thread; a trace begins with thread 0. */
export const CONTROL_THREAD = 0;
/** The next reference is of this many bytes, for more than 16. It is in the same batch. */
export const CONTROL_SIZE = 1;
/** The next reference was made by the instruction here. Without: by the last one fetched. */
export const CONTROL_IP = 2;
/** Translations of the page here leave all TLBs; after CONTROL_SIZE, of so many bytes up to 2^48. */
export const CONTROL_INVALIDATE = 3;
/**
 * All translations leave. In both cases, those of the PCID that is replayed. Neither is in files:
 * synthetic programs make them.
 */
export const CONTROL_FLUSH = 4;
/** The trace ends here, after so many references. Only in files. */
export const CONTROL_END = 15;
export const SIZES = 3;
/** In a lane's place of size: rules say which page is where (rules.ts). */
export const SIZE_BY_RULES = 3;
export const WALK_CACHES_MAX = 32;
export const LANES_MAX = 16;
/** Of a lane. */
export const RULES_MAX = 4096;

// What is done faster, and counts the same; all are on at first.
/** Further references to the page that its array was asked for last are hits that change nothing. */
export const TRICK_REPEATS = 1;
/** Tags are compared four at a time. */
export const TRICK_SIMD = 2;
/** A tree's victim is read from a table of its states. */
export const TRICK_TABLES = 4;
/** Levels one after another, a batch each, where no level takes from another. */
export const TRICK_STAGES = 8;
export const TRICKS_ALL = 15;

// Counts, u64 each: where they are from the start of …
// … a route, that is a kind and size of a lane,
export const COUNT_LOOKUPS = 0;
export const COUNT_FIRST_MISSES = 8;
export const COUNT_WALKS = 16;
// … a second-level bank or a walk's cache,
export const COUNT_HITS = 0;
export const COUNT_MISSES = 8;
// … a lane: entry loads by level (at 8 a PTE's, to 32 a PML4E's), walks ahead, what loads cost.
export const COUNT_LOADS = 0;
export const COUNT_PREFETCHES = 40;
export const COUNT_WALK_CYCLES = 48;

// A stack of LRU distances: how many pages deep at most; and where its counts are, u64 each: its
// accesses, then references by distance: of 0 to depth − 1, and those beyond.
export const STACK_DEPTH_MAX = 65536;
export const STACK_ACCESSES = 0;
export const STACK_HISTOGRAM = 64;

// A table of what walks were for (tally.ts): the address of its slots, and their number less one.
export const TABLE_SLOTS = 0;
export const TABLE_MASK = 4;
// A slot: its key + 1, or 0 for none; walks to there; their cycles; …
export const SLOT_KEY = 0;
export const SLOT_WALKS = 8;
export const SLOT_CYCLES = 16;
// … of a 2M region, moreover: its size + 1, or 0 while undecided; when it becomes 2M; 512 bits of 4K
// pages that were walked to.
export const REGION_SIZE = 24;
export const REGION_HUGE_AT = 32;
export const REGION_TOUCHED = 40;
export const REGION_BYTES = 104;
export const INSTRUCTION_BYTES = 24;
