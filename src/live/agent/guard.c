/*
 * The guard starts a session for each script and puts the machine back afterwards: pools and
 * groups here; mounts, files, segments and processes end with the session's namespaces.
 *
 *     begin WATCHDOG_MS     the requests up to `end` are the session's
 *     COUNTERS ok           after the end; `dirty`: pages are not back; `lost`: so is the session
 */
#include "agent.h"
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>

#define CLEAN_UP_MS 5000
#define SETTLE_MS 2000
#define TURN_MS 30000
#define NAMESPACES (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC)

/* Goes on when nobody reads it: there is still the machine to put back. */
static void reply(const char *result) {
  char line[512];
  int n = snprintf(line, sizeof line, "%s\t%s\n", format_pools(true), result);
  write_all(STDOUT_FILENO, line, n);
}

static void say_hello(void) {
  char text[256];
  struct utsname name;
  uname(&name);
  snprintf(text, sizeof text, "ready\trelease %s\tnodes %d", name.release, count_nodes());
  reply(text);
}

/* The first process of a virtual machine: the file systems, and the port to the outside. */
static void become_init(void) {
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  int port = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_NONBLOCK);
  struct termios mode;
  tcgetattr(port, &mode);
  cfmakeraw(&mode);
  mode.c_cflag |= CLOCAL;
  tcsetattr(port, TCSANOW, &mode);
  fcntl(port, F_SETFL, 0);
  dup2(port, STDIN_FILENO);
  dup2(port, STDOUT_FILENO);
}

/* Nothing but the end of those who send requests ends the guard. */
static void stand_apart(void) {
  setsid();
  for (int signal = 1; signal < 32; signal++) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (signal != SIGCHLD && signal != SIGSEGV && signal != SIGBUS) sigaction(signal, &ignore, NULL);
  }
}

/*
 * There is one guard at a time: waits until the name is free, which it is when its holder has
 * ended in whatever way. False: not within the time.
 */
static bool take_turn(void) {
  static const char name[] = "hugewalk-guard";
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path + 1, name, sizeof name);
  int holder = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t length = offsetof(struct sockaddr_un, sun_path) + 1 + sizeof name;
  struct pollfd end = {.fd = STDIN_FILENO};
  for (int waited_ms = 0; bind(holder, (struct sockaddr *)&address, length) != 0; waited_ms += 50) {
    if (waited_ms >= TURN_MS || poll(&end, 1, 50) > 0) return false;
  }
  return true;
}

/* Waits for the session's end, or makes one when nobody is left who sends requests. */
static void attend(pid_t session) {
  int pidfd = syscall(SYS_pidfd_open, session, 0);
  struct pollfd fds[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = STDIN_FILENO}};
  while (poll(fds, 2, -1) < 0 && errno == EINTR) continue;
  if (!(fds[0].revents & POLLIN)) {
    kill(session, SIGKILL);
    poll(fds, 1, CLEAN_UP_MS);
  }
  close(pidfd);
}

static void run_session(int watchdog_ms) {
  int status = -1;
  pid_t session = syscall(SYS_clone, NAMESPACES | SIGCHLD, 0, 0, 0, 0);
  if (session == 0) session_main(watchdog_ms);
  if (session > 0) {
    attend(session);
    waitpid(session, &status, WNOHANG);
  }
  remove_cgroups();
  bool is_clean = return_to_base(SETTLE_MS);
  reply(status != 0 ? "lost" : is_clean ? "ok" : "dirty");
}

/* The next request; NULL: there will be none. One character at a time: the rest is not ours. */
static char *read_request(void) {
  static char line[MESSAGE_MAX];
  size_t length = 0;
  while (length < sizeof line - 1) {
    ssize_t n = read(STDIN_FILENO, line + length, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return NULL;
    if (line[length] == '\n') break;
    length++;
  }
  line[length] = 0;
  return line;
}

int guard_main(bool is_live) {
  if (is_live) {
    stand_apart();
    if (!take_turn()) {
      reply("taken");
      return 1;
    }
  } else become_init();
  unshare(CLONE_NEWNS);
  mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  mkdir("/mnt", 0755);
  mkdir("/tmp", 01777);
  save_pools();
  if (find_base()) {
    open_cgroups();
    say_hello();
    for (char *line; (line = read_request());) {
      struct words words = split(line);
      if (is(&words, 0, "begin")) run_session((int)number(&words, 1));
    }
    close_cgroups();
  } else {
    reply("busy");
  }
  restore_pools();
  return 0;
}
