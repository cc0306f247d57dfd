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

enum { BATCH = 16384, CHUNK = 2048, NUMBER_BITS = 36, KIND_SHIFT = 46, PLACE_SHIFT = 48 };
enum { FULL = 0, FRONT = 4, STATE = 16, BEFORE = STATE, BEHIND = STATE + 1, FURTHER = STATE + 2 };
enum { SET = 8, LANES = 16, TOUCHED_BYTES = 32, SHORT_WAYS_MAX = 16 };
enum { LRU, TREE, GROUPS };
#define NUMBER_MASK ((1ull << NUMBER_BITS) - 1)
#define ITEM_MASK (NUMBER_MASK | 3ull << KIND_SHIFT)
#define VALID (1ull << 63)
#define PAGE_AND_KIND (ITEM_MASK << 12)
#define SPREAD 0x9e3779b1u

struct array {
  uint64_t hits, misses, recent;
  uint8_t *sets;
  uint32_t set_bytes, set_mask, set_bits, groups, ways, half, replacement;
  bool is_long;
  uint32_t bucket_shift, buckets_at;
  uint8_t *touches, *victims;
};

struct placement {
  uint64_t space, mask, shift, deal_shift;
};

static struct array *first, *second, *structures[5];
static uint64_t lookups[3], first_misses, nr_walks, loads[5];
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
  a->touches = zeros(a->ways * TOUCHED_BYTES);
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
    uint8_t *touched = a->touches + way * TOUCHED_BYTES;
    store64(touched, ~cleared);
    store64(touched + SET, set);
    store32(touched + LANES + (way & 3) * 4, ~0u);
  }
  uint32_t bits = a->ways - 1;
  a->victims = zeros(1u << bits);
  for (uint32_t s = 0; s < 1u << bits; s++) a->victims[s] = (uint8_t)tree_victim(a->ways, nr_groups, s);
}

static void init_ring(const struct array *a, uint8_t *ring) {
  for (uint32_t way = 0; way < a->ways; way++) {
    ring[BEFORE + way * 4] = (uint8_t)((way + a->ways - 1) % a->ways);
    ring[BEHIND + way * 4] = (uint8_t)((way + 1) % a->ways);
  }
}

static struct array *create(uint32_t nr_sets, uint32_t ways, uint32_t groups, uint32_t replacement) {
  struct array *a = zeros(sizeof *a);
  a->set_mask = nr_sets - 1;
  a->set_bits = 31 - (uint32_t)__builtin_clz(nr_sets);
  a->groups = groups;
  a->ways = ways;
  a->half = ((ways + 3) & ~3u) << 2;
  a->replacement = replacement;
  a->is_long = replacement == LRU && ways > SHORT_WAYS_MAX;
  uint32_t bucket_bits = 35 - (uint32_t)__builtin_clz(ways);
  a->bucket_shift = 32 - bucket_bits;
  a->buckets_at = a->half * 2 + STATE + ways * 4;
  a->set_bytes = a->half * 2;
  if (a->is_long) a->set_bytes = (a->buckets_at + (1u << bucket_bits) + 15) & ~15u;
  if (replacement != LRU) a->set_bytes = a->set_bytes + STATE + 16 <= 64 ? 64 : 128;
  a->sets = zeros((size_t)nr_sets * a->set_bytes);
  if (replacement != LRU) init_trees(a);
  for (uint32_t i = 0; a->is_long && i < nr_sets; i++) {
    init_ring(a, a->sets + i * a->set_bytes + a->half * 2);
  }
  return a;
}

static inline uint64_t key_of(uint32_t space, uint64_t number) {
  return pcid_bits | (uint64_t)space << NUMBER_BITS | number;
}

static inline __m128i vector(const uint8_t *at) { return _mm_loadu_si128((const __m128i *)at); }
static inline __m128i splat(uint32_t x) { return _mm_set1_epi32((int)x); }
static inline __m128i select4(__m128i yes, __m128i no, __m128i mask) {
  return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
}
static inline __m128i same_as(const uint8_t *at, __m128i low) {
  return _mm_cmpeq_epi32(vector(at), low);
}

// Of trees, which have at most 12 ways.
static inline uint32_t equal_lows(uint32_t half, const uint8_t *set, uint64_t key) {
  __m128i low = splat((uint32_t)key), ways0 = same_as(set, low), none = _mm_setzero_si128();
  if (half == 16) return (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(ways0));
  __m128i ways0_7 = _mm_packs_epi32(ways0, same_as(set + 16, low));
  __m128i ways8_15 = half == 32 ? none : _mm_packs_epi32(same_as(set + 32, low), none);
  return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(ways0_7, ways8_15));
}

static inline uint32_t equal4(uint32_t half, const uint8_t *at, __m128i low, __m128i high) {
  __m128i equal = _mm_and_si128(same_as(at, low), same_as(at + half, high));
  return (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(equal));
}

static inline uint32_t equal_keys(uint32_t half, const uint8_t *set, uint64_t key) {
  __m128i low = splat((uint32_t)key), high = splat((uint32_t)(key >> 32));
  uint32_t equal = equal4(half, set, low, high);
  if (half > 16) equal |= equal4(half, set + 16, low, high) << 4;
  return equal;
}

static inline void move4(uint8_t *at, __m128i before, __m128i old, __m128i moved) {
  const __m128i lanes = _mm_setr_epi32(1, 2, 4, 8);
  __m128i shifted = _mm_or_si128(_mm_srli_si128(before, 12), _mm_slli_si128(old, 4));
  __m128i is_moved = _mm_cmpeq_epi32(_mm_and_si128(moved, lanes), lanes);
  _mm_storeu_si128((__m128i *)at, select4(shifted, old, is_moved));
}

static inline void move_back(uint32_t half, uint8_t *at, __m128i moved, __m128i key) {
  __m128i ways0 = vector(at);
  move4(at, key, ways0, moved);
  if (half > 16) move4(at + 16, ways0, vector(at + 16), _mm_srli_epi32(moved, 4));
}

static inline void move_first(uint32_t half, uint32_t ways, uint8_t *set, uint64_t key,
                              uint32_t equal) {
  __m128i moved = splat((equal ^ (equal - 1)) & ((1u << ways) - 1));
  move_back(half, set, moved, splat((uint32_t)key));
  move_back(half, set + half, moved, splat((uint32_t)(key >> 32)));
}

static inline uint8_t *bucket_of(const struct array *a, uint8_t *set, uint64_t key) {
  return set + a->buckets_at + ((uint32_t)key * SPREAD >> a->bucket_shift);
}

static inline int find_long(uint32_t half, const uint8_t *set, const uint8_t *bucket, uint64_t key) {
  int way = *bucket - 1;
  while (way >= 0) {
    const uint8_t *at = set + way * 4;
    if (load32(at) == (uint32_t)key && load32(at + half) == key >> 32) break;
    way = set[half * 2 + FURTHER + (uint32_t)way * 4] - 1;
  }
  return way;
}

static inline void move_way_first(uint8_t *ring, uint32_t way) {
  uint8_t front = ring[FRONT];
  if (way == front) return;
  uint8_t *own = ring + way * 4, before = own[BEFORE], behind = own[BEHIND];
  ring[BEHIND + before * 4] = behind;
  ring[BEFORE + behind * 4] = before;
  uint8_t last = ring[BEFORE + front * 4];
  own[BEFORE] = last;
  own[BEHIND] = front;
  ring[BEHIND + last * 4] = (uint8_t)way;
  ring[BEFORE + front * 4] = (uint8_t)way;
  ring[FRONT] = (uint8_t)way;
}

static inline void chain(uint8_t *ring, uint8_t *bucket, uint32_t way) {
  ring[FURTHER + way * 4] = *bucket;
  *bucket = (uint8_t)(way + 1);
}

static inline void unchain(uint8_t *ring, uint8_t *link, uint32_t way) {
  while (*link != way + 1) link = ring + FURTHER + (*link - 1) * 4;
  *link = ring[FURTHER + way * 4];
}

static inline void set_key(const struct array *a, uint8_t *set, uint32_t way, uint64_t key) {
  store32(set + (way << 2), (uint32_t)key);
  store32(set + (way << 2) + a->half, (uint32_t)(key >> 32));
}

static inline void replace_last(const struct array *a, uint8_t *set, uint8_t *bucket, uint64_t key) {
  uint8_t *ring = set + a->half * 2, way = ring[BEFORE + ring[FRONT] * 4];
  ring[FRONT] = way;
  uint64_t evicted = load32(set + way * 4) | (uint64_t)load32(set + way * 4 + a->half) << 32;
  unchain(ring, bucket_of(a, set, evicted), way);
  chain(ring, bucket, way);
  set_key(a, set, way, key);
}

static inline void touch_tree(const uint8_t *touched, uint8_t *state, uint64_t bits) {
  store64(state + STATE, (bits & load64(touched)) | load64(touched + SET));
}

enum { HIT, MISS, UNDONE };

static inline int access_tree(uint32_t half, const uint8_t *touches, const uint8_t *victims,
                              uint8_t *set, uint64_t key) {
  uint8_t *state = set + half * 2;
  uint32_t equal = equal_lows(half, set, key);
  uint64_t bits = load64(state + STATE);
  if (equal) {
    uint32_t way = (uint32_t)__builtin_ctz(equal);
    if (load32(set + half + way * 4) != key >> 32) return UNDONE;
    touch_tree(touches + way * TOUCHED_BYTES, state, bits);
    return HIT;
  }
  if (!load32(state + FULL)) return UNDONE;
  uint32_t way = victims[bits];
  const uint8_t *touched = touches + way * TOUCHED_BYTES;
  touch_tree(touched, state, bits);
  uint8_t *lows = half == 16 ? set : set + (way >> 2 << 4);
  __m128i changed = select4(splat((uint32_t)key), vector(lows), vector(touched + LANES));
  _mm_storeu_si128((__m128i *)lows, changed);
  store32(set + half + way * 4, (uint32_t)(key >> 32));
  return MISS;
}

static inline int access_short(uint32_t half, uint32_t ways, uint8_t *set, uint64_t key) {
  uint32_t equal = equal_keys(half, set, key);
  move_first(half, ways, set, key, equal);
  return !equal;
}

static inline int access_long(const struct array *a, uint8_t *set, uint64_t key) {
  uint32_t half = a->half;
  uint8_t *bucket = bucket_of(a, set, key);
  int way = find_long(half, set, bucket, key);
  if (way >= 0) {
    move_way_first(set + half * 2, (uint32_t)way);
    return HIT;
  }
  if (!load32(set + half * 2 + FULL)) return UNDONE;
  replace_last(a, set, bucket, key);
  return MISS;
}

// A set that is not full: whether it has the key; else the lowest empty way is filled.
static bool hits(const struct array *a, uint8_t *set, uint64_t key) {
  uint8_t *state = set + a->half * 2;
  for (uint32_t way = 0; way < a->ways; way++) {
    uint8_t *at = set + way * 4;
    uint64_t here = load32(at) | (uint64_t)load32(at + a->half) << 32;
    if (here && here != key) continue;
    if (a->is_long) {
      move_way_first(state, way);
      if (!here) chain(state, bucket_of(a, set, key), way);
    } else {
      touch_tree(a->touches + way * TOUCHED_BYTES, state, load64(state + STATE));
    }
    set_key(a, set, way, key);
    if (!here && way == a->ways - 1) store32(state + FULL, 1);
    return here;
  }
  exit(3);
}

enum { TREE4 = 1, TREE12 = 3, SHORT = 8, SHORT4, SHORT8, LONG = 16 };

static inline __attribute__((always_inline)) uint64_t *
run(uint32_t loop, struct array *a, const struct placement *p, const uint64_t *from,
    const uint64_t *end, uint64_t *to) {
  const uint64_t space = p->space, mask = p->mask, shift = p->shift, deal_shift = p->deal_shift;
  uint8_t *sets = a->sets;
  const uint8_t *touches = a->touches, *victims = a->victims;
  const uint64_t set_mask = a->set_mask, fold = a->groups > 1 ? a->set_bits : 63;
  const uint32_t set_bytes = a->set_bytes;
  uint64_t recent = 0;
  while (from < end) {
    const uint64_t item = *from++, number = (item & mask) >> shift, key = space | number;
    if (key == recent) continue;
    const uint64_t dealt = number >> deal_shift;
    const uint32_t index = (uint32_t)((dealt ^ dealt >> fold) & set_mask);
    uint8_t *set = sets + index * (loop == TREE4 ? 64 : loop == TREE12 ? 128 : set_bytes);
    int outcome;
    if (loop == LONG) outcome = access_long(a, set, key);
    else if (loop >= SHORT) outcome = access_short((loop - SHORT) * 16, a->ways, set, key);
    else outcome = access_tree(loop * 16, touches, victims, set, key);
    if (outcome == UNDONE) outcome = hits(a, set, key) ? HIT : MISS;
    *to = item;
    to += outcome;
    recent = key;
  }
  a->recent = recent;
  return to;
}

typedef uint64_t *loop(struct array *, const struct placement *, const uint64_t *, const uint64_t *,
                       uint64_t *);
#define LOOP(name, code)                                                                       \
  static __attribute__((noipa)) uint64_t *name(struct array *a, const struct placement *p,     \
                                               const uint64_t *from, const uint64_t *end,      \
                                               uint64_t *to) {                                 \
    return run(code, a, p, from, end, to);                                                     \
  }
LOOP(tree4, TREE4)
LOOP(tree12, TREE12)
LOOP(short4, SHORT4)
LOOP(short8, SHORT8)
LOOP(long_ring, LONG)

static uint64_t *filter(struct array *a, uint32_t space, uint64_t shift, const uint64_t *from,
                        const uint64_t *end, uint64_t *to) {
  struct placement p = {key_of(space, 0), NUMBER_MASK, shift, 0};
  loop *by = a->replacement != LRU ? (a->half == 16 ? tree4 : tree12)
             : a->is_long          ? long_ring
             : a->half == 16       ? short4
                                   : short8;
  uint64_t *last = by(a, &p, from, end, to);
  a->misses += (uint64_t)(last - to);
  a->hits += (uint64_t)((end - from) - (last - to));
  return last;
}

static void walk_all(const uint64_t *from, const uint64_t *end) {
  static uint64_t left[CHUNK];
  nr_walks += (uint64_t)(end - from);
  loads[1] += (uint64_t)(end - from);
  for (uint32_t level = 2; level <= 4; level++) {
    end = filter(structures[level], level, 9 * (level - 1), from, end, left);
    from = left;
    loads[level] += (uint64_t)(end - from);
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
    uint64_t *to = items;
    while (from < end) {
      uint64_t reference = *from, kind = reference >> 58 & 3;
      if (kind == 3 || differing(reference, reference)) exit(3);
      const uint64_t *start = from++;
      while (from < end && !differing(reference, *from)) from++;
      uint64_t nr_times = (uint64_t)(from - start);
      *to++ = (reference >> 12 & ITEM_MASK) | nr_times << PLACE_SHIFT;
      lookups[kind] += nr_times;
    }
    uint64_t *end_of_misses = filter(first, 0, 0, items, to, misses);
    first_misses += (uint64_t)(end_of_misses - misses);
    walk_all(walks, filter(second, 0, 0, misses, end_of_misses, walks));
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
  first = create(16, 4, 1, TREE);
  second = create(128, 12, 2, GROUPS);
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
         times[0], times[nr_batches / 2], nr_batches, (unsigned long long)first_misses,
         (unsigned long long)nr_walks, (unsigned long long)loads[1], (unsigned long long)loads[2],
         (unsigned long long)loads[3], (unsigned long long)loads[4]);
  return 0;
}
