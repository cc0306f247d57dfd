/* Files, and the descriptors that a script's names stand for. */
#include "agent.h"
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define DESCRIPTORS_MAX 1024
/* One more than the descriptor, so that zero is none: of a file, and of a pipe's other end. */
static int descriptors[DESCRIPTORS_MAX], writing_ends[DESCRIPTORS_MAX];

int descriptor(uint64_t number) {
  return number < DESCRIPTORS_MAX ? descriptors[number] - 1 : -1;
}

void close_descriptor(uint64_t number) {
  if (descriptors[number]) close(descriptors[number] - 1);
  if (writing_ends[number]) close(writing_ends[number] - 1);
  descriptors[number] = writing_ends[number] = 0;
}

void answer_descriptor(uint64_t number, int fd) {
  answer_result(fd);
  if (fd < 0 || number >= DESCRIPTORS_MAX) return;
  close_descriptor(number);
  descriptors[number] = fd + 1;
}

static void answer_stat(int fd) {
  struct stat s;
  if (fstat(fd, &s)) answer("%s", errno_name(errno));
  else
    answer("size=%luh+%lu blocks=%ld nlink=%lu blksize=%ld", s.st_size / HUGE_PAGE,
           s.st_size % HUGE_PAGE, (long)s.st_blocks, (unsigned long)s.st_nlink,
           (long)s.st_blksize);
}

static void answer_pread(int fd, uint64_t offset) {
  uint64_t value = 0;
  long n = syscall(SYS_pread64, fd, &value, sizeof value, offset);
  if (n < 0) answer("%s", errno_name(errno));
  else answer("%ld:%lu", n, value);
}

static void answer_pwrite(int fd, uint64_t offset, uint64_t value) {
  answer_result(syscall(SYS_pwrite64, fd, &value, sizeof value, offset) < 0 ? -1 : 0);
}

/* The pipe of a number is made by the first line that needs it. */
static bool open_pipe(uint64_t number) {
  int ends[2];
  if (number < DESCRIPTORS_MAX && writing_ends[number]) return true;
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) return false;
  answer_descriptor(number, ends[0]);
  writing_ends[number] = ends[1] + 1;
  return true;
}

static void splice_memory(uint64_t number, uint64_t address) {
  struct iovec range = {(void *)address, 8};
  if (!open_pipe(number)) return answer_result(-1);
  answer_result(syscall(SYS_vmsplice, writing_ends[number] - 1, &range, 1, 0) < 0 ? -1 : 0);
}

static void read_pipe(int fd) {
  uint64_t value = 0;
  if (read(fd, &value, sizeof value) < 0) answer("%s", errno_name(errno));
  else answer("%lu", value);
}

bool file_operation(const struct words *w) {
  uint64_t name = number(w, 1);
  int fd = descriptor(name);
  if (is(w, 0, "open"))
    answer_descriptor(name, open(w->at[3], (int)number(w, 2) | O_CLOEXEC, 0644));
  else if (is(w, 0, "memfd"))
    answer_descriptor(name, syscall(SYS_memfd_create, "f", (unsigned)number(w, 2) | MFD_CLOEXEC));
  else if (is(w, 0, "close")) {
    answer("%s", fd < 0 ? "EBADF" : "ok");
    if (fd >= 0) close_descriptor(name);
  } else if (is(w, 0, "unlink")) answer_result(unlink(w->at[1]));
  else if (is(w, 0, "ftruncate")) answer_result(syscall(SYS_ftruncate, fd, number(w, 2)));
  else if (is(w, 0, "fallocate"))
    answer_result(syscall(SYS_fallocate, fd, (int)number(w, 2), number(w, 3), number(w, 4)));
  else if (is(w, 0, "pread")) answer_pread(fd, number(w, 2));
  else if (is(w, 0, "pwrite")) answer_pwrite(fd, number(w, 2), number(w, 3));
  else if (is(w, 0, "fstat")) answer_stat(fd);
  else if (is(w, 0, "seals")) answer_result(fcntl(fd, F_ADD_SEALS, (int)number(w, 2)));
  else if (is(w, 0, "vmsplice")) splice_memory(name, number(w, 2));
  else if (is(w, 0, "piperead")) read_pipe(fd);
  else return false;
  return true;
}
