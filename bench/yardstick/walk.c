// A yardstick for assembly/walk.ts and assembly/replay.ts: the same page walk over the same sparse
// RAM, and the same batch of lookaside hits, written in C and compiled ahead of time. It mirrors
// them step by step, so that the ratio says what WebAssembly costs and not what a better idea gains.
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
#define ADDRESS 0x000ffffffffff000ull
#define ERROR_P 1u
#define ERROR_W 2u
#define ERROR_U 4u
#define ERROR_RSVD 8u
#define ERROR_I 16u

enum { BATCH = 32768, LOOKASIDE_ENTRIES = 512, SECTION_SHIFT = 21, PML4 = 4 };
#define RAM_BYTES (256ull << 30)
#define VIRTUAL_BASE (1ull << 40)
#define PHYSICAL_BASE (64ull << 30)

struct lookaside_entry {
  uint64_t tag[3];
  uint32_t addend;
  uint32_t frame;
};

struct cpu {
  uint64_t root;
  uint32_t cpl;
  bool leaf_a_on_fault;
  uint32_t vector, error_code, fault_level, fault_reason, error_code_mask;
  uint64_t fault_address, fault_entry_address, fault_entry;
  uint64_t lookaside_context;
  uint8_t permissions[32];
  uint64_t reserved[PML4 + 1][2];
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

// D is bit 6 of an entry and bit 3 of a translation; G is bit 8 and bit 7.
static inline uint64_t translation_of(uint64_t leaf, uint32_t level) {
  uint64_t frame = leaf & ADDRESS & ~((1ull << level_shift(level)) - 1);
  return frame | level << 4 | (leaf & D) >> 3 | (leaf & G) >> 1;
}

static inline uint64_t quick_leaf(const struct cpu *cpu, uint64_t leaf, uint32_t level,
                                  uint64_t upper, uint32_t access) {
  uint64_t ps = level == 1 ? 0 : PS;
  uint64_t wanted = P | A | ps | (access & ERROR_W ? D : 0);
  if ((leaf & wanted) != wanted || leaf & cpu->reserved[level][ps != 0]) return 0;
  uint32_t rights = (uint32_t)((upper & leaf) >> 1 & 3) | (uint32_t)(~leaf >> 63) << 2;
  return is_denied(cpu, access, rights) ? 0 : translation_of(leaf, level) | rights;
}

static inline uint64_t entry_of(uint64_t table, uint64_t va, uint32_t level) {
  return load_entry(table + ((va >> (level_shift(level) - 3)) & 0xff8));
}

// The walk that changes nothing and does not fault; 0 for any other.
static inline uint64_t quick_walk(const struct cpu *cpu, uint64_t va, uint32_t access) {
  uint64_t names_table = P | A;
  uint64_t mask = names_table | PS | NX | cpu->reserved[PML4][0];
  uint64_t entry4 = entry_of(cpu->root, va, 4);
  if ((entry4 & mask) != names_table) return 0;
  uint64_t entry3 = entry_of(entry4 & ADDRESS, va, 3);
  if ((entry3 & mask) != names_table) return quick_leaf(cpu, entry3, 3, entry4, access);
  uint64_t entry2 = entry_of(entry3 & ADDRESS, va, 2);
  uint64_t upper = entry4 & entry3;
  if ((entry2 & mask) != names_table) return quick_leaf(cpu, entry2, 2, upper, access);
  return quick_leaf(cpu, entry_of(entry2 & ADDRESS, va, 1), 1, upper & entry2, access);
}

// The translation's word (assembly/walk.ts), or 0 with the fault in `cpu`.
static uint64_t walk(struct cpu *cpu, uint64_t va, uint32_t access) {
  uint64_t table = cpu->root, combined = ~0ull;
  uint32_t level = PML4;
  for (;;) {
    uint64_t entry_address = table + ((va >> (level_shift(level) - 3)) & 0xff8);
    uint64_t entry = load_entry(entry_address);
    if (!(entry & P)) {
      page_fault(cpu, va, access, 1, level, entry_address, entry);
      return 0;
    }
    if (entry & cpu->reserved[level][(entry >> 7) & 1]) {
      page_fault(cpu, va, access | ERROR_P | ERROR_RSVD, 2, level, entry_address, entry);
      return 0;
    }
    combined &= entry ^ NX;
    if (level == 1 || (entry & PS)) {
      uint32_t rights = (uint32_t)((combined >> 1) & 3) | (uint32_t)(combined >> 63) << 2;
      if (is_denied(cpu, access, rights)) {
        if (cpu->leaf_a_on_fault) store_entry(entry_address, entry | A);
        page_fault(cpu, va, access | ERROR_P, 3, level, entry_address, entry);
        return 0;
      }
      uint64_t used = entry | A | (access & ERROR_W ? D : 0);
      if (used != entry) store_entry(entry_address, used);
      return translation_of(used, level) | rights;
    }
    if (!(entry & A)) store_entry(entry_address, entry | A);
    table = entry & ADDRESS;
    level--;
  }
}

static inline uint64_t translated(uint64_t translation, uint64_t va) {
  uint32_t level = (translation >> 4) & 7;
  return (translation & ADDRESS) | (va & ((1ull << level_shift(level)) - 1));
}

static inline bool is_canonical(uint64_t va) { return (uint64_t)((int64_t)(va << 16) >> 16) == va; }

static __attribute__((noinline)) uint32_t walk_batch(struct cpu *cpu, const uint64_t *from,
                                                     uint64_t *to, uint32_t count) {
  uint32_t access = cpu->cpl == 3 ? ERROR_U : 0;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t va = from[i];
    if (!is_canonical(va)) {
      page_fault(cpu, va, 0, 4, 0, 0, 0);
      cpu->vector = 13;
      return i;
    }
    uint64_t translation = quick_walk(cpu, va, access);
    if (!translation) translation = walk(cpu, va, access);
    if (!translation) return i;
    to[i] = translated(translation, va);
  }
  return count;
}

// A miss: walks, and fills the lookaside for reads.
static __attribute__((noinline)) int64_t access_slow(struct cpu *cpu, uint64_t va, uint32_t kind) {
  uint32_t access = (kind == 2 ? ERROR_I : kind << 1) | (cpu->cpl == 3 ? ERROR_U : 0);
  uint64_t translation = is_canonical(va) ? walk(cpu, va, access) : 0;
  if (!translation) return -1;
  uint64_t pa = translated(translation, va & ~0xfffull);
  struct lookaside_entry *slot = &cpu->lookaside[(va >> 12) % LOOKASIDE_ENTRIES];
  slot->tag[kind] = (va & ~0xfffull) | cpu->lookaside_context;
  slot->frame = (uint32_t)(pa >> 12);
  slot->addend = 0;
  return (int64_t)(pa | (va & 0xfff));
}

static inline int64_t access_virtual(struct cpu *cpu, uint64_t va, uint32_t nr_bytes,
                                     uint32_t kind) {
  struct lookaside_entry *slot = &cpu->lookaside[(va >> 12) % LOOKASIDE_ENTRIES];
  uint64_t wanted = ((va + nr_bytes - 1) & ~0xfffull) | cpu->lookaside_context;
  if (slot->tag[kind] == wanted) return (int64_t)((uint64_t)slot->frame << 12 | (va & 0xfff));
  return access_slow(cpu, va, kind);
}

static __attribute__((noinline)) uint32_t translate_batch(struct cpu *cpu, const uint64_t *from,
                                                          uint64_t *to, uint32_t count,
                                                          uint32_t kind) {
  for (uint32_t i = 0; i < count; i++) {
    int64_t pa = access_virtual(cpu, from[i], 1, kind);
    if (pa < 0) return i;
    to[i] = (uint64_t)pa;
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
  cpu->cpl = 3;
  cpu->error_code_mask = 31;
  cpu->lookaside_context = 1 << 2;
  for (uint32_t access = 0; access < 32; access++) {
    for (uint32_t rights = 0; rights < 8; rights++) {
      uint32_t code = access << 1;
      bool denied = ((code & ERROR_U) && !(rights & 2)) || ((code & ERROR_W) && !(rights & 1)) ||
                    ((code & ERROR_I) && !(rights & 4));
      if (denied) cpu->permissions[access] |= (uint8_t)(1u << rights);
    }
  }
  for (uint32_t l = 1; l <= PML4; l++) {
    for (uint32_t ps = 0; ps < 2; ps++) {
      uint64_t reserved = ADDRESS & ~((1ull << 46) - 1);
      if (ps && l == PML4) reserved |= PS;
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
