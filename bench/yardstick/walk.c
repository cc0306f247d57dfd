// A yardstick for assembly/walk.ts and assembly/replay.ts: the same page walk over the same sparse
// RAM, and the same batch of lookaside hits, written in C and compiled ahead of time. It mirrors
// them step by step, so that the ratio says what WebAssembly costs and not what a better idea gains:
// LA57, protection keys, shadow stacks and structure caches are asked about where the emulator asks,
// translations keep what its translations keep, and loops hoist what its loops hoist. Unrolling
// alone is left to the compiler. Batches are `noipa`: they are called, as exports are, with
// parameters of which the compiler knows nothing.
//
//   walk <pages> <level> <rounds>
//
// `pages` pages of `level` (1: 4K, 2: 2M, 3: 1G) lie side by side from VIRTUAL_BASE and map the
// same number of frames from PHYSICAL_BASE; addresses are random over them. Prints one line of JSON,
// nanoseconds an address, of `rounds` batches: {"walk": {"best": …, "median": …}, "hit": {…}}.
// Every translated address is checked: a wrong one ends the program with status 1.

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define P 1ull
#define W 2ull
#define U 4ull
#define A 0x20ull
#define D 0x40ull
#define PS 0x80ull
#define G 0x100ull
#define NX (1ull << 63)
#define S 0x20ull
#define ADDRESS 0x000ffffffffff000ull
#define ERROR_P 1u
#define ERROR_W 2u
#define ERROR_U 4u
#define ERROR_RSVD 8u
#define ERROR_I 16u
#define ERROR_PK 32u
#define ERROR_SS 64u
#define CR0_WP 0x10000ull
// What of a leaf is in its translation: key, frame, PAT, G, D, PCD and PWT.
#define KEPT_OF_LEAF 0x780ffffffffff1d8ull

enum { BATCH = 32768, LOOKASIDE_ENTRIES = 512, SECTION_SHIFT = 21, PML4 = 4, PML5 = 5 };
#define RAM_BYTES (256ull << 30)
#define VIRTUAL_BASE (1ull << 40)
#define PHYSICAL_BASE (64ull << 30)

struct lookaside_entry {
  uint64_t tag[3];
  uint32_t addend;
  uint32_t frame;
};

struct cpu {
  uint64_t root, cr0;
  uint32_t cpl, ac;
  uint32_t top_level, canonical_shift;
  uint32_t user_keys, supervisor_keys, any_keys;
  uint32_t nr_structure_entries;
  bool leaf_a_on_fault;
  uint32_t vector, error_code, fault_level, fault_reason, error_code_mask;
  uint64_t fault_address, fault_entry_address, fault_entry, entry_loads;
  uint64_t lookaside_context;
  uint8_t permissions[64];
  uint64_t reserved[PML5 + 1][2];
  struct lookaside_entry lookaside[LOOKASIDE_ENTRIES];
};

static uint8_t *memory;
static uint32_t *directory;
static uint64_t ram_bytes;
static struct cpu cpu_of_machine;
static uint64_t next_table;

static inline uint32_t level_shift(uint32_t level) { return 12 + (level - 1) * 9; }

static inline uint8_t *linear(uint64_t pa) {
  return memory + (directory[pa >> SECTION_SHIFT] + (uint32_t)(pa & ((1u << SECTION_SHIFT) - 1)));
}

static inline uint64_t load_entry(uint64_t pa) {
  uint64_t entry;
  if (pa >= ram_bytes) return ~0ull;
  memcpy(&entry, linear(pa), 8);
  return entry;
}

static inline void store_entry(uint64_t pa, uint64_t entry) {
  if (pa < ram_bytes) memcpy(linear(pa), &entry, 8);
}

static __attribute__((noinline)) void page_fault(struct cpu *cpu, uint64_t va, uint32_t error_code,
                                                 uint32_t reason, uint32_t level,
                                                 uint64_t entry_address, uint64_t entry) {
  cpu->vector = 14;
  cpu->error_code = error_code & cpu->error_code_mask;
  cpu->fault_reason = reason;
  cpu->fault_level = level;
  cpu->fault_address = va;
  cpu->fault_entry_address = entry_address;
  cpu->fault_entry = entry;
}

static inline bool is_denied(const struct cpu *cpu, uint32_t access, uint32_t rights) {
  return (cpu->permissions[access >> 1] >> rights) & 1;
}

// `combined`: a word whose W and U bits are those of all levels.
static inline uint64_t translation_of(uint64_t leaf, uint32_t level, uint64_t combined,
                                      uint64_t is_executable) {
  return (leaf & KEPT_OF_LEAF) | (combined & (W | U)) | is_executable | level << 9;
}

// PKRU for user-mode addresses, PKRS for supervisor-mode ones.
static inline bool key_denies(const struct cpu *cpu, uint32_t access, uint64_t translation) {
  if (access & ERROR_I) return false;
  bool is_user_page = (translation & U) != 0;
  uint32_t keys = is_user_page ? cpu->user_keys : cpu->supervisor_keys;
  uint32_t rights = keys >> ((translation >> 59 & 15) << 1);
  if (rights & 1) return true;
  bool heeds_wd = access & ERROR_U || cpu->cr0 & CR0_WP;
  return rights & 2 && access & ERROR_W && heeds_wd;
}

static inline uint64_t quick_leaf(const struct cpu *cpu, uint64_t leaf, uint32_t level,
                                  uint64_t upper, uint32_t access) {
  uint64_t ps = level == 1 ? 0 : PS;
  uint64_t wanted = P | A | ps | (access & ERROR_W) * (D / ERROR_W);
  uint64_t reserved = cpu->reserved[level][ps != 0];
  if (level == 3 && reserved & PS) return 0;
  if ((leaf & (wanted | reserved)) != wanted) return 0;
  return translation_of(leaf, level, upper & leaf, ~leaf >> 63);
}

static inline uint64_t entry_of(uint64_t table, uint64_t va, uint32_t level) {
  return load_entry(table + ((va >> (level_shift(level) - 3)) & 0xff8));
}

#define NAMES_TABLE (P | A)

static inline uint64_t quick_mask(const struct cpu *cpu) {
  return NAMES_TABLE | PS | NX | cpu->reserved[PML4][0];
}

static inline uint64_t quick_translation(const struct cpu *cpu, uint64_t root, uint64_t mask,
                                         uint64_t va, uint32_t access) {
  uint64_t table = root, upper = ~0ull;
  if (cpu->top_level != PML4) {
    upper = entry_of(table, va, 5);
    if ((upper & mask) != NAMES_TABLE) return 0;
    table = upper & ADDRESS;
  }
  uint64_t entry4 = entry_of(table, va, 4);
  if ((entry4 & mask) != NAMES_TABLE) return 0;
  upper &= entry4;
  uint64_t entry3 = entry_of(entry4 & ADDRESS, va, 3);
  if ((entry3 & mask) != NAMES_TABLE) return quick_leaf(cpu, entry3, 3, upper, access);
  upper &= entry3;
  uint64_t entry2 = entry_of(entry3 & ADDRESS, va, 2);
  if ((entry2 & mask) != NAMES_TABLE) return quick_leaf(cpu, entry2, 2, upper, access);
  return quick_leaf(cpu, entry_of(entry2 & ADDRESS, va, 1), 1, upper & entry2, access);
}

// The walk that changes nothing and does not fault; 0 for any other.
static inline uint64_t quick_walk(const struct cpu *cpu, uint64_t root, uint64_t mask,
                                  uint32_t denials, uint64_t va, uint32_t access) {
  uint64_t translation = quick_translation(cpu, root, mask, va, access);
  if (denials >> (translation & 7) & 1) return 0;
  return cpu->any_keys && key_denies(cpu, access, translation) ? 0 : translation;
}

// The translation's word (assembly/walk.ts), or 0 with the fault in `cpu`. No structure caches.
static __attribute__((noinline)) uint64_t walk(struct cpu *cpu, uint64_t va, uint32_t access) {
  uint64_t table = cpu->root, combined = ~0ull;
  uint32_t level = cpu->top_level;
  for (;;) {
    uint64_t entry_address = table + ((va >> (level_shift(level) - 3)) & 0xff8);
    uint64_t entry = load_entry(entry_address);
    uint32_t flags = ERROR_P, reason = 3;
    if (!(entry & P)) {
      flags = 0;
      reason = 1;
    } else if (entry & cpu->reserved[level][(entry >> 7) & 1]) {
      flags |= ERROR_RSVD;
      reason = 2;
    } else if (level == 1 || (entry & PS)) {
      uint64_t used = entry | A | (access & ERROR_W ? D : 0);
      bool is_shadow_stack = combined & W && (entry & (W | D)) == D;
      combined &= entry ^ NX;
      uint64_t translation = translation_of(used, level, combined, combined >> 63);
      if (is_shadow_stack) translation |= S;
      bool denied = is_denied(cpu, access, translation & 7);
      if (access & ERROR_SS && !(translation & S)) denied = true;
      bool key = cpu->any_keys && key_denies(cpu, access, translation);
      if (!denied && !key) {
        if (used != entry) store_entry(entry_address, used);
        cpu->entry_loads += cpu->top_level - level + 1;
        return translation;
      }
      if (cpu->leaf_a_on_fault) store_entry(entry_address, entry | A);
      if (key) flags |= ERROR_PK;
      if (key && !denied) reason = 5;
    } else {
      if (!(entry & A)) store_entry(entry_address, entry | A);
      combined &= entry ^ NX;
      table = entry & ADDRESS;
      level--;
      continue;
    }
    cpu->entry_loads += cpu->top_level - level + 1;
    page_fault(cpu, va, access | flags, reason, level, entry_address, entry);
    return 0;
  }
}

static inline uint64_t translated(uint64_t translation, uint64_t va) {
  uint32_t level = (translation >> 9) & 7;
  uint64_t offset = (1ull << level_shift(level)) - 1;
  return (translation ^ ((translation ^ va) & offset)) & 0xfffffffffffffull;
}

static inline uint32_t access_of(const struct cpu *cpu, uint32_t kind) {
  uint32_t bits = kind == 2 ? ERROR_I : (kind & 1) << 1 | (kind & 4 ? ERROR_SS : 0);
  return bits | (cpu->cpl == 3 ? ERROR_U : cpu->ac);
}

// Half the addresses that are canonical: those on one side of zero.
static inline uint64_t canonical_half(const struct cpu *cpu) {
  return 1ull << (63 - cpu->canonical_shift);
}

static inline bool is_canonical(uint64_t va, uint64_t half) { return va + half < half << 1; }

static __attribute__((noipa)) uint32_t walk_batch(struct cpu *cpu, const uint64_t *from,
                                                  uint64_t *to, uint32_t count) {
  uint32_t access = access_of(cpu, 0);
  uint64_t root = cpu->root, mask = quick_mask(cpu), half = canonical_half(cpu);
  uint32_t denials = cpu->permissions[access >> 1];
  for (uint32_t i = 0; i < count; i++) {
    uint64_t va = from[i];
    if (!is_canonical(va, half)) {
      page_fault(cpu, va, 0, 4, 0, 0, 0);
      cpu->vector = 13;
      return i;
    }
    uint64_t translation = quick_walk(cpu, root, mask, denials, va, access);
    if (!translation) translation = walk(cpu, va, access);
    if (!translation) return i;
    to[i] = translated(translation, va);
  }
  return count;
}

// A miss: walks, and fills the lookaside for reads.
static __attribute__((noinline)) int64_t access_slow(struct cpu *cpu, uint64_t va, uint32_t kind) {
  uint64_t translation =
      is_canonical(va, canonical_half(cpu)) ? walk(cpu, va, access_of(cpu, kind)) : 0;
  if (!translation) return -1;
  uint64_t pa = translated(translation, va & ~0xfffull);
  struct lookaside_entry *slot = &cpu->lookaside[(va >> 12) % LOOKASIDE_ENTRIES];
  slot->tag[kind] = (va & ~0xfffull) | cpu->lookaside_context;
  slot->frame = (uint32_t)(pa >> 12);
  slot->addend = 0;
  return (int64_t)(pa | (va & 0xfff));
}

static __attribute__((noipa)) uint32_t translate_batch(struct cpu *cpu, const uint64_t *from,
                                                       uint64_t *to, uint32_t count,
                                                       uint32_t kind) {
  uint64_t context = cpu->lookaside_context;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t va = from[i];
    struct lookaside_entry *slot = &cpu->lookaside[(va >> 12) % LOOKASIDE_ENTRIES];
    if (slot->tag[kind] == ((va & ~0xfffull) | context)) {
      to[i] = (uint64_t)slot->frame << 12 | (va & 0xfff);
      continue;
    }
    int64_t pa = access_slow(cpu, va, kind);
    if (pa < 0) return i;
    to[i] = (uint64_t)pa;
    context = cpu->lookaside_context;
  }
  return count;
}

static void map_page(uint64_t va, uint64_t pa, uint32_t to_level) {
  uint64_t table = cpu_of_machine.root;
  for (uint32_t level = PML4; level > to_level; level--) {
    uint64_t at = table + ((va >> (level_shift(level) - 3)) & 0xff8);
    uint64_t entry = load_entry(at);
    if (!(entry & P)) {
      entry = next_table | P | W | U;
      next_table += 4096;
      store_entry(at, entry);
    }
    table = entry & ADDRESS;
  }
  uint64_t leaf = pa | P | W | U | (to_level > 1 ? PS : 0);
  store_entry(table + ((va >> (level_shift(to_level) - 3)) & 0xff8), leaf);
}

static void build(uint32_t nr_pages, uint32_t level) {
  uint32_t nr_sections = (uint32_t)(RAM_BYTES >> SECTION_SHIFT);
  // Linear memory: the shared section of zeros, then one section that holds all tables.
  memory = aligned_alloc(1u << SECTION_SHIFT, 2u << SECTION_SHIFT);
  memset(memory, 0, 2u << SECTION_SHIFT);
  directory = calloc(nr_sections, sizeof *directory);
  directory[0] = 1u << SECTION_SHIFT;
  ram_bytes = RAM_BYTES;
  struct cpu *cpu = &cpu_of_machine;
  cpu->root = 4096;
  cpu->cr0 = CR0_WP;
  cpu->cpl = 3;
  cpu->top_level = PML4;
  cpu->canonical_shift = 16;
  cpu->error_code_mask = 127;
  cpu->lookaside_context = 1 << 2;
  for (uint32_t access = 0; access < 64; access++) {
    for (uint32_t rights = 0; rights < 8; rights++) {
      uint32_t code = access << 1;
      bool denied = ((code & ERROR_U) && !(rights & U)) || ((code & ERROR_W) && !(rights & W)) ||
                    ((code & ERROR_I) && !(rights & 1));
      if (denied) cpu->permissions[access] |= (uint8_t)(1u << rights);
    }
  }
  for (uint32_t l = 1; l <= PML5; l++) {
    for (uint32_t ps = 0; ps < 2; ps++) {
      uint64_t reserved = ADDRESS & ~((1ull << 46) - 1);
      if (ps && l >= PML4) reserved |= PS;
      if (ps && (l == 2 || l == 3)) reserved |= ((1ull << level_shift(l)) - 1) & ~0x1fffull;
      cpu->reserved[l][ps] = reserved;
    }
  }
  next_table = 2 * 4096;
  uint64_t bytes = 1ull << level_shift(level);
  for (uint32_t i = 0; i < nr_pages; i++) {
    map_page(VIRTUAL_BASE + i * bytes, PHYSICAL_BASE + i * bytes, level);
  }
}

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void check(const uint64_t *from, const uint64_t *to, uint32_t done) {
  bool is_right = done == BATCH;
  for (uint32_t i = 0; i < BATCH; i++) is_right &= to[i] == from[i] - VIRTUAL_BASE + PHYSICAL_BASE;
  if (is_right) return;
  fprintf(stderr, "walk.c: a translated address is wrong\n");
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  uint32_t nr_pages = (uint32_t)atoi(argv[1]), level = (uint32_t)atoi(argv[2]);
  int rounds = atoi(argv[3]);
  static uint64_t from[BATCH], to[BATCH];
  build(nr_pages, level);
  uint64_t bytes = 1ull << level_shift(level);
  // The same addresses as in bench/addresses.ts.
  uint32_t state = 1;
  for (uint32_t i = 0; i < BATCH; i++) {
    state = state * 1664525u + 1013904223u;
    uint64_t page = (state >> 8) % nr_pages;
    state = state * 1664525u + 1013904223u;
    from[i] = VIRTUAL_BASE + page * bytes + (state >> 8) % (bytes / 8) * 8;
  }
  struct cpu *cpu = &cpu_of_machine;
  double *walks = malloc(rounds * sizeof *walks), *hits = malloc(rounds * sizeof *hits);
  // Accessed flags are set, and the lookaside is filled, before anything is timed.
  check(from, to, walk_batch(cpu, from, to, BATCH));
  check(from, to, translate_batch(cpu, from, to, BATCH, 0));
  for (int round = 0; round < rounds; round++) {
    double start = now_ns();
    uint32_t done = walk_batch(cpu, from, to, BATCH);
    walks[round] = (now_ns() - start) / BATCH;
    check(from, to, done);
    start = now_ns();
    done = translate_batch(cpu, from, to, BATCH, 0);
    hits[round] = (now_ns() - start) / BATCH;
    check(from, to, done);
  }
  qsort(walks, rounds, sizeof *walks, by_size);
  qsort(hits, rounds, sizeof *hits, by_size);
  printf("{\"walk\": {\"best\": %.3f, \"median\": %.3f}, \"hit\": {\"best\": %.3f, \"median\": %.3f}}\n",
         walks[0], walks[rounds / 2], hits[0], hits[rounds / 2]);
  return 0;
}
