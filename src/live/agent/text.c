/* Words, numbers, names and files. */
#include "agent.h"
#include <stdarg.h>
#include <sys/wait.h>

char answer_text[MESSAGE_MAX];

void answer(const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsnprintf(answer_text, sizeof answer_text, format, list);
  va_end(list);
}

void add(const char *format, ...) {
  va_list list;
  size_t length = strlen(answer_text);
  va_start(list, format);
  vsnprintf(answer_text + length, sizeof answer_text - length, format, list);
  va_end(list);
}

void answer_result(long result) { answer("%s", result == -1 ? errno_name(errno) : "ok"); }

void answer_count(long result) {
  if (result == -1) answer("%s", errno_name(errno));
  else answer("%ld", result);
}

const char *errno_name(int error) {
  static char unknown[16];
  switch (error) {
#define NAME(code) case code: return #code;
    NAME(EPERM) NAME(ENOENT) NAME(ESRCH) NAME(EINTR) NAME(EIO) NAME(ENXIO) NAME(E2BIG)
    NAME(ENOEXEC) NAME(EBADF) NAME(ECHILD) NAME(EAGAIN) NAME(ENOMEM) NAME(EACCES) NAME(EFAULT)
    NAME(ENOTBLK) NAME(EBUSY) NAME(EEXIST) NAME(EXDEV) NAME(ENODEV) NAME(ENOTDIR) NAME(EISDIR)
    NAME(EINVAL) NAME(ENFILE) NAME(EMFILE) NAME(ENOTTY) NAME(ETXTBSY) NAME(EFBIG) NAME(ENOSPC)
    NAME(ESPIPE) NAME(EROFS) NAME(EMLINK) NAME(EPIPE) NAME(EDOM) NAME(ERANGE) NAME(EDEADLK)
    NAME(ENAMETOOLONG) NAME(ENOSYS) NAME(ENOTEMPTY) NAME(ELOOP) NAME(EIDRM) NAME(EOVERFLOW)
    NAME(EOPNOTSUPP) NAME(ETIMEDOUT) NAME(EALREADY) NAME(EDQUOT) NAME(ECANCELED) NAME(EHWPOISON)
#undef NAME
  }
  snprintf(unknown, sizeof unknown, "errno%d", error);
  return unknown;
}

const char *signal_name(int signal) {
  static const char *const names[] = {
    "SIG0",    "SIGHUP",  "SIGINT",  "SIGQUIT", "SIGILL",  "SIGTRAP", "SIGABRT", "SIGBUS",
    "SIGFPE",  "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM",
  };
  static char unknown[16];
  if (signal == SIGXFSZ) return "SIGXFSZ";
  if (signal >= 0 && signal < (int)(sizeof names / sizeof *names)) return names[signal];
  snprintf(unknown, sizeof unknown, "SIG%d", signal);
  return unknown;
}

void answer_status(int status) {
  if (WIFSIGNALED(status)) answer("killed %s", signal_name(WTERMSIG(status)));
  else answer("exited %d", WEXITSTATUS(status));
}

struct words split(char *line) {
  struct words words = {0};
  for (char *word; words.count < WORDS_MAX && (word = strsep(&line, "\t"));) {
    words.at[words.count++] = word;
  }
  return words;
}

struct words without_first(const struct words *words) {
  struct words rest = {.count = words->count - 1};
  memcpy(rest.at, words->at + 1, rest.count * sizeof *rest.at);
  return rest;
}

uint64_t number(const struct words *words, int index) {
  return index < words->count ? strtoull(words->at[index], NULL, 0) : 0;
}

bool is(const struct words *words, int index, const char *word) {
  return index < words->count && strcmp(words->at[index], word) == 0;
}

char *read_file(int directory, const char *path) {
  static char text[4 << 20];
  size_t length = 0;
  int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
  while (fd >= 0 && length < sizeof text - 1) {
    ssize_t n = read(fd, text + length, sizeof text - 1 - length);
    if (n <= 0) break;
    length += n;
  }
  if (fd >= 0) close(fd);
  text[length] = 0;
  return text;
}

long write_file(int directory, const char *path, const char *text) {
  int fd = openat(directory, path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  long n = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return n;
}

bool write_all(int fd, const char *text, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, text, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text += n;
    length -= n;
  }
  return true;
}
