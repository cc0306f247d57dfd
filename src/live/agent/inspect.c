/* What /proc shows of a process; read by the session, which may see page frames. */
#include "agent.h"

#define PAGE 4096UL

static char *proc_file(pid_t pid, const char *name) {
  static char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return path;
}

/* The number of kB behind `key` in the text up to `end`; 0: no such line. */
static unsigned long kilobytes(const char *text, const char *end, const char *key) {
  const char *found = strstr(text, key);
  return found && found < end ? strtoul(found + strlen(key), NULL, 10) : 0;
}

/* `rd,wr,mr`; `sd` is left out: it depends on how the kernel was built. */
static void add_vm_flags(char *flags) {
  const char *separator = "";
  flags[strcspn(flags, "\n")] = 0;
  for (char *flag = strtok(flags, " "); flag; flag = strtok(NULL, " ")) {
    if (strcmp(flag, "sd") == 0) continue;
    add("%s%s", separator, flag);
    separator = ",";
  }
}

static void smaps(pid_t pid, uint64_t address) {
  char *text = read_file(AT_FDCWD, proc_file(pid, "smaps"));
  while (*text) {
    uint64_t start, end;
    char permissions[5];
    unsigned long offset;
    char *flags = strstr(text, "VmFlags:");
    if (sscanf(text, "%lx-%lx %4s %lx", &start, &end, permissions, &offset) != 4 || !flags) break;
    if (address >= start && address < end) {
      bool is_huge = (end - start) % HUGE_PAGE == 0;
      answer("len=%lu%s %s off=%08lx ", (end - start) / (is_huge ? HUGE_PAGE : PAGE),
             is_huge ? "h" : "p", permissions, offset);
      add("KernelPageSize=%lukB ", kilobytes(text, flags, "KernelPageSize:"));
      add("Shared_Hugetlb=%lukB ", kilobytes(text, flags, "Shared_Hugetlb:"));
      add("Private_Hugetlb=%lukB VmFlags=", kilobytes(text, flags, "Private_Hugetlb:"));
      add_vm_flags(flags + strlen("VmFlags:"));
      return;
    }
    text = flags + strcspn(flags, "\n");
    if (*text) text++;
  }
  answer("none");
}

static void vmas(pid_t pid, uint64_t address, uint64_t length) {
  unsigned count = 0;
  for (char *line = read_file(AT_FDCWD, proc_file(pid, "maps")); *line;) {
    uint64_t start, end;
    if (sscanf(line, "%lx-%lx", &start, &end) != 2) break;
    if (start < address + length && end > address) count++;
    line += strcspn(line, "\n");
    if (*line) line++;
  }
  answer("%u", count);
}

static void status(pid_t pid) {
  char *text = read_file(AT_FDCWD, proc_file(pid, "status"));
  answer("HugetlbPages=%lukB", kilobytes(text, text + strlen(text), "HugetlbPages:"));
}

/* Bits of /proc/PID/pagemap and /proc/kpageflags (Documentation/admin-guide/mm/pagemap.rst). */
#define PM_FRAME ((1UL << 55) - 1)
#define PM_EXCLUSIVE (1UL << 56)
#define PM_FILE (1UL << 61)
#define PM_PRESENT (1UL << 63)
#define KPF_COMPOUND_TAIL (1UL << 16)
#define KPF_HUGE (1UL << 17)
#define KPF_ZERO_PAGE (1UL << 24)

static uint64_t read_entry(int fd, uint64_t index) {
  uint64_t entry = 0;
  return pread(fd, &entry, sizeof entry, index * sizeof entry) == sizeof entry ? entry : 0;
}

/* The frame that a huge page starts with, when the frame is one of its parts. */
static uint64_t first_frame(int kpageflags, uint64_t frame) {
  uint64_t flags = read_entry(kpageflags, frame);
  while ((flags & KPF_HUGE) && (flags & KPF_COMPOUND_TAIL)) {
    frame = (frame - 1) / 512 * 512;
    flags = read_entry(kpageflags, frame);
  }
  return frame;
}

/* A word for each 2M: `-`, or the frame with a(non) or f(ile), x (exclusive) or s(hared). */
static void pagemap(pid_t pid, uint64_t address, uint64_t pages) {
  int entries = open(proc_file(pid, "pagemap"), O_RDONLY | O_CLOEXEC);
  int kpageflags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
  answer("ok\tpages");
  for (uint64_t i = 0; i < pages && strlen(answer_text) < MESSAGE_MAX - 64; i++) {
    uint64_t entry = read_entry(entries, (address + i * HUGE_PAGE) / PAGE);
    uint64_t frame = entry & PM_FRAME;
    bool is_zero = read_entry(kpageflags, frame) & KPF_ZERO_PAGE;
    if (!(entry & PM_PRESENT) || is_zero) add(" -");
    else
      add(" %lu%c%c", first_frame(kpageflags, frame), entry & PM_FILE ? 'f' : 'a',
          entry & PM_EXCLUSIVE ? 'x' : 's');
  }
  close(entries);
  close(kpageflags);
}

/* The node of each 2M; move_pages() without a destination only looks. */
static void nodes(pid_t pid, uint64_t address, uint64_t pages) {
  answer("%s", "");
  for (uint64_t i = 0; i < pages && strlen(answer_text) < MESSAGE_MAX - 64; i++) {
    void *page = (void *)(address + i * HUGE_PAGE);
    int node = -1;
    long result = syscall(SYS_move_pages, pid, 1UL, &page, NULL, &node, 0);
    if (i > 0) add(" ");
    if (result == 0 && node >= 0) add("%d", node);
    else add("-");
  }
}

bool inspect_operation(pid_t pid, const struct words *w) {
  if (is(w, 0, "smaps")) smaps(pid, number(w, 1));
  else if (is(w, 0, "vmas")) vmas(pid, number(w, 1), number(w, 2));
  else if (is(w, 0, "status")) status(pid);
  else if (is(w, 0, "pagemap")) pagemap(pid, number(w, 1), number(w, 2));
  else if (is(w, 0, "nodes")) nodes(pid, number(w, 1), number(w, 2));
  else return false;
  return true;
}
