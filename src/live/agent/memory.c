/* System calls on an actor's own mappings, and its segments, limits and policies. */
#include "agent.h"
#include <grp.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/uio.h>

/* Raw system calls throughout: libc checks arguments of its own. */
static void answer_address(long result) {
  if (result == -1) answer("%s", errno_name(errno));
  else answer("ok\tat %lu", (unsigned long)result);
}

static void mincore_pages(uint64_t address, uint64_t length) {
  static unsigned char resident[1 << 20];
  const uint64_t step = sizeof resident * 4096;
  uint64_t count = 0;
  for (uint64_t done = 0; done < length || done == 0; done += step) {
    uint64_t part = length - done < step ? length - done : step;
    if (syscall(SYS_mincore, address + done, part, resident)) {
      answer("%s", errno_name(errno));
      return;
    }
    for (uint64_t i = 0; i < (part + 4095) / 4096; i++) count += resident[i] & 1;
  }
  answer("%lu/%lu", count, (length + 4095) / 4096);
}

/* A user of that number with a group of the same number, and no other groups. */
static void become_user(uint64_t uid) {
  long result = 0;
  if (geteuid() == 0 && uid != 0) {
    syscall(SYS_setgroups, 0, NULL);
    result = syscall(SYS_setresgid, uid, uid, uid);
  }
  if (result == 0) result = syscall(SYS_setresuid, uid, uid, uid);
  answer_result(result);
  prctl(PR_SET_DUMPABLE, 1);
}

static void set_limit(int resource, uint64_t value) {
  answer_result(setrlimit(resource, &(struct rlimit){value, value}));
}

static void attach_segment(const struct words *w) {
  uint64_t hint = number(w, 3);
  answer_address(syscall(SYS_shmat, (int)number(w, 1), hint, (int)number(w, 2)));
}

static void stat_segment(int id) {
  struct shmid_ds segment;
  if (shmctl(id, IPC_STAT, &segment)) answer("%s", errno_name(errno));
  else answer("segsz=%lu nattch=%lu", segment.shm_segsz, segment.shm_nattch);
}

/* Registers the range as a fixed buffer of a ring of its own. */
static void pin(uint64_t number, uint64_t address, uint64_t length) {
  struct io_uring_params params = {0};
  int ring = syscall(SYS_io_uring_setup, 1, &params);
  struct iovec range = {(void *)address, length};
  if (ring >= 0 && syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &range, 1)) {
    int error = errno;
    close(ring);
    errno = error;
    ring = -1;
  }
  answer_descriptor(number, ring);
}

static void unpin(uint64_t number) {
  int ring = descriptor(number);
  if (ring < 0) {
    answer("EBADF");
    return;
  }
  answer_result(syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0));
  close_descriptor(number);
}

static void set_policy(const struct words *w, int first, bool is_range) {
  unsigned long nodes = number(w, first + 1), most = 8 * sizeof nodes;
  int mode = (int)number(w, first);
  answer_result(is_range ? syscall(SYS_mbind, number(w, 1), number(w, 2), mode, &nodes, most, 0)
                         : syscall(SYS_set_mempolicy, mode, &nodes, most));
}

bool memory_operation(const struct words *w) {
  uint64_t a = number(w, 1), b = number(w, 2);
  if (is(w, 0, "mmap")) {
    int fd = is(w, 6, "-1") ? -1 : descriptor(number(w, 6));
    answer_address(syscall(SYS_mmap, number(w, 4), a, b, number(w, 3), fd, number(w, 5)));
  } else if (is(w, 0, "munmap")) answer_result(syscall(SYS_munmap, a, b));
  else if (is(w, 0, "mprotect")) answer_result(syscall(SYS_mprotect, a, b, number(w, 3)));
  else if (is(w, 0, "mremap"))
    answer_address(syscall(SYS_mremap, a, b, number(w, 3), number(w, 4), number(w, 5)));
  else if (is(w, 0, "madvise")) answer_result(syscall(SYS_madvise, a, b, (int)number(w, 3)));
  else if (is(w, 0, "msync")) answer_result(syscall(SYS_msync, a, b, (int)number(w, 3)));
  else if (is(w, 0, "mincore")) mincore_pages(a, b);
  else if (is(w, 0, "mlock")) answer_result(syscall(SYS_mlock, a, b));
  else if (is(w, 0, "mlock2")) answer_result(syscall(SYS_mlock2, a, b, MLOCK_ONFAULT));
  else if (is(w, 0, "munlock")) answer_result(syscall(SYS_munlock, a, b));
  else if (is(w, 0, "mlockall")) answer_result(syscall(SYS_mlockall, (int)a));
  else if (is(w, 0, "munlockall")) answer_result(syscall(SYS_munlockall));
  else if (is(w, 0, "setuid")) become_user(a);
  else if (is(w, 0, "rlimit")) set_limit((int)a, b);
  else if (is(w, 0, "shmget")) {
    long id = syscall(SYS_shmget, IPC_PRIVATE, a, (int)b);
    answer_result(id);
    if (id != -1) add("\tid %ld", id);
  } else if (is(w, 0, "shmat")) attach_segment(w);
  else if (is(w, 0, "shmdt")) answer_result(syscall(SYS_shmdt, a));
  else if (is(w, 0, "shmrm")) answer_result(syscall(SYS_shmctl, (int)a, IPC_RMID, NULL));
  else if (is(w, 0, "shmstat")) stat_segment((int)a);
  else if (is(w, 0, "pin")) pin(a, b, number(w, 3));
  else if (is(w, 0, "unpin")) unpin(a);
  else if (is(w, 0, "mbind")) set_policy(w, 3, true);
  else if (is(w, 0, "set_mempolicy")) set_policy(w, 1, false);
  else return false;
  return true;
}
