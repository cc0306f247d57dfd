// Integers that the hardware (AssemblyScript) and its door (src/core.ts) share: bit positions,
// field offsets, codes. Imports nothing; each constant is untyped, so that both compilers read it.
// SDM = Intel 64 and IA-32 Architectures Software Developer's Manual; edition in CONTRIBUTING.md.

export const ABI_VERSION = 3;

// ---- Levels, numbered from the leaf (SDM Vol. 3A §4.5) -------------------------------------
export const LEVEL_PT = 1; // page table: entries map 4K
export const LEVEL_PD = 2; // page directory: entries map 2M or name a page table
export const LEVEL_PDPT = 3; // page-directory-pointer table: 1G, or names a page directory
export const LEVEL_PML4 = 4; // PML4 table
export const LEVEL_PML5 = 5; // PML5 table, with CR4.LA57
export const PAGE_SHIFT = 12; // log2 of 4K
export const LEVEL_BITS = 9; // each table has 512 entries
export const SECTION_SHIFT = 21; // RAM is backed by sections of 2M

// ---- Bits of an entry (SDM Vol. 3A §4.5, tables 4-15 to 4-20) ------------------------------
//   63  62…59  58…52  51…………M   M−1………………12   11…9   8   7   6   5   4    3    2   1   0
//  +---+------+------+----------+---------------+------+---+---+---+---+----+----+---+---+---+
//  |NX | key  | soft | reserved | frame or table| soft | G |PS | D | A |PCD |PWT | U | W | P |
//  +---+------+------+----------+---------------+------+---+---+---+---+----+----+---+---+---+
// In a 4K leaf bit 7 is PAT; in a 2M or 1G leaf PAT is bit 12. The key counts in a leaf alone.
export const ENTRY_P = 0;
export const ENTRY_W = 1;
export const ENTRY_U = 2;
export const ENTRY_PWT = 3;
export const ENTRY_PCD = 4;
export const ENTRY_A = 5;
export const ENTRY_D = 6;
export const ENTRY_PS = 7;
export const ENTRY_G = 8;
export const ENTRY_NX = 63;
export const PAT_OF_4K = 7; // where a 4K leaf has PAT
export const PAT_OF_LARGE = 12; // where a 2M or 1G leaf has it
/** Where P is 0, this bit says that the leaf is kept but denied to all (Linux's PROT_NONE). */
export const ENTRY_KEPT = 8;

// ---- Rights of a translation, all levels combined ------------------------------------------
export const RIGHTS_X = 1;
export const RIGHTS_W = 2; // W and U are where an entry has them
export const RIGHTS_U = 4;
/** Only for installing and protecting: keep the leaf, deny every access. */
export const RIGHTS_NONE = 8;

// ---- A translation: a leaf with what all levels say in the place of what it says alone ------
//   63  62…59  58…52  51…………12   11…9    8   7    6   5    4     3     2   1   0
//  +---+------+------+-----------+-------+---+----+---+---+-----+-----+---+---+---+
//  | 0 | key  |  0   | frame     | level | G |PAT | D | S | PCD | PWT | U | W | X |
//  +---+------+------+-----------+-------+---+----+---+---+-----+-----+---+---+---+
// Of a 2M or 1G page bit 7 is 1, and PAT is bit 12, the lowest of the frame's. S: a shadow-stack
// page (SDM Vol. 3A §4.6.1): D but not W in the leaf, W in all above it. 0 is no translation.
export const TRANSLATION_S = 5;
export const TRANSLATION_LEVEL = 9;
export const TRANSLATION_KEY = 59;

// ---- An access, in the form of a page fault's error code (SDM Vol. 3A §4.7) ----------------
export const ERROR_P = 1;
export const ERROR_W = 2;
export const ERROR_U = 4;
export const ERROR_RSVD = 8;
export const ERROR_I = 16;
export const ERROR_PK = 32;
export const ERROR_SS = 64;
// Of an access, where an error code has RSVD and PK:
/** A supervisor-mode access that the processor makes by itself, whatever the CPL (§4.6). */
export const ACCESS_IMPLICIT = 8;
/** An explicit supervisor-mode access with RFLAGS.AC set. */
export const ACCESS_AC = 32;

// ---- Kinds of access -----------------------------------------------------------------------
export const KIND_READ = 0;
export const KIND_WRITE = 1;
export const KIND_FETCH = 2;
export const KIND_SHADOW_READ = 4; // bit 2: by the shadow stack; bit 0: a write
export const KIND_SHADOW_WRITE = 5;
/** How it is made: by an instruction, by the processor itself, or through SS. */
export const MANNER_ORDINARY = 0;
export const MANNER_IMPLICIT = 1;
export const MANNER_STACK = 2;

// ---- Vectors (SDM Vol. 3A §6.15) -----------------------------------------------------------
export const VECTOR_NONE = 0;
export const VECTOR_SS = 12;
export const VECTOR_GP = 13;
export const VECTOR_PF = 14;

// ---- Why an access faulted -----------------------------------------------------------------
export const REASON_NONE = 0;
export const REASON_NOT_PRESENT = 1;
export const REASON_RESERVED = 2;
export const REASON_DENIED = 3;
export const REASON_NON_CANONICAL = 4;
export const REASON_KEY = 5; // denied by a protection key, and by nothing else
export const NR_REASONS = 6;

// ---- Control register and EFER bits --------------------------------------------------------
export const CR0_PE = 0;
export const CR0_WP = 16;
export const CR0_PG = 31;
export const CR3_LAM_U57 = 61;
export const CR3_LAM_U48 = 62;
export const CR3_NO_FLUSH = 63;
export const CR4_PAE = 5;
export const CR4_PGE = 7;
export const CR4_LA57 = 12;
export const CR4_PCIDE = 17;
export const CR4_SMEP = 20;
export const CR4_SMAP = 21;
export const CR4_PKE = 22;
export const CR4_CET = 23;
export const CR4_PKS = 24;
export const CR4_LAM_SUP = 28;
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
//  88    root | TLB context | lookaside context        (u64 each)
//  112   lookaside: generation | whether it is used    (u32 each)
//  120   pkru | pkrs | RFLAGS.AC | event               (u32 each)
//  136   IA32_PAT | address of the event               (u64 each)
//  152   what follows from the registers
//  256   counts, u64 each
//  512   permissions[64] (u8), reserved bits by level and PS (u64), TLB arrays' descriptors
//  1024  lookaside: 512 entries of 32 bytes
//  …     structure caches, TLB arrays
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
export const CPU_PKRU = 120;
export const CPU_PKRS = 124;
export const CPU_AC = 128;
export const CPU_EVENT = 132;
export const CPU_PAT = 136;
export const CPU_EVENT_ADDRESS = 144;
export const CPU_COUNTS = 256;
export const CPU_PERMISSIONS = 512;
export const CPU_RESERVED = 640;
export const CPU_ARRAYS = 768;
export const CPU_LOOKASIDE = 1024;

// ---- Counts of a CPU, u64 each, by index ---------------------------------------------------
export const COUNT_L1_HITS = 0; // and 1, 2: by page size 4K, 2M, 1G
export const COUNT_L2_HITS = 3; // and 4, 5
export const COUNT_WALKS = 6;
export const COUNT_ENTRY_LOADS = 7;
export const COUNT_FAULTS = 8; // and on: by reason
export const COUNT_STRUCTURE_HITS = 14; // and on: by the level whose entry was cached, 2 to 5
export const COUNT_FLUSHES = 18; // of everything
export const COUNT_INVALIDATIONS = 19; // of a page, a range or a PCID
export const NR_COUNTS = 20;

// ---- What an access ran into besides memory ------------------------------------------------
export const EVENT_NONE = 0;
export const EVENT_MMIO = 1;
export const EVENT_WATCH = 2;
/** Ranges of each kind that a machine can have. */
export const RANGES_MAX = 64;
/** Start, end (f64 each, inclusive and exclusive), kinds of access by bit (u32), 4 unused. */
export const RANGE_BYTES = 24;

// ---- Structure caches: by level of the entry that they hold --------------------------------
export const STRUCTURE_LEVELS = 4; // PDE, PDPTE, PML4E, PML5E
export const STRUCTURE_ENTRIES_MAX = 64;

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
