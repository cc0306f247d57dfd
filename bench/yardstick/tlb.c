// A yardstick for assembly/model/: the same stages over the same arrays, written in C and compiled
// ahead of time. It mirrors them step by step, so that the ratio says what WebAssembly costs and
// not what a better idea gains: geometry is read from memory, as there. What its patterns never
// need is left out, such as high halves. The model is Skylake's for loads of 4K pages, without the
// caches that walks load through.
//
//   tlb <pattern> <pages> <structures> <batches>
//
// `pattern`: s 8 bytes after 8 bytes, r random over `pages` pages. `structures`: 1 with Skylake's
// structure caches, 0 without any. Prints one line of JSON: nanoseconds a reference, and the counts
// of all batches, for the bench to compare.

#include <smmintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 16384, CHUNK = 2048, PAGE_SHIFT = 12, NUMBER_BITS = 36, PLACE_SHIFT = 48 };
enum { FULL = 0, HELD = 4, STATE = 8, LOWS = 16 };
enum { TOUCHED_SHIFT = 4, SET = 8 };
enum { MOVES_SHIFT = 9, MOVE_SHIFT = 5, MOVE_STATE = 16, MOVE_MISS = 20 };
enum { TIMES_START = 16, TIMES_END = 1 << 26 };
enum { HASH_SHIFT = 14, ENTRY_BYTES = 16, BEFORE = 8, PLACES_END = 1 << 30 };
#define NUMBER_MASK ((1ull << NUMBER_BITS) - 1)
#define ITEM_MASK (NUMBER_MASK | 3ull << 46)
#define PAGE_AND_KIND (ITEM_MASK << PAGE_SHIFT)
#define VALID (1ull << 63)
#define SPREAD 0x9e3779b1u

enum replacement { PLRU, MRU3_PLRU, LRU };

struct array {
  uint64_t misses;
  uint8_t *sets;
  uint32_t set_bytes, set_mask, set_bits, groups, ways, half;
  enum replacement replacement;
  // Trees.
  uint8_t *touches, *victims, *moves;
  // Few ways in order.
  uint32_t time;
  // Many ways in order.
  uint32_t tail, head, live, bucket_mask, ring_mask;
  uint8_t *buckets, *ring;
};

static struct {
  uint64_t space, tag_mask[2], set_mask[2], fold_mask[2];
  uint32_t tag_shift;
  const uint64_t *stop;
} loop;

static struct array *first, *second, *structures[5];
static uint64_t lookups[3], first_misses, nr_walks, loads[5];

static void *zeros(size_t bytes) {
  bytes = (bytes + 63) & ~(size_t)63;
  return memset(aligned_alloc(64, bytes), 0, bytes);
}
static inline uint32_t load32(const uint8_t *at) {
  uint32_t x;
  memcpy(&x, at, 4);
  return x;
}
static inline uint64_t load64(const uint8_t *at) {
  uint64_t x;
  memcpy(&x, at, 8);
  return x;
}
static inline void store32(uint8_t *at, uint32_t x) { memcpy(at, &x, 4); }
static inline void store64(uint8_t *at, uint64_t x) { memcpy(at, &x, 8); }
static inline __m128i vector(const void *at) { return _mm_loadu_si128((const __m128i *)at); }
static inline void store_vector(void *at, __m128i x) { _mm_storeu_si128((__m128i *)at, x); }
static inline void store_low(void *at, __m128i x) { _mm_storel_epi64((__m128i *)at, x); }
static inline void store_high(void *at, __m128i x) {
  _mm_storeh_pd((double *)at, _mm_castsi128_pd(x));
}
static inline __m128i splat(uint32_t x) { return _mm_set1_epi32((int)x); }
static inline __m128i select4(__m128i yes, __m128i no, __m128i mask) {
  return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
}
static inline uint32_t sign4(__m128i x) { return (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(x)); }
static inline __m128i lanes4(__m128i a, __m128i b, const int high) {
  __m128 x = _mm_castsi128_ps(a), y = _mm_castsi128_ps(b);
  return _mm_castps_si128(high ? _mm_shuffle_ps(x, y, 0xdd) : _mm_shuffle_ps(x, y, 0x88));
}

#define any2(lanes, order) _mm_or_si128(lanes, _mm_shuffle_epi32(lanes, order))

static inline uint64_t key_of(uint32_t space, uint64_t number) {
  return VALID | (uint64_t)space << NUMBER_BITS | number;
}

// Trees.

static uint32_t tree_shift(const struct array *a) { return a->ways == 4 ? MOVES_SHIFT : 0; }

static uint32_t tree_victim(const struct array *a, uint64_t bits) {
  uint32_t nr_groups = a->replacement == MRU3_PLRU ? 3 : 1, of_group = a->ways / nr_groups;
  uint64_t state = bits >> tree_shift(a);
  uint32_t group = 0, node = 1;
  if (nr_groups > 1) group = (uint32_t)((state >> (a->ways - 3)) + 1) % 3;
  uint32_t tree = group * (of_group - 1);
  while (node < of_group) node = node << 1 | ((uint32_t)(state >> (tree + node - 1)) & 1);
  return group * of_group + node - of_group;
}

static void init_moves(struct array *a) {
  a->moves = zeros(8 << MOVES_SHIFT);
  for (uint32_t state = 0; state < 8 << MOVES_SHIFT; state += 1 << MOVES_SHIFT) {
    for (uint32_t equal = 0; equal < 16; equal++) {
      uint32_t way = equal ? (uint32_t)__builtin_ctz(equal) : tree_victim(a, state);
      const uint8_t *touched = a->touches + (way << TOUCHED_SHIFT);
      uint8_t *move = a->moves + state + (equal << MOVE_SHIFT);
      store32(move + way * 4, ~0u);
      store32(move + MOVE_STATE, (state & load32(touched)) | load32(touched + SET));
      store32(move + MOVE_MISS, !equal);
    }
  }
}

static void init_trees(struct array *a) {
  uint32_t nr_groups = a->replacement == MRU3_PLRU ? 3 : 1, of_group = a->ways / nr_groups;
  a->touches = zeros(a->ways << TOUCHED_SHIFT);
  for (uint32_t way = 0; way < a->ways; way++) {
    uint32_t group = way / of_group, node = 1;
    uint32_t tree = tree_shift(a) + group * (of_group - 1);
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
    store64(a->touches + (way << TOUCHED_SHIFT), ~cleared);
    store64(a->touches + (way << TOUCHED_SHIFT) + SET, set);
  }
  uint32_t bits = a->ways - 1;
  a->victims = zeros(1u << bits);
  for (uint64_t s = 0; s < 1u << bits; s++) {
    a->victims[s] = (uint8_t)tree_victim(a, s << tree_shift(a));
  }
  if (a->ways == 4) init_moves(a);
}

static struct array *create(uint32_t nr_sets, uint32_t ways, uint32_t groups,
                            enum replacement replacement) {
  struct array *a = zeros(sizeof *a);
  a->set_mask = nr_sets - 1;
  a->set_bits = 31 - (uint32_t)__builtin_clz(nr_sets);
  a->groups = groups;
  a->ways = ways;
  a->half = ((ways + 3) & ~3u) << 2;
  a->replacement = replacement;
  a->set_bytes = replacement == LRU ? a->half * 2 : a->half == 16 ? 32 : 64;
  a->sets = zeros((size_t)nr_sets * a->set_bytes);
  if (replacement != LRU) {
    init_trees(a);
    return a;
  }
  a->time = TIMES_START;
  for (uint32_t i = 0; i < nr_sets; i++) {
    for (uint32_t way = 0; way < a->half / 4; way++) {
      uint8_t *low = a->sets + i * a->set_bytes + way * 4;
      store32(low, ~0u);
      store32(low + a->half, way < ways ? way : (uint32_t)TIMES_END);
    }
  }
  uint32_t bucket_bytes = 4u << (38 - __builtin_clz(ways));
  a->bucket_mask = bucket_bytes - 4;
  uint32_t ring_bytes = ENTRY_BYTES << (32 - __builtin_clz(ways - 1) + 3);
  a->ring_mask = ring_bytes - 1;
  a->tail = a->head = ring_bytes;
  a->buckets = zeros(bucket_bytes + ring_bytes);
  a->ring = a->buckets + bucket_bytes;
  return a;
}

// A loop ends at the first item that it has no way with, which is then done by itself.

static inline uint32_t index_of(const struct array *a, uint64_t number) {
  return (uint32_t)(number ^ (a->groups > 1 ? number >> a->set_bits : 0)) & a->set_mask;
}

static bool hits_tree(struct array *a, uint64_t number) {
  uint8_t *set = a->sets + index_of(a, number) * a->set_bytes, *lows = set + LOWS;
  uint32_t tag = (uint32_t)(number >> a->set_bits), held = load32(set + HELD), way = 0;
  while (held >> way & 1 && load32(lows + way * 4) != tag) way++;
  bool is_hit = held >> way & 1;
  if (way == a->ways) way = a->victims[load64(set + STATE) >> tree_shift(a)];
  const uint8_t *touched = a->touches + (way << TOUCHED_SHIFT);
  store64(set + STATE, (load64(set + STATE) & load64(touched)) | load64(touched + SET));
  store32(lows + way * 4, tag);
  store32(set + HELD, held | 1u << way);
  // The array finds out when a way is looked for, as the model does.
  if (!is_hit && held == (1u << a->ways) - 1) store32(set + FULL, 1);
  return is_hit;
}

typedef uint64_t *loop_function(struct array *, const uint64_t *, const uint64_t *, uint64_t *);

static __attribute__((noipa)) uint64_t *tree4(struct array *a, const uint64_t *from,
                                              const uint64_t *end, uint64_t *to) {
  const __m128i tag_shift = _mm_cvtsi32_si128((int)loop.tag_shift);
  const __m128i tag_mask = vector(loop.tag_mask), set_mask = vector(loop.set_mask);
  const __m128i fold_mask = vector(loop.fold_mask);
  uint8_t *const sets = a->sets;
  const uint8_t *const moves = a->moves;
  while (from + 2 <= end) {
    const __m128i items = vector(from);
    const __m128i tags = _mm_and_si128(_mm_srl_epi64(items, tag_shift), tag_mask);
    const __m128i indexes = _mm_xor_si128(items, _mm_and_si128(tags, fold_mask));
    const __m128i offsets = _mm_slli_epi64(_mm_and_si128(indexes, set_mask), 5);
#define ACCESS(lane, store_item)                                                               \
  {                                                                                            \
    uint8_t *set = sets + (uint32_t)_mm_extract_epi32(offsets, lane);                          \
    const __m128i low = _mm_shuffle_epi32(tags, lane * 0x55), lows = vector(set + LOWS);       \
    const uint32_t state = load32(set + STATE);                                                \
    const __m128i same = _mm_cmpeq_epi32(lows, low), pairs = any2(same, 0xb1);                 \
    const __m128i victim = _mm_andnot_si128(any2(pairs, 0x4e), vector(moves + state));         \
    const uint32_t equal = sign4(same) & load32(set + HELD);                                   \
    if (!(equal | load32(set + FULL))) break;                                                  \
    store_vector(set + LOWS, select4(low, lows, victim));                                      \
    const uint8_t *move = moves + state + (equal << MOVE_SHIFT);                               \
    store32(set + STATE, load32(move + MOVE_STATE));                                           \
    store_item(to, items);                                                                     \
    to += load32(move + MOVE_MISS);                                                            \
    from++;                                                                                    \
  }
    ACCESS(0, store_low)
    ACCESS(2, store_high)
#undef ACCESS
  }
  loop.stop = from;
  return to;
}

static inline void touch_tree(uint8_t *set, const uint8_t *touched) {
  store32(set + STATE, (load32(set + STATE) & load32(touched)) | load32(touched + SET));
}

static __attribute__((noipa)) uint64_t *tree12(struct array *a, const uint64_t *from,
                                               const uint64_t *end, uint64_t *to) {
  const __m128i tag_shift = _mm_cvtsi32_si128((int)loop.tag_shift);
  const __m128i tag_mask = vector(loop.tag_mask), set_mask = vector(loop.set_mask);
  const __m128i fold_mask = vector(loop.fold_mask);
  uint8_t *const sets = a->sets;
  const uint8_t *const touches = a->touches, *const victims = a->victims;
  while (from + 2 <= end) {
    const __m128i items = vector(from);
    const __m128i tags = _mm_and_si128(_mm_srl_epi64(items, tag_shift), tag_mask);
    const __m128i indexes = _mm_xor_si128(items, _mm_and_si128(tags, fold_mask));
    const __m128i offsets = _mm_slli_epi64(_mm_and_si128(indexes, set_mask), 6);
#define ACCESS(lane, store_item)                                                               \
  {                                                                                            \
    uint8_t *set = sets + (uint32_t)_mm_extract_epi32(offsets, lane), *low_at = set + LOWS;    \
    const __m128i low = _mm_shuffle_epi32(tags, lane * 0x55);                                  \
    const __m128i ways0 = _mm_cmpeq_epi32(vector(low_at), low);                                \
    const __m128i ways4 = _mm_cmpeq_epi32(vector(low_at + 16), low);                           \
    const __m128i ways8 = _mm_cmpeq_epi32(vector(low_at + 32), low);                           \
    const __m128i all = _mm_packs_epi16(_mm_packs_epi32(ways0, ways4),                         \
                                        _mm_packs_epi32(ways8, _mm_setzero_si128()));          \
    const uint32_t equal = (uint32_t)_mm_movemask_epi8(all) & load32(set + HELD);              \
    if (equal) {                                                                               \
      touch_tree(set, touches + (__builtin_ctz(equal) << TOUCHED_SHIFT));                      \
    } else {                                                                                   \
      if (!load32(set + FULL)) break;                                                          \
      const uint32_t way = victims[load32(set + STATE)];                                       \
      touch_tree(set, touches + (way << TOUCHED_SHIFT));                                       \
      store32(low_at + way * 4, (uint32_t)_mm_cvtsi128_si32(low));                             \
      store_item(to, items);                                                                   \
      to++;                                                                                    \
    }                                                                                          \
    from++;                                                                                    \
  }
    ACCESS(0, store_low)
    ACCESS(2, store_high)
#undef ACCESS
  }
  loop.stop = from;
  return to;
}

// Few ways in order, in one set.

static bool hits_short(struct array *a, uint64_t number) {
  uint8_t *set = a->sets, *times = set + a->half;
  uint32_t tag = (uint32_t)number, oldest = 0, way = 0;
  while (way < a->ways && load32(set + way * 4) != tag) {
    if (load32(times + way * 4) < load32(times + oldest * 4)) oldest = way;
    way++;
  }
  bool is_hit = way < a->ways;
  if (!is_hit) way = oldest;
  store32(set + way * 4, tag);
  store32(times + way * 4, a->time++);
  return is_hit;
}

static inline __attribute__((always_inline)) uint64_t *
one_set(bool has8, struct array *a, const uint64_t *from, const uint64_t *end, uint64_t *to) {
  // Times are enough for all batches here; a bench that needs more says so.
  if (a->time + (uint32_t)(end - from) > TIMES_END) exit(3);
  const uint32_t tag_shift = loop.tag_shift, tag_mask = (uint32_t)loop.tag_mask[0];
  const uint64_t mask = loop.tag_mask[0] << tag_shift;
  const uint32_t half = has8 ? 32 : 16;
  uint8_t *const set = a->sets;
  const __m128i one = splat(1);
  __m128i time = splat(a->time);
  __m128i lows0 = vector(set), lows4 = vector(set + 16);
  __m128i times0 = vector(set + half), times4 = vector(set + half + 16);
  uint64_t last = ~*from;
  for (; from < end; from++) {
    const uint64_t item = *from;
    if (!((item ^ last) & mask)) continue;
    const __m128i low = splat((uint32_t)(item >> tag_shift) & tag_mask);
    const __m128i ranks0 = _mm_or_si128(_mm_cmpeq_epi32(lows0, low), times0);
    const __m128i ranks4 = _mm_or_si128(_mm_cmpeq_epi32(lows4, low), times4);
    __m128i lowest = has8 ? _mm_min_epi32(ranks0, ranks4) : ranks0;
    lowest = _mm_min_epi32(lowest, _mm_shuffle_epi32(lowest, 0x4e));
    lowest = _mm_min_epi32(lowest, _mm_shuffle_epi32(lowest, 0xb1));
    const int32_t rank = _mm_cvtsi128_si32(lowest);
    if ((uint32_t)rank < TIMES_START) break;
    last = item;
    const __m128i is0 = _mm_cmpeq_epi32(ranks0, lowest);
    lows0 = select4(low, lows0, is0);
    times0 = select4(time, times0, is0);
    if (has8) {
      const __m128i is4 = _mm_cmpeq_epi32(ranks4, lowest);
      lows4 = select4(low, lows4, is4);
      times4 = select4(time, times4, is4);
    }
    time = _mm_add_epi32(time, one);
    *to = item;
    to += rank >= 0;
  }
  store_vector(set, lows0);
  store_vector(set + half, times0);
  if (has8) store_vector(set + 16, lows4);
  if (has8) store_vector(set + half + 16, times4);
  a->time = (uint32_t)_mm_cvtsi128_si32(time);
  loop.stop = from;
  return to;
}
static __attribute__((noipa)) uint64_t *one_set4(struct array *a, const uint64_t *from,
                                                 const uint64_t *end, uint64_t *to) {
  return one_set(false, a, from, end, to);
}
static __attribute__((noipa)) uint64_t *one_set8(struct array *a, const uint64_t *from,
                                                 const uint64_t *end, uint64_t *to) {
  return one_set(true, a, from, end, to);
}

// Many ways in order, in one set.

static inline void write_entry(uint8_t *entry, uint32_t place, uint64_t tag, uint8_t *bucket,
                               uint32_t before) {
  store64(entry, tag);
  store32(entry + BEFORE, before);
  store32(bucket, place);
}

static inline uint32_t behind_first(const uint8_t *ring, uint32_t mask, uint32_t tail) {
  while (!load64(ring + (tail & mask))) tail += ENTRY_BYTES;
  return tail + ENTRY_BYTES;
}

static inline uint8_t *bucket_of(uint8_t *buckets, uint32_t mask, uint64_t tag) {
  return buckets + ((uint32_t)tag * SPREAD >> HASH_SHIFT & mask);
}

static void make_room(struct array *a) {
  if (a->head >= PLACES_END) exit(3);
  if (a->head - a->tail <= a->ring_mask) return;
  uint32_t from = a->tail, end = a->head;
  a->tail = a->head;
  for (; from < end; from += ENTRY_BYTES) {
    uint64_t tag = load64(a->ring + (from & a->ring_mask));
    if (!tag) continue;
    uint8_t *bucket = bucket_of(a->buckets, a->bucket_mask, tag);
    write_entry(a->ring + (a->head & a->ring_mask), a->head, tag, bucket, load32(bucket));
    a->head += ENTRY_BYTES;
  }
}

static bool hits_long(struct array *a, uint64_t number) {
  make_room(a);
  uint64_t tag = loop.space | number;
  uint8_t *bucket = bucket_of(a->buckets, a->bucket_mask, tag), *link = bucket;
  uint32_t place = load32(link);
  while (place >= a->tail && load64(a->ring + (place & a->ring_mask)) != tag) {
    link = a->ring + (place & a->ring_mask) + BEFORE;
    place = load32(link);
  }
  bool is_hit = place >= a->tail;
  if (is_hit) {
    uint8_t *entry = a->ring + (place & a->ring_mask);
    store32(link, load32(entry + BEFORE));
    store64(entry, 0);
  } else if (a->live < a->ways) {
    a->live++;
  } else {
    a->tail = behind_first(a->ring, a->ring_mask, a->tail);
  }
  write_entry(a->ring + (a->head & a->ring_mask), a->head, tag, bucket, load32(bucket));
  a->head += ENTRY_BYTES;
  return is_hit;
}

static __attribute__((noipa)) uint64_t *long_log(struct array *a, const uint64_t *from,
                                                 const uint64_t *end, uint64_t *to) {
  make_room(a);
  const uint64_t space = loop.space, tag_mask = loop.tag_mask[0];
  const uint32_t shift = loop.tag_shift, bucket_mask = a->bucket_mask, ring_mask = a->ring_mask;
  uint8_t *const buckets = a->buckets, *const ring = a->ring;
  uint32_t head = a->head, tail = a->tail;
  for (; from < end; from++) {
    const uint64_t item = *from, tag = space | (item >> shift & tag_mask);
    uint8_t *bucket = bucket_of(buckets, bucket_mask, tag);
    const uint32_t place = load32(bucket);
    uint32_t before = place;
    if (place >= tail) {
      uint8_t *entry = ring + (place & ring_mask);
      if (load64(entry) != tag || head - tail > ring_mask) break;
      before = load32(entry + BEFORE);
      store64(entry, 0);
    } else {
      tail = behind_first(ring, ring_mask, tail);
      *to++ = item;
    }
    write_entry(ring + (head & ring_mask), head, tag, bucket, before);
    head += ENTRY_BYTES;
  }
  a->head = head;
  a->tail = tail;
  loop.stop = from;
  return to;
}

static uint64_t *filter(struct array *a, uint32_t space, uint32_t shift, const uint64_t *from,
                        const uint64_t *end, uint64_t *to) {
  uint64_t *start = to;
  bool is_long = a->replacement == LRU && a->ways > 16;
  loop.space = key_of(space, 0);
  loop.tag_shift = shift + a->set_bits;
  loop.tag_mask[0] = loop.tag_mask[1] = NUMBER_MASK >> loop.tag_shift;
  loop.set_mask[0] = loop.set_mask[1] = a->set_mask;
  loop.fold_mask[0] = loop.fold_mask[1] = a->groups > 1 ? a->set_mask : 0;
  loop_function *by = a->replacement == PLRU        ? tree4
                      : a->replacement == MRU3_PLRU ? tree12
                      : is_long                     ? long_log
                      : a->half == 16               ? one_set4
                                                    : one_set8;
  while (from < end) {
    loop.stop = from;
    if (!is_long || a->live == a->ways) to = by(a, from, end, to);
    from = loop.stop;
    if (from == end) break;
    uint64_t item = *from++, number = (item & NUMBER_MASK) >> shift;
    bool is_hit = a->replacement != LRU ? hits_tree(a, number)
                  : is_long             ? hits_long(a, number)
                                        : hits_short(a, number);
    *to = item;
    to += !is_hit;
  }
  a->misses += (uint64_t)(to - start);
  return to;
}

static void walk_all(uint64_t *from, const uint64_t *end) {
  nr_walks += (uint64_t)(end - from);
  loads[1] += (uint64_t)(end - from);
  for (uint32_t level = 2; level <= 4; level++) {
    if (structures[level]) {
      end = filter(structures[level], level, 9 * (level - 1), from, end, from);
    }
    loads[level] += (uint64_t)(end - from);
  }
}

static inline uint64_t differing(uint64_t first, uint64_t other) {
  uint64_t last = other + (other >> 60);
  return ((first ^ other) | (first ^ last)) & PAGE_AND_KIND;
}

// Four references at a time, as long as they are plain (plain.ts).
static uint64_t *end_of_items;
static __attribute__((noipa)) const uint64_t *take_plain(const uint64_t *from, const uint64_t *end,
                                                         uint64_t *to, uint64_t place) {
  const __m128i offsets = splat(0xfff), page_and_kind = _mm_set1_epi64x((int64_t)PAGE_AND_KIND);
  const __m128i item_mask = _mm_set1_epi64x((int64_t)ITEM_MASK), zero = _mm_setzero_si128();
  const __m128i two_places = _mm_set1_epi64x(2ll << PLACE_SHIFT);
  const __m128i writes = splat(1), fetches = splat(1 << 16);
  const uint64_t first_places[2] = {place << PLACE_SHIFT, (place + 1) << PLACE_SHIFT};
  __m128i places = vector(first_places);
  __m128i kinds = zero;
  const uint64_t *start = from;
  for (; from + 4 <= end; from += 4) {
    const __m128i a = vector(from), b = vector(from + 2);
    const __m128i lows = lanes4(a, b, 0), highs = lanes4(a, b, 1);
    const __m128i sizes = _mm_srli_epi32(highs, 28);
    const __m128i last_bytes = _mm_add_epi32(_mm_and_si128(lows, offsets), sizes);
    const __m128i both_bits = _mm_and_si128(highs, _mm_slli_epi32(highs, 1));
    if (sign4(_mm_or_si128(_mm_slli_epi32(last_bytes, 19), _mm_slli_epi32(both_bits, 4)))) break;
    const __m128i changed_a = _mm_and_si128(_mm_xor_si128(a, vector(from - 1)), page_and_kind);
    const __m128i changed_b = _mm_and_si128(_mm_xor_si128(b, vector(from + 1)), page_and_kind);
    const __m128i same_a = _mm_cmpeq_epi64(changed_a, zero);
    const __m128i same_b = _mm_cmpeq_epi64(changed_b, zero);
    const uint32_t same = sign4(lanes4(same_a, same_b, 0));
    kinds = _mm_add_epi32(kinds, _mm_and_si128(_mm_srli_epi32(highs, 26), writes));
    kinds = _mm_add_epi32(kinds, _mm_and_si128(_mm_srli_epi32(highs, 11), fetches));
    const __m128i places_b = _mm_add_epi64(places, two_places);
    const __m128i pages_a = _mm_and_si128(_mm_srli_epi64(a, PAGE_SHIFT), item_mask);
    const __m128i items_a = _mm_or_si128(pages_a, places);
    const __m128i pages_b = _mm_and_si128(_mm_srli_epi64(b, PAGE_SHIFT), item_mask);
    const __m128i items_b = _mm_or_si128(pages_b, places_b);
    places = _mm_add_epi64(places_b, two_places);
    if (!same) {
      store_vector(to, items_a);
      store_vector(to + 2, items_b);
      to += 4;
    } else if (same != 15) {
      store_low(to, items_a);
      to += ~same & 1;
      store_high(to, items_a);
      to += ~same >> 1 & 1;
      store_low(to, items_b);
      to += ~same >> 2 & 1;
      store_high(to, items_b);
      to += ~same >> 3 & 1;
    }
  }
  uint32_t sums[4];
  store_vector(sums, kinds);
  const uint32_t sum = sums[0] + sums[1] + sums[2] + sums[3];
  lookups[1] += sum & 0xffff;
  lookups[2] += sum >> 16;
  lookups[0] += (uint64_t)(from - start) - (sum & 0xffff) - (sum >> 16);
  end_of_items = to;
  return from;
}

static __attribute__((noipa)) void replay(const uint64_t *from, uint32_t count) {
  static uint64_t items[CHUNK + 4], misses[CHUNK];
  const uint64_t *end_of_all = from + count;
  while (from < end_of_all) {
    const uint64_t *end = from + CHUNK < end_of_all ? from + CHUNK : end_of_all, *start = from;
    uint64_t *to = items;
    while (from < end) {
      uint64_t reference = *from, kind = reference >> 58 & 3;
      if (kind == 3 || differing(reference, reference)) exit(3);
      if (from == start || differing(from[-1], reference)) {
        *to++ = (reference >> PAGE_SHIFT & ITEM_MASK) | (uint64_t)(from - start) << PLACE_SHIFT;
      }
      lookups[kind]++;
      from++;
      from = take_plain(from, end, to, (uint64_t)(from - start));
      to = end_of_items;
    }
    uint64_t *end_of_misses = filter(first, 0, 0, items, to, misses);
    first_misses += (uint64_t)(end_of_misses - misses);
    walk_all(misses, filter(second, 0, 0, misses, end_of_misses, misses));
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
  if (argc != 5) return 2;
  uint32_t nr_pages = (uint32_t)atoi(argv[2]), nr_batches = (uint32_t)atoi(argv[4]);
  first = create(16, 4, 1, PLRU);
  second = create(128, 12, 2, MRU3_PLRU);
  if (argv[3][0] == '1') {
    structures[2] = create(1, 32, 1, LRU);
    structures[3] = create(1, 8, 1, LRU);
    structures[4] = create(1, 4, 1, LRU);
  }
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
  printf("{\"best\": %.3f, \"median\": %.3f, \"nrBatches\": %u, "
         "\"firstMisses\": %llu, \"walks\": %llu, "
         "\"entryLoads\": [%llu, %llu, %llu, %llu]}\n",
         times[0], times[nr_batches / 2], nr_batches, (unsigned long long)first_misses,
         (unsigned long long)nr_walks, (unsigned long long)loads[1], (unsigned long long)loads[2],
         (unsigned long long)loads[3], (unsigned long long)loads[4]);
  return 0;
}
