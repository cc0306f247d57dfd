/* A process of a script: takes requests from its session and carries them out itself. */
#include "agent.h"
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* The descriptor that came with the request; -1: none. */
static int passed_fd;

static bool receive(char *request, size_t size) {
  char control[CMSG_SPACE(sizeof(int))];
  struct iovec text = {request, size - 1};
  struct msghdr message = {
    .msg_iov = &text, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control,
  };
  ssize_t n;
  while ((n = recvmsg(ACTOR_FD, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) continue;
  if (n <= 0) return false;
  request[n] = 0;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  passed_fd = -1;
  if (header) memcpy(&passed_fd, CMSG_DATA(header), sizeof passed_fd);
  return true;
}

static void send_answer(void) {
  send(ACTOR_FD, answer_text, strlen(answer_text), MSG_NOSIGNAL);
}

/* The child talks over a socket of its own, and has nothing to answer yet. */
static void fork_here(void) {
  pid_t pid = syscall(SYS_fork);
  if (pid == 0) {
    dup2(passed_fd, ACTOR_FD);
    answer("%s", "");
  } else if (pid > 0) {
    answer("%d", pid);
  } else {
    answer("%s", errno_name(errno));
  }
  close(passed_fd);
}

static void wait_for(pid_t child) {
  int status;
  pid_t pid = waitpid(child, &status, WNOHANG);
  if (pid == child) answer_status(status);
  else answer("%s", pid == 0 ? "EAGAIN" : errno_name(errno));
}

static bool process_operation(const struct words *w) {
  if (is(w, 0, "nothing")) answer("ok");
  else if (is(w, 0, "fork")) fork_here();
  else if (is(w, 0, "wait")) wait_for((pid_t)number(w, 1));
  else if (is(w, 0, "exit")) _exit((int)number(w, 1));
  else if (is(w, 0, "exec")) {
    execve("/proc/self/exe", (char *[]){"agent", "actor", "exec", NULL}, (char *[]){NULL});
    answer_result(-1);
  } else if (is(w, 0, "signals")) {
    catch_signals(is(w, 1, "catch"));
    answer("ok");
  } else return false;
  return true;
}

/* So that the highest mapping of a script is where it would be without them. */
static void unmap_vdso(void) {
  for (char *line = read_file(AT_FDCWD, "/proc/self/maps"); *line;) {
    uint64_t start, end;
    char name[16] = "";
    sscanf(line, "%lx-%lx %*s %*s %*s %*s %15s", &start, &end, name);
    if (strncmp(name, "[vdso]", 6) == 0 || strncmp(name, "[vvar", 5) == 0) {
      syscall(SYS_munmap, start, end - start);
    }
    line += strcspn(line, "\n");
    if (*line) line++;
  }
}

int actor_main(bool is_exec) {
  static char request[MESSAGE_MAX];
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  prctl(PR_SET_DUMPABLE, 1);
  unmap_vdso();
  if (is_exec) {
    answer("ok");
    send_answer();
  }
  while (receive(request, sizeof request)) {
    struct words words = split(request);
    errno = 0;
    bool is_known = process_operation(&words) || access_operation(&words) ||
                    memory_operation(&words) || file_operation(&words) ||
                    userfault_operation(&words);
    if (!is_known) answer("the agent knows no operation %s", words.at[0]);
    if (answer_text[0]) send_answer();
  }
  return 0;
}
