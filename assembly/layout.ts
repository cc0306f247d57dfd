// Integers that the hardware (AssemblyScript) and its door (src/core.ts) share: bit positions,
// field offsets, codes. Imports nothing; each constant is untyped, so that both compilers read it.
// SDM = Intel 64 and IA-32 Architectures Software Developer's Manual; edition in CONTRIBUTING.md.

export const ABI_VERSION = 1;

// ---- Levels, numbered from the leaf (SDM Vol. 3A §4.5) -------------------------------------
export const LEVEL_PT = 1; // page table: entries map 4K
export const LEVEL_PD = 2; // page directory: entries map 2M or name a page table
export const LEVEL_PDPT = 3; // page-directory-pointer table: 1G, or names a page directory
export const LEVEL_PML4 = 4; // PML4 table
export const PAGE_SHIFT = 12; // log2 of 4K
export const LEVEL_BITS = 9; // each table has 512 entries
export const SECTION_SHIFT = 21; // RAM is backed by sections of 2M

// ---- Bits of an entry (SDM Vol. 3A §4.5, tables 4-15 to 4-20) ------------------------------
//   63  62……52   51…………M   M−1………………12   11…9   8   7   6   5   4    3    2   1   0
//  +---+-------+----------+---------------+------+---+---+---+---+----+----+---+---+---+
//  |NX | soft  | reserved | frame or table| soft | G |PS | D | A |PCD |PWT | U | W | P |
//  +---+-------+----------+---------------+------+---+---+---+---+----+----+---+---+---+
// In a 4K leaf bit 7 is PAT; in a 2M or 1G leaf PAT is bit 12.
export const ENTRY_P = 0;
export const ENTRY_W = 1;
export const ENTRY_U = 2;
export const ENTRY_A = 5;
export const ENTRY_D = 6;
export const ENTRY_PS = 7;
export const ENTRY_G = 8;
export const ENTRY_NX = 63;
/** Where P is 0, this bit says that the leaf is kept but denied to all (Linux's PROT_NONE). */
export const ENTRY_KEPT = 8;

// ---- Rights of a translation, all levels combined ------------------------------------------
export const RIGHTS_W = 1;
export const RIGHTS_U = 2;
export const RIGHTS_X = 4;
/** Only for installing and protecting: keep the leaf, deny every access. */
export const RIGHTS_NONE = 8;

// ---- An access, in the form of a page fault's error code (SDM Vol. 3A §4.7) ----------------
export const ERROR_P = 1;
export const ERROR_W = 2;
export const ERROR_U = 4;
export const ERROR_RSVD = 8;
export const ERROR_I = 16;

// ---- Kinds of access -----------------------------------------------------------------------
export const KIND_READ = 0;
export const KIND_WRITE = 1;
export const KIND_FETCH = 2;

// ---- Vectors (SDM Vol. 3A §6.15) -----------------------------------------------------------
export const VECTOR_NONE = 0;
export const VECTOR_GP = 13;
export const VECTOR_PF = 14;

// ---- Why an access faulted -----------------------------------------------------------------
export const REASON_NONE = 0;
export const REASON_NOT_PRESENT = 1;
export const REASON_RESERVED = 2;
export const REASON_DENIED = 3;
export const REASON_NON_CANONICAL = 4;

// ---- Control register and EFER bits --------------------------------------------------------
export const CR0_PE = 0;
export const CR0_WP = 16;
export const CR0_PG = 31;
export const CR3_NO_FLUSH = 63;
export const CR4_PAE = 5;
export const CR4_PGE = 7;
export const CR4_PCIDE = 17;
export const EFER_LME = 8;
export const EFER_LMA = 10;
export const EFER_NXE = 11;

// ---- Outcomes of operations on memory and tables -------------------------------------------
export const STATUS_DONE = 0;
/** The output buffer is full: take it, then call again from where `next` points. */
export const STATUS_OUTPUT_FULL = 1;
/** A page-table frame is needed: give one, then call again from where `next` points. */
export const STATUS_NEEDS_TABLE = 2;
/** Linear memory has no section left to back what was touched. */
export const STATUS_NO_BACKING = 3;
/** A range cuts a leaf, or a leaf lies where a table is needed. */
export const STATUS_LEAF_IN_THE_WAY = 4;

// ---- A CPU, in linear memory ---------------------------------------------------------------
//  0     cr0 | cr3 | cr4 | efer                        (u64 each)
//  32    cpl | maximal physical address bits           (u32 each)
//  40    has 1G pages | leaf A on a fault              (u32 each; bool)
//  48    the last fault: vector, error code, level, reason (u32), address, entry address, entry
//  88    derived state: root, TLB context, lookaside context, …
//  …     permissions[32] (u8), reserved bits by level and PS (u64), TLB arrays' descriptors
//  512   lookaside: 512 entries of 32 bytes
//  …     TLB arrays
export const CPU_CR0 = 0;
export const CPU_CR3 = 8;
export const CPU_CR4 = 16;
export const CPU_EFER = 24;
export const CPU_CPL = 32;
export const CPU_MAXPHYADDR = 36;
export const CPU_HAS_1G = 40;
export const CPU_LEAF_A_ON_FAULT = 44;
export const CPU_VECTOR = 48;
export const CPU_ERROR_CODE = 52;
export const CPU_FAULT_LEVEL = 56;
export const CPU_FAULT_REASON = 60;
export const CPU_FAULT_ADDRESS = 64;
export const CPU_FAULT_ENTRY_ADDRESS = 72;
export const CPU_FAULT_ENTRY = 80;
export const CPU_ROOT = 88;
export const CPU_TLB_CONTEXT = 96;
export const CPU_LOOKASIDE_CONTEXT = 104;
export const CPU_LOOKASIDE_GENERATION = 112;
export const CPU_HAS_LOOKASIDE = 116;
export const CPU_WALKS = 120;
export const CPU_L1_HITS = 128;
export const CPU_L2_HITS = 136;
export const CPU_PERMISSIONS = 160;
export const CPU_RESERVED = 192;
export const CPU_ARRAYS = 272;
export const CPU_LOOKASIDE = 512;

// ---- Lookaside: what a hit needs and no more -----------------------------------------------
//  0 read tag | 8 write tag | 16 fetch tag | 24 addend (u32) | 28 frame number (u32)
// A tag is the page's address with the context in its low 12 bits; 0 never matches. The tag of a
// kind of access lies at 8 times the kind. Linear address = low 32 bits of (address + addend).
export const LOOKASIDE_ENTRIES = 512;
export const LOOKASIDE_ENTRY_SHIFT = 5;
export const LOOKASIDE_ADDEND = 24;
export const LOOKASIDE_FRAME = 28;

// ---- TLB arrays ----------------------------------------------------------------------------
export const TLB_L1_4K = 0;
export const TLB_L1_2M = 1;
export const TLB_L1_1G = 2;
export const TLB_L2 = 3; // second level: 4K and 2M together
export const TLB_L2_1G = 4;
export const TLB_ARRAYS = 5;
/** log2 of the bytes of an array's descriptor (tlb.ts, as is the form of the sets). */
export const TLB_ARRAY_SHIFT = 4;

// ---- Records that table operations write for their caller ----------------------------------
/** A leaf: virtual address, physical address, flags (f64 each). */
export const LEAF_BYTES = 24;
export const LEAF_LEVEL_MASK = 7; // bits 0–2 of the flags: its level
export const LEAF_WRITABLE = 8;
export const LEAF_DIRTY = 16;
export const LEAF_ACCESSED = 32;
export const LEAF_KEPT = 64; // present for the kernel, denied to all

// ---- A reference of a replay: one u64 ------------------------------------------------------
//   63    62…60       59…58   57   56………………………0
//  +---+------------+-------+----+------------------+
//  | 0 | size in    | kind  | 0  | address, bit 56  |
//  |   | bytes − 1  | R W F |    | is its sign      |
//  +---+------------+-------+----+------------------+
export const REFERENCE_ADDRESS_BITS = 57;
export const REFERENCE_KIND_SHIFT = 58;
export const REFERENCE_SIZE_SHIFT = 60;

/** Bytes for batches: 8 bytes an address in, 8 bytes a result out, and leaf records. */
export const EXCHANGE_BYTES = 1048576;
