/*
 * Groups of cgroup v2. They live in a group of the guard's, reached by a descriptor, since every
 * session has mounts of its own.
 */
#include "agent.h"
#include <dirent.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* cgroup2's root, and the guard's group in it; -1: no cgroup v2 with the hugetlb controller. */
static int root = -1, parent = -1;
static char parent_name[32];
static bool has_enabled;

/* Precondition: the caller's mounts are its own. */
void open_cgroups(void) {
  if (mount("tmpfs", "/mnt", "tmpfs", 0, NULL) || mkdir("/mnt/cgroup", 0700)) return;
  if (mount("cgroup2", "/mnt/cgroup", "cgroup2", 0, NULL)) return;
  root = open("/mnt/cgroup", O_PATH | O_CLOEXEC);
  if (!strstr(read_file(root, "cgroup.controllers"), "hugetlb")) return;
  if (!strstr(read_file(root, "cgroup.subtree_control"), "hugetlb")) {
    has_enabled = write_file(root, "cgroup.subtree_control", "+hugetlb") > 0;
  }
  snprintf(parent_name, sizeof parent_name, "hugewalk-%d", getpid());
  if (mkdirat(root, parent_name, 0755)) return;
  parent = openat(root, parent_name, O_PATH | O_CLOEXEC);
  write_file(parent, "cgroup.subtree_control", "+hugetlb");
}

void remove_cgroups(void) {
  int fd = parent < 0 ? -1 : openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = fd < 0 ? NULL : fdopendir(fd);
  if (!directory) return;
  for (struct dirent *entry; (entry = readdir(directory));) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
      unlinkat(parent, entry->d_name, AT_REMOVEDIR);
    }
  }
  closedir(directory);
}

void close_cgroups(void) {
  remove_cgroups();
  if (parent < 0) return;
  unlinkat(root, parent_name, AT_REMOVEDIR);
  if (has_enabled) write_file(root, "cgroup.subtree_control", "-hugetlb");
}

/* Whether there are groups at all; else that is the answer. */
static bool has_cgroups(void) {
  if (parent < 0) answer("ENOSYS");
  return parent >= 0;
}

void cgroup_create(const char *name) {
  if (has_cgroups()) answer_result(mkdirat(parent, name, 0755));
}

void cgroup_remove(const char *name) {
  if (has_cgroups()) answer_result(unlinkat(parent, name, AT_REMOVEDIR));
}

void cgroup_attach(const char *name, pid_t pid) {
  char path[128], text[16];
  if (!has_cgroups()) return;
  snprintf(path, sizeof path, "%s/cgroup.procs", name);
  snprintf(text, sizeof text, "%d", pid);
  answer_result(write_file(parent, path, text) < 0 ? -1 : 0);
}

void cgroup_set(const char *name, const char *file, const char *text) {
  char path[128];
  if (!has_cgroups()) return;
  snprintf(path, sizeof path, "%s/%s", name, file);
  answer_result(write_file(parent, path, text) < 0 ? -1 : 0);
}

void cgroup_get(const char *name, const char *file) {
  char path[128];
  if (!has_cgroups()) return;
  snprintf(path, sizeof path, "%s/%s", name, file);
  if (faccessat(parent, path, R_OK, 0)) {
    answer("%s", errno_name(errno));
    return;
  }
  char *text = read_file(parent, path);
  text[strcspn(text, "\n")] = 0;
  answer("%s", text);
}
