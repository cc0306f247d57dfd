/* userfaultfd, with faults as SIGBUS: nobody has to wait for a script's next line. */
#include "agent.h"
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

/* Of kernels newer than the headers may be. */
#ifndef UFFD_FEATURE_WP_HUGETLBFS_SHMEM
#define UFFD_FEATURE_WP_HUGETLBFS_SHMEM (1 << 12)
#endif
#ifndef UFFD_FEATURE_POISON
#define UFFD_FEATURE_POISON (1 << 14)
#endif
#ifndef UFFD_FEATURE_MOVE
#define UFFD_FEATURE_MOVE (1 << 16)
#endif
struct move {
  uint64_t words[5];
};
#define IOCTL_MOVE _IOWR(UFFDIO, 0x05, struct move)
#define IOCTL_POISON _IOWR(UFFDIO, 0x08, uint64_t[4])

static const uint64_t wanted_features =
  UFFD_FEATURE_SIGBUS | UFFD_FEATURE_MISSING_HUGETLBFS | UFFD_FEATURE_MINOR_HUGETLBFS |
  UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM | UFFD_FEATURE_POISON |
  UFFD_FEATURE_MOVE;

static int open_with(uint64_t *features) {
  int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
  struct uffdio_api api = {.api = UFFD_API, .features = *features};
  if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  *features = api.features;
  return fd;
}

/* The handshake can be made once: one descriptor asks what there is, another takes it. */
static void open_userfaultfd(uint64_t name) {
  uint64_t features = 0;
  int probe = open_with(&features);
  if (probe >= 0) close(probe);
  features &= wanted_features;
  answer_descriptor(name, probe < 0 ? -1 : open_with(&features));
}

bool userfault_operation(const struct words *w) {
  int fd = descriptor(number(w, 1));
  uint64_t start = number(w, 2), length = number(w, 3), extra = number(w, 4);
  struct uffdio_range range = {start, length};
  if (is(w, 0, "userfaultfd")) open_userfaultfd(number(w, 1));
  else if (is(w, 0, "uffd_register")) {
    struct uffdio_register request = {range, extra, 0};
    answer_result(ioctl(fd, UFFDIO_REGISTER, &request));
  } else if (is(w, 0, "uffd_unregister")) answer_result(ioctl(fd, UFFDIO_UNREGISTER, &range));
  else if (is(w, 0, "uffd_copy")) {
    struct uffdio_copy request = {start, number(w, 5), length, extra, 0};
    answer_result(ioctl(fd, UFFDIO_COPY, &request));
  } else if (is(w, 0, "uffd_zeropage")) {
    struct uffdio_zeropage request = {range, 0, 0};
    answer_result(ioctl(fd, UFFDIO_ZEROPAGE, &request));
  } else if (is(w, 0, "uffd_continue")) {
    struct uffdio_continue request = {range, extra, 0};
    answer_result(ioctl(fd, UFFDIO_CONTINUE, &request));
  } else if (is(w, 0, "uffd_poison")) {
    uint64_t request[4] = {start, length};
    answer_result(ioctl(fd, IOCTL_POISON, request));
  } else if (is(w, 0, "uffd_move")) {
    struct move request = {{start, number(w, 5), length}};
    answer_result(ioctl(fd, IOCTL_MOVE, &request));
  } else if (is(w, 0, "uffd_wp")) {
    struct uffdio_writeprotect request = {range, extra};
    answer_result(ioctl(fd, UFFDIO_WRITEPROTECT, &request));
  } else return false;
  return true;
}
