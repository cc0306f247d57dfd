/* Look-ups in a hash table of 64 MiB: what a key-value store does all day. */
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 1 << 22, KEYS = 1 << 20, LOOKUPS = 1 << 20 };
struct slot { unsigned long key, value; };

static unsigned long mix(unsigned long x) {
  x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15ul;
  return x ^ (x >> 29);
}

static struct slot *find(struct slot *table, unsigned long key) {
  unsigned long i = mix(key) % SLOTS;
  while (table[i].key && table[i].key != key) i = (i + 1) % SLOTS;
  return &table[i];
}

int main(void) {
  struct slot *table = calloc(SLOTS, sizeof *table);
  if (!table) return 1;
  for (unsigned long key = 1; key <= KEYS; key++) *find(table, key) = (struct slot){key, key * key};
  unsigned long sum = 0, key = 1;
  for (int i = 0; i < LOOKUPS; i++) {
    key = key * 6364136223846793005ul + 1442695040888963407ul;
    sum += find(table, (key >> 33) % KEYS + 1)->value;
  }
  printf("%lu\n", sum);
  free(table);
  return 0;
}
