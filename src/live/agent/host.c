/* What the administrator does: pools, mounts, groups. `kill` and `cgroup_attach` need actors. */
#include "agent.h"
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

static void write_pool_file(const char *path, const char *text) {
  answer_result(write_file(AT_FDCWD, path, text) < 0 ? -1 : 0);
}

static void node_hugepages(int node, uint64_t page_size) {
  if (access(pool_file(page_size, node, "nr_hugepages"), F_OK)) {
    answer("%s", errno_name(errno));
    return;
  }
  answer("total=%lu free=%lu surp=%lu", read_counter(page_size, node, "nr_hugepages"),
         read_counter(page_size, node, "free_hugepages"),
         read_counter(page_size, node, "surplus_hugepages"));
}

static void make_directories(const char *path) {
  char prefix[4096];
  for (size_t i = 1; i <= strlen(path) && i < sizeof prefix; i++) {
    if (path[i] != '/' && path[i] != 0) continue;
    memcpy(prefix, path, i);
    prefix[i] = 0;
    mkdir(prefix, 0755);
  }
}

/* `rw` stands for no option at all. */
static void mount_hugetlbfs(const char *path, unsigned long flags, const char *options) {
  if (strcmp(options, "rw") == 0) options = "";
  if (flags == 0) make_directories(path);
  long result = mount("hugetlbfs", path, "hugetlbfs", flags, options);
  answer_result(result);
  if (result && flags == 0) rmdir(path);
}

/* The directory came with the mount, and goes with it. */
static void unmount(const char *path) {
  long result = umount2(path, UMOUNT_NOFOLLOW);
  answer_result(result);
  if (result == 0) rmdir(path);
}

static void answer_statfs(const char *path) {
  struct statfs s;
  if (statfs(path, &s)) {
    answer("%s", errno_name(errno));
    return;
  }
  answer("bsize=%ld blocks=%ld bfree=%ld bavail=%ld files=%ld ffree=%ld", (long)s.f_bsize,
         (long)s.f_blocks, (long)s.f_bfree, (long)s.f_bavail,
         (long)s.f_files, (long)s.f_ffree);
}

bool host_operation(const struct words *w) {
  if (is(w, 0, "pool"))
    write_pool_file(pool_file(number(w, 1), (int)number(w, 2), w->at[3]), w->at[4]);
  else if (is(w, 0, "sysctl_nr_hugepages"))
    write_pool_file("/proc/sys/vm/nr_hugepages", w->at[1]);
  else if (is(w, 0, "node_hugepages")) node_hugepages((int)number(w, 1), number(w, 2));
  else if (is(w, 0, "mount")) mount_hugetlbfs(w->at[1], 0, w->at[2]);
  else if (is(w, 0, "remount")) mount_hugetlbfs(w->at[1], MS_REMOUNT, w->at[2]);
  else if (is(w, 0, "umount")) unmount(w->at[1]);
  else if (is(w, 0, "statfs")) answer_statfs(w->at[1]);
  else if (is(w, 0, "cgroup_create")) cgroup_create(w->at[1]);
  else if (is(w, 0, "cgroup_remove")) cgroup_remove(w->at[1]);
  else if (is(w, 0, "cgroup_set")) cgroup_set(w->at[1], w->at[2], w->at[3]);
  else if (is(w, 0, "cgroup_get")) cgroup_get(w->at[1], w->at[2]);
  else return false;
  return true;
}
