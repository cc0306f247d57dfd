// A yardstick for assembly/model/: the same stages over the same arrays, written in C and compiled
// ahead of time. It mirrors them step by step, so that the ratio says what WebAssembly costs and not
// what a better idea gains: geometry is read from memory, as there. The model is Skylake's for loads
// of 4K pages, with its structure caches and without the caches that walks load through.
//
//   tlb <pattern> <pages> <batches>
//
// `pattern`: s 8 bytes after 8 bytes, r random over `pages` pages. Prints one line of JSON:
// nanoseconds a reference, and the counts of all batches, for the bench to compare.

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <emmintrin.h>

enum { BATCH = 16384, CHUNK = 2048, NUMBER_BITS = 36, TIMES_SHIFT = 38, FULL = 0, STATE = 16 };
enum { LRU, TREE, GROUPS };
#define NUMBER_MASK ((1ull << NUMBER_BITS) - 1)
#define VALID (1ull << 63)
#define PAGE_AND_KIND (NUMBER_MASK << 12 | 3ull << 58)

struct array {
  uint64_t hits, misses, recent;
  uint8_t *sets;
  uint32_t set_bytes, set_mask, set_bits, groups, ways, half_bytes, replacement;
  uint64_t *touches;
  uint8_t *victims;
};

struct route {
  uint64_t lookups, first_misses, walks;
  struct array *first, *bank;
  uint32_t first_shift, bank_shift, first_space, bank_space, deal_shift;
};

static struct route routes[3];
static struct array *structures[5];
static uint64_t loads[5];
static uint64_t pcid_bits = VALID;

static void *zeros(size_t bytes) {
  bytes = (bytes + 63) & ~(size_t)63;
  return memset(aligned_alloc(64, bytes), 0, bytes);
}
static uint32_t load32(const uint8_t *at) {
  uint32_t x;
  memcpy(&x, at, 4);
  return x;
}
static uint64_t load64(const uint8_t *at) {
  uint64_t x;
  memcpy(&x, at, 8);
  return x;
}
static void store32(uint8_t *at, uint32_t x) { memcpy(at, &x, 4); }
static void store64(uint8_t *at, uint64_t x) { memcpy(at, &x, 8); }

static uint32_t tree_victim(uint32_t ways, uint32_t nr_groups, uint64_t state) {
  uint32_t of_group = ways / nr_groups, group = 0, node = 1;
  if (nr_groups > 1) group = (uint32_t)((state >> (ways - 3)) + 1) % 3;
  uint32_t tree = group * (of_group - 1);
  while (node < of_group) node = node << 1 | ((uint32_t)(state >> (tree + node - 1)) & 1);
  return group * of_group + node - of_group;
}

static void init_trees(struct array *a) {
  uint32_t nr_groups = a->replacement == GROUPS ? 3 : 1, of_group = a->ways / nr_groups;
  a->touches = zeros(a->ways * 16);
  for (uint32_t way = 0; way < a->ways; way++) {
    uint32_t group = way / of_group, tree = group * (of_group - 1), node = 1;
    uint64_t cleared = 0, set = 0;
    for (uint32_t half = of_group >> 1; half; half >>= 1) {
      bool is_upper = way % of_group & half;
      cleared |= 1ull << (tree + node - 1);
      if (!is_upper) set |= 1ull << (tree + node - 1);
      node = node << 1 | is_upper;
    }
    if (nr_groups > 1) {
      cleared |= 3ull << (a->ways - 3);
      set |= (uint64_t)group << (a->ways - 3);
    }
    a->touches[way * 2] = ~cleared;
    a->touches[way * 2 + 1] = set;
  }
  uint32_t bits = a->ways - 1;
  a->victims = zeros(1u << bits);
  for (uint32_t s = 0; s < 1u << bits; s++) a->victims[s] = (uint8_t)tree_victim(a->ways, nr_groups, s);
}

static struct array *create(uint32_t nr_sets, uint32_t ways, uint32_t groups, uint32_t replacement) {
  struct array *a = zeros(sizeof *a);
  a->set_mask = nr_sets - 1;
  a->set_bits = 31 - (uint32_t)__builtin_clz(nr_sets);
  a->groups = groups;
  a->ways = ways;
  a->half_bytes = ((ways + 3) & ~3u) << 2;
  a->replacement = replacement;
  a->set_bytes = (a->half_bytes << 1) + STATE + (replacement == LRU ? (ways + 15) & ~15u : 16);
  a->sets = zeros((size_t)nr_sets * a->set_bytes);
  if (replacement != LRU) {
    init_trees(a);
    return a;
  }
  for (uint32_t i = 0; i < nr_sets; i++) {
    uint8_t *set = a->sets + i * a->set_bytes, *positions = set + (a->half_bytes << 1) + STATE;
    for (uint8_t *at = positions; at < set + a->set_bytes; at++) {
      *at = at - positions < ways ? (uint8_t)(at - positions) : 255;
    }
  }
  return a;
}

static inline uint64_t key_of(uint32_t space, uint64_t number) {
  return pcid_bits | (uint64_t)space << NUMBER_BITS | number;
}

static inline uint8_t *set_of(const struct array *a, uint64_t key, uint32_t shift) {
  uint64_t number = (key & NUMBER_MASK) >> shift, index = number;
  for (uint32_t group = 1; group < a->groups; group++) index ^= number >> (a->set_bits * group);
  return a->sets + ((uint32_t)index & a->set_mask) * a->set_bytes;
}

static inline __m128i same_as(const uint8_t *at, __m128i low) {
  return _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)at), low);
}

static inline uint64_t equal_lows(uint32_t half, const uint8_t *set, uint64_t key) {
  __m128i low = _mm_set1_epi32((int)(uint32_t)key), ways0 = same_as(set, low);
  if (half == 16) return (uint64_t)_mm_movemask_ps(_mm_castsi128_ps(ways0));
  __m128i ways0_7 = _mm_packs_epi32(ways0, same_as(set + 16, low)), none = _mm_setzero_si128();
  if (half == 32) return (uint64_t)_mm_movemask_epi8(_mm_packs_epi16(ways0_7, none));
  __m128i ways12 = half == 48 ? none : same_as(set + 48, low);
  __m128i ways8_15 = _mm_packs_epi32(same_as(set + 32, low), ways12);
  uint64_t equal = (uint64_t)_mm_movemask_epi8(_mm_packs_epi16(ways0_7, ways8_15));
  for (uint32_t at = 64; at < half; at += 16) {
    __m128i ways = same_as(set + at, low);
    equal |= (uint64_t)_mm_movemask_ps(_mm_castsi128_ps(ways)) << (at >> 2);
  }
  return equal;
}

static inline int find(const struct array *a, const uint8_t *set, uint64_t key) {
  for (uint64_t equal = equal_lows(a->half_bytes, set, key); equal; equal &= equal - 1) {
    uint32_t way = (uint32_t)__builtin_ctzll(equal);
    if (load32(set + a->half_bytes + (way << 2)) == key >> 32) return (int)way;
  }
  return -1;
}

static inline uint8_t *state_of(const struct array *a, uint8_t *set) {
  return set + ((size_t)a->half_bytes << 1);
}

static inline void touch_tree(const struct array *a, uint8_t *state, uint32_t way) {
  const uint64_t *bits = a->touches + way * 2;
  store64(state + STATE, (load64(state + STATE) & bits[0]) | bits[1]);
}

static void move_first(uint8_t *positions, const uint8_t *end, uint32_t way) {
  __m128i position = _mm_set1_epi8((char)positions[way]);
  for (uint8_t *at = positions; at < end; at += 16) {
    __m128i old = _mm_loadu_si128((__m128i *)at);
    __m128i is_here = _mm_cmpeq_epi8(old, position);
    __m128i is_before = _mm_andnot_si128(is_here, _mm_cmpeq_epi8(_mm_min_epu8(old, position), old));
    _mm_storeu_si128((__m128i *)at, _mm_andnot_si128(is_here, _mm_sub_epi8(old, is_before)));
  }
}

static void touch(const struct array *a, uint8_t *set, uint32_t way) {
  uint8_t *state = state_of(a, set);
  if (a->touches) touch_tree(a, state, way);
  else move_first(state + STATE, set + a->set_bytes, way);
}

static inline void set_key(const struct array *a, uint8_t *set, uint32_t way, uint64_t key) {
  store32(set + (way << 2), (uint32_t)key);
  store32(set + (way << 2) + a->half_bytes, (uint32_t)(key >> 32));
}

static int empty_way(const struct array *a, uint8_t *set) {
  for (uint32_t way = 0; way < a->ways; way++) {
    if (!load32(set + (way << 2) + a->half_bytes)) return (int)way;
  }
  store32(state_of(a, set) + FULL, 1);
  return -1;
}

static uint32_t move_last_first(uint8_t *positions, const uint8_t *end, uint32_t ways) {
  __m128i last = _mm_set1_epi8((char)(ways - 1));
  uint32_t way = 0;
  for (uint8_t *at = positions; at < end; at += 16) {
    __m128i old = _mm_loadu_si128((__m128i *)at);
    __m128i is_last = _mm_cmpeq_epi8(old, last);
    __m128i is_before = _mm_andnot_si128(is_last, _mm_cmpeq_epi8(_mm_min_epu8(old, last), old));
    _mm_storeu_si128((__m128i *)at, _mm_andnot_si128(is_last, _mm_sub_epi8(old, is_before)));
    uint32_t here = (uint32_t)_mm_movemask_epi8(is_last);
    if (here) way = (uint32_t)(at - positions) + (uint32_t)__builtin_ctz(here);
  }
  return way;
}

static void insert(const struct array *a, uint8_t *set, uint64_t key) {
  uint8_t *state = state_of(a, set);
  int empty = load32(state + FULL) ? -1 : empty_way(a, set);
  uint32_t way = (uint32_t)empty;
  if (empty >= 0) {
    touch(a, set, way);
  } else if (a->replacement == LRU) {
    way = move_last_first(state + STATE, set + a->set_bytes, a->ways);
  } else {
    way = a->victims[load64(state + STATE)];
    touch(a, set, way);
  }
  set_key(a, set, way, key);
}

static bool hits_first(struct route *route, uint64_t page) {
  struct array *a = route->first;
  uint64_t key = key_of(route->first_space, page >> route->first_shift);
  if (a->recent == key) return true;
  a->recent = key;
  uint8_t *set = set_of(a, key, 0);
  int way = find(a, set, key);
  if (way >= 0) {
    touch(a, set, (uint32_t)way);
    return true;
  }
  route->first_misses++;
  insert(a, set, key);
  return false;
}

static bool hits_second(struct route *route, uint64_t page) {
  struct array *a = route->bank;
  uint64_t key = key_of(route->bank_space, page >> route->bank_shift);
  uint8_t *set = set_of(a, key, route->deal_shift);
  int way = find(a, set, key);
  if (way >= 0) {
    a->hits++;
    touch(a, set, (uint32_t)way);
    return true;
  }
  a->misses++;
  insert(a, set, key);
  route->walks++;
  return false;
}

enum { HIT, MISS, UNDONE };

static inline int quick_access(uint8_t *set, uint32_t half, const uint64_t *touches,
                               const uint8_t *victims, uint64_t key) {
  uint8_t *state = set + ((size_t)half << 1);
  uint64_t equal = equal_lows(half, set, key), bits = load64(state + STATE);
  uint32_t way;
  int outcome = HIT;
  if (!equal) {
    if (!load32(state + FULL)) return UNDONE;
    way = victims[bits];
    store32(set + (way << 2), (uint32_t)key);
    store32(set + (way << 2) + half, (uint32_t)(key >> 32));
    outcome = MISS;
  } else {
    way = (uint32_t)__builtin_ctzll(equal);
    if (load32(set + half + (way << 2)) != key >> 32) return UNDONE;
  }
  store64(state + STATE, (bits & touches[way * 2]) | touches[way * 2 + 1]);
  return outcome;
}

static __attribute__((noipa)) uint64_t *first_stage(const uint64_t *at, const uint64_t *end,
                                                    uint64_t *to) {
  while (at < end) {
    uint64_t kind = *at >> NUMBER_BITS & 3;
    struct route *route = &routes[kind];
    struct array *a = route->first;
    if (a->victims && a->groups <= 2) {
      uint8_t *sets = a->sets;
      const uint64_t *touches = a->touches;
      const uint8_t *victims = a->victims;
      uint64_t set_mask = a->set_mask, space = key_of(route->first_space, 0), recent = a->recent;
      uint32_t set_bytes = a->set_bytes, half = a->half_bytes, shift = route->first_shift;
      uint32_t fold = a->groups > 1 ? a->set_bits : 63;
      uint64_t *start = to;
      do {
        uint64_t item = *at;
        if ((item >> NUMBER_BITS & 3) != kind) break;
        uint64_t number = (item & NUMBER_MASK) >> shift, key = space | number;
        if (key != recent) {
          uint8_t *set = sets + (uint32_t)((number ^ number >> fold) & set_mask) * set_bytes;
          int outcome = quick_access(set, half, touches, victims, key);
          if (outcome == UNDONE) break;
          if (outcome == MISS) *to++ = item;
          recent = key;
        }
        at++;
      } while (at < end);
      a->recent = recent;
      route->first_misses += (uint64_t)(to - start);
      if (at >= end) break;
    }
    uint64_t item = *at;
    if ((item >> NUMBER_BITS & 3) != kind) continue;
    at++;
    if (!hits_first(route, item & NUMBER_MASK)) *to++ = item;
  }
  return to;
}

static __attribute__((noipa)) uint64_t *second_stage(const uint64_t *at, const uint64_t *end,
                                                     uint64_t *to) {
  while (at < end) {
    uint64_t kind = *at >> NUMBER_BITS & 3;
    struct route *route = &routes[kind];
    struct array *a = route->bank;
    if (a->victims && a->groups <= 2) {
      uint8_t *sets = a->sets;
      const uint64_t *touches = a->touches;
      const uint8_t *victims = a->victims;
      uint64_t set_mask = a->set_mask, space = key_of(route->bank_space, 0);
      uint32_t set_bytes = a->set_bytes, half = a->half_bytes, shift = route->bank_shift;
      uint32_t fold = a->groups > 1 ? a->set_bits : 63, deal = route->deal_shift;
      const uint64_t *start_at = at;
      uint64_t *start_to = to;
      do {
        uint64_t item = *at, number = (item & NUMBER_MASK) >> shift, dealt = number >> deal;
        if ((item >> NUMBER_BITS & 3) != kind) break;
        uint8_t *set = sets + (uint32_t)((dealt ^ dealt >> fold) & set_mask) * set_bytes;
        int outcome = quick_access(set, half, touches, victims, space | number);
        if (outcome == UNDONE) break;
        if (outcome == MISS) *to++ = item;
        at++;
      } while (at < end);
      uint64_t nr_misses = (uint64_t)(to - start_to);
      a->misses += nr_misses;
      a->hits += (uint64_t)(at - start_at) - nr_misses;
      route->walks += nr_misses;
      if (at >= end) break;
      if (at > start_at) continue;
    }
    uint64_t item = *at++;
    if (!hits_second(route, item & NUMBER_MASK)) *to++ = item;
  }
  return to;
}

static uint32_t first_load(uint64_t page) {
  for (uint32_t level = 2; level <= 4; level++) {
    struct array *a = structures[level];
    uint64_t key = key_of(level, page >> 9 * (level - 1));
    if (a->recent == key) return level - 1;
    uint8_t *set = set_of(a, key, 0);
    int way = find(a, set, key);
    if (way < 0) continue;
    touch(a, set, (uint32_t)way);
    a->recent = key;
    return level - 1;
  }
  return 4;
}

static void walk(uint64_t page) {
  for (uint32_t level = first_load(page); level >= 1; level--) {
    loads[level]++;
    if (level == 1) continue;
    uint64_t key = key_of(level, page >> 9 * (level - 1));
    insert(structures[level], set_of(structures[level], key, 0), key);
    structures[level]->recent = key;
  }
}

static inline uint64_t differing(uint64_t first, uint64_t other) {
  uint64_t last = other + (other >> 60 & 7);
  return ((first ^ other) | (first ^ last)) & PAGE_AND_KIND;
}

static __attribute__((noipa)) void replay(const uint64_t *from, uint32_t count) {
  static uint64_t items[CHUNK], misses[CHUNK], walks[CHUNK];
  const uint64_t *end_of_all = from + count;
  while (from < end_of_all) {
    const uint64_t *end = from + CHUNK < end_of_all ? from + CHUNK : end_of_all;
    uint64_t *to = items, lookups[3] = {0};
    while (from < end) {
      uint64_t reference = *from;
      if (differing(reference, reference)) exit(3);
      const uint64_t *start = from++;
      while (from < end && !differing(reference, *from)) from++;
      uint64_t kind = reference >> 58 & 3, nr_times = (uint64_t)(from - start);
      if (kind > 2) kind = 2;
      *to++ = (reference >> 12 & NUMBER_MASK) | kind << NUMBER_BITS | nr_times << TIMES_SHIFT;
      lookups[kind] += nr_times;
    }
    for (int kind = 0; kind < 3; kind++) routes[kind].lookups += lookups[kind];
    uint64_t *end_of_misses = first_stage(items, to, misses);
    uint64_t *end_of_walks = second_stage(misses, end_of_misses, walks);
    for (uint64_t *at = walks; at < end_of_walks; at++) walk(*at & NUMBER_MASK);
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

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  uint32_t nr_pages = (uint32_t)atoi(argv[2]), nr_batches = (uint32_t)atoi(argv[3]);
  struct array *first = create(16, 4, 1, TREE), *second = create(128, 12, 2, GROUPS);
  for (int kind = 0; kind < 3; kind++) routes[kind].first = first, routes[kind].bank = second;
  structures[2] = create(1, 32, 1, LRU);
  structures[3] = create(1, 8, 1, LRU);
  structures[4] = create(1, 4, 1, LRU);
  static uint64_t batch[BATCH];
  // The same references as in bench/tlb.ts.
  uint32_t state = 1;
  for (uint32_t i = 0; i < BATCH; i++) {
    state = state * 1664525u + 1013904223u;
    uint64_t offset = argv[1][0] == 's' ? i * 8ull : (state >> 8) % nr_pages * 4096ull;
    batch[i] = ((1ull << 40) + offset) | 7ull << 60;
  }
  double *times = malloc(nr_batches * sizeof *times);
  for (uint32_t i = 0; i < nr_batches; i++) {
    double start = now_ns();
    replay(batch, BATCH);
    times[i] = (now_ns() - start) / BATCH;
  }
  qsort(times, nr_batches, sizeof *times, by_size);
  printf("{\"best\": %.3f, \"median\": %.3f, \"nrBatches\": %u, \"firstMisses\": %llu, \"walks\": %llu, "
         "\"entryLoads\": [%llu, %llu, %llu, %llu]}\n",
         times[0], times[nr_batches / 2], nr_batches, (unsigned long long)routes[0].first_misses,
         (unsigned long long)routes[0].walks, (unsigned long long)loads[1], (unsigned long long)loads[2],
         (unsigned long long)loads[3], (unsigned long long)loads[4]);
  return 0;
}
