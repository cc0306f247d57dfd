/* The pools of huge pages in sysfs. */
#include "agent.h"

static const uint64_t page_sizes[POOLS] = {2UL << 20, 1UL << 30};
static const char *const counter_files[COUNTERS] = {
  "nr_hugepages", "free_hugepages", "resv_hugepages", "surplus_hugepages",
};
#define NODES_MAX 64

const char *pool_file(uint64_t page_size, int node, const char *name) {
  static char path[192];
  char parent[64] = "/sys/kernel/mm";
  if (node >= 0) snprintf(parent, sizeof parent, "/sys/devices/system/node/node%d", node);
  snprintf(path, sizeof path, "%s/hugepages/hugepages-%lukB/%s", parent, page_size >> 10, name);
  return path;
}

uint64_t read_counter(uint64_t page_size, int node, const char *name) {
  return strtoull(read_file(AT_FDCWD, pool_file(page_size, node, name)), NULL, 10);
}

static void write_counter(uint64_t page_size, int node, const char *name, uint64_t value) {
  char text[32];
  snprintf(text, sizeof text, "%lu", value);
  write_file(AT_FDCWD, pool_file(page_size, node, name), text);
}

/* The counters' files stay open: they are read after every line. */
struct pools read_pools(void) {
  static int files[POOLS][COUNTERS];
  static int count = -1;
  struct pools pools = {0};
  if (count < 0) {
    for (count = 0; count < POOLS; count++) {
      for (int i = 0; i < COUNTERS; i++) {
        const char *path = pool_file(page_sizes[count], -1, counter_files[i]);
        files[count][i] = open(path, O_RDONLY | O_CLOEXEC);
      }
      if (files[count][0] < 0) break;
    }
  }
  pools.count = count;
  for (int pool = 0; pool < count; pool++) {
    for (int i = 0; i < COUNTERS; i++) {
      char text[32] = "";
      if (pread(files[pool][i], text, sizeof text - 1, 0) < 0) text[0] = 0;
      pools.counters[pool][i] = strtoull(text, NULL, 10);
    }
  }
  return pools;
}

const char *format_pools(bool is_first) {
  static char text[256];
  static struct pools last;
  struct pools pools = read_pools();
  size_t length = 0;
  if (!is_first && memcmp(&last, &pools, sizeof pools) == 0) return "=";
  last = pools;
  text[0] = 0;
  for (int pool = 0; pool < pools.count; pool++) {
    for (int i = 0; i < COUNTERS; i++) {
      const char *comma = length > 0 ? "," : "";
      length += snprintf(text + length, sizeof text - length, "%s%lu", comma,
                         pools.counters[pool][i]);
    }
  }
  return text;
}

int count_nodes(void) {
  int nodes = 0;
  char path[64];
  for (;; nodes++) {
    snprintf(path, sizeof path, "/sys/devices/system/node/node%d", nodes);
    if (nodes == NODES_MAX || access(path, F_OK) != 0) return nodes ? nodes : 1;
  }
}

static uint64_t saved_persistent[POOLS][NODES_MAX], saved_overcommit[POOLS];

/* Surplus pages are not the administrator's: they come and go with those who use them. */
static uint64_t persistent(uint64_t page_size, int node) {
  uint64_t total = read_counter(page_size, node, "nr_hugepages");
  return total - read_counter(page_size, node, "surplus_hugepages");
}

void save_pools(void) {
  for (int pool = 0; pool < read_pools().count; pool++) {
    for (int node = 0; node < count_nodes(); node++) {
      saved_persistent[pool][node] = persistent(page_sizes[pool], node);
    }
    saved_overcommit[pool] = read_counter(page_sizes[pool], -1, "nr_overcommit_hugepages");
  }
}

void restore_pools(void) {
  for (int pool = 0; pool < read_pools().count; pool++) {
    for (int node = 0; node < count_nodes(); node++) {
      write_counter(page_sizes[pool], node, "nr_hugepages", saved_persistent[pool][node]);
    }
    write_counter(page_sizes[pool], -1, "nr_overcommit_hugepages", saved_overcommit[pool]);
  }
}

/* The pools while no script runs. */
static struct pools base;

/*
 * A kernel that has lost reservations shows them as pages that are surplus, free and reserved.
 * Made persistent they are as any other pages, and change no counter but by their number.
 */
bool find_base(void) {
  for (int pool = 0; pool < read_pools().count; pool++) {
    write_counter(page_sizes[pool], -1, "nr_overcommit_hugepages", 0);
    write_counter(page_sizes[pool], -1, "nr_hugepages", 0);
  }
  base = read_pools();
  for (int pool = 0; pool < base.count; pool++) {
    uint64_t *counters = base.counters[pool];
    if (counters[TOTAL] != counters[FREE] || counters[TOTAL] != counters[RESERVED]) return false;
    if (counters[TOTAL] > 0) {
      write_counter(page_sizes[pool], -1, "nr_hugepages", counters[TOTAL]);
    }
  }
  base = read_pools();
  return true;
}

bool return_to_base(int timeout_ms) {
  for (int waited_ms = 0;; waited_ms += 10) {
    for (int pool = 0; pool < base.count; pool++) {
      write_counter(page_sizes[pool], -1, "nr_overcommit_hugepages", 0);
      write_counter(page_sizes[pool], -1, "nr_hugepages", base.counters[pool][TOTAL]);
    }
    struct pools now = read_pools();
    if (memcmp(&now, &base, sizeof now) == 0) return true;
    if (waited_ms >= timeout_ms) return false;
    usleep(10000);
  }
}
