/*
 * A session carries out one script: it finds the actor of each line, has it do what the line says,
 * sees how it ended, and reads the counters. It is the first process of a PID namespace.
 */
#include "agent.h"
#include <poll.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define ACTORS_MAX 4096
/* How long freed pages may be on their way when the kernel frees them behind a process's back. */
#define SETTLE_US 15000

enum state { RUNNING, STUCK, ENDED, REAPED };
static struct actor {
  uint64_t name;
  pid_t pid;
  int socket, pidfd;
  struct actor *parent; /* NULL: the session */
  enum state state;
} actors[ACTORS_MAX];
static int nr_actors;
/* How long an actor may take; pages of 1G take longer. */
static int watchdog_ms;
#define LONGER_WITH_1G 8
/* io_uring lets go of pinned pages in a worker of its own. */
static bool has_pinned;

/* The newest process of a name; NULL: none. */
static struct actor *find(uint64_t name) {
  for (int i = nr_actors - 1; i >= 0; i--) {
    if (actors[i].name == name) return &actors[i];
  }
  return NULL;
}

#define LOOKS_MAX 100
/* On a machine with much to do the worker may not even have begun at the next look. */
#define EQUAL_LOOKS 4

static void settle(void) {
  if (!has_pinned) return;
  struct pools before = read_pools();
  for (int looks = 0, equal = 0; looks < LOOKS_MAX && equal < EQUAL_LOOKS; looks++) {
    usleep(SETTLE_US);
    struct pools now = read_pools();
    equal = memcmp(&before, &now, sizeof now) == 0 ? equal + 1 : 0;
    before = now;
  }
}

/* The last field of /proc/PID/stat. */
static int exit_status(pid_t pid) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  const char *last = strrchr(read_file(AT_FDCWD, path), ' ');
  return last ? atoi(last) : 0;
}

/* What init does: those whose parent has ended are waited for. */
static void reap_orphans(void) {
  for (int i = 0; i < nr_actors; i++) {
    struct actor *actor = &actors[i];
    if (actor->state != ENDED || (actor->parent && actor->parent->state < ENDED)) continue;
    if (waitpid(actor->pid, NULL, WNOHANG) == actor->pid) actor->state = REAPED;
  }
}

/* The actor has ended: that is the answer. */
static void bury(struct actor *actor) {
  answer_status(exit_status(actor->pid));
  close(actor->socket);
  close(actor->pidfd);
  actor->state = ENDED;
  reap_orphans();
  settle();
}

/* Waits for the actor's answer, or for its end; which is the answer then. */
static bool hear(struct actor *actor) {
  struct pollfd fds[2] = {{actor->pidfd, POLLIN, 0}, {actor->socket, POLLIN, 0}};
  bool has_1g = read_pools().counters[1][TOTAL] > 0;
  for (;;) {
    int ready = poll(fds, 2, has_1g ? LONGER_WITH_1G * watchdog_ms : watchdog_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) {
      actor->state = STUCK;
      answer("stuck");
      return false;
    }
    ssize_t n = recv(actor->socket, answer_text, sizeof answer_text - 1, MSG_DONTWAIT);
    if (n > 0) {
      answer_text[n] = 0;
      return true;
    }
    if (fds[0].revents) {
      bury(actor);
      return false;
    }
    /* Its descriptors are closed, the rest of its end is to come. */
    fds[1].fd = -1;
  }
}

/* Those that were stuck may end after all, when others let go of what they waited for. */
static void notice_ends(void) {
  for (int i = 0; i < nr_actors; i++) {
    struct pollfd end = {actors[i].pidfd, POLLIN, 0};
    if (actors[i].state == STUCK && poll(&end, 1, 0) == 1) bury(&actors[i]);
  }
}

/* Has the actor do something; a descriptor can go along (-1: none). */
static bool ask(struct actor *actor, const char *request, int fd) {
  struct iovec text = {(void *)request, strlen(request)};
  char control[CMSG_SPACE(sizeof fd)] = {0};
  struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  sendmsg(actor->socket, &message, MSG_NOSIGNAL);
  return hear(actor);
}

static struct actor *add_actor(uint64_t name, pid_t pid, int socket, struct actor *parent) {
  if (nr_actors == ACTORS_MAX) _exit(2);
  struct actor *actor = &actors[nr_actors++];
  *actor = (struct actor){name, pid, socket, (int)syscall(SYS_pidfd_open, pid, 0), parent, RUNNING};
  return actor;
}

static struct actor *spawn(uint64_t name) {
  int ends[2];
  socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
  pid_t pid = fork();
  if (pid == 0) {
    for (int signal = 1; signal < 32; signal++) sigaction(signal, &(struct sigaction){0}, NULL);
    /* Whoever reads the session's output is to see its end, whatever actors cannot be killed. */
    int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    if (nothing > STDERR_FILENO) close(nothing);
    if (ends[1] == ACTOR_FD) fcntl(ACTOR_FD, F_SETFD, 0);
    else dup2(ends[1], ACTOR_FD);
    execve("/proc/self/exe", (char *[]){"agent", "actor", NULL}, (char *[]){NULL});
    _exit(127);
  }
  close(ends[1]);
  return add_actor(name, pid, ends[0], NULL);
}

static void fork_actor(struct actor *parent, uint64_t name) {
  struct actor *namesake = find(name);
  if (namesake && namesake->state < ENDED) {
    answer("EEXIST");
    return;
  }
  int ends[2];
  socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
  pid_t pid = ask(parent, "fork", ends[1]) ? atoi(answer_text) : 0;
  close(ends[1]);
  if (pid <= 0) {
    close(ends[0]);
    return;
  }
  add_actor(name, pid, ends[0], parent);
  answer("ok");
}

static void wait_for(struct actor *parent, uint64_t name) {
  struct actor *child = find(name);
  char request[32];
  if (!child || child->state == REAPED) {
    answer("ECHILD");
    return;
  }
  snprintf(request, sizeof request, "wait\t%d", child->pid);
  if (ask(parent, request, -1) && strchr(answer_text, ' ')) child->state = REAPED;
}

/* What a signal does is waited for. */
static void kill_actor(struct actor *actor, int signal) {
  if (!actor || actor->state == REAPED) {
    answer("ESRCH");
    return;
  }
  long result = kill(actor->pid, signal);
  if (result == 0 && signal != 0) {
    if (actor->state == RUNNING) ask(actor, "nothing", -1);
    else if (actor->state == STUCK) hear(actor);
  }
  answer_result(result);
}

static void perform(const struct words *w, const char *request) {
  struct words rest = without_first(w);
  if (is(w, 0, "host")) {
    if (is(&rest, 0, "kill")) kill_actor(find(number(&rest, 1)), (int)number(&rest, 2));
    else if (is(&rest, 0, "cgroup_attach")) {
      struct actor *actor = find(number(&rest, 2));
      if (!actor || actor->state == REAPED) answer("ESRCH");
      else cgroup_attach(rest.at[1], actor->pid);
    } else if (!host_operation(&rest)) answer("the agent knows no such operation of the host");
    return;
  }
  struct actor *actor = find(number(w, 0));
  if (!actor) actor = spawn(number(w, 0));
  if (actor->state >= ENDED) answer("dead");
  else if (actor->state == STUCK) answer("stuck");
  else if (is(&rest, 0, "fork")) fork_actor(actor, number(&rest, 1));
  else if (is(&rest, 0, "wait")) wait_for(actor, number(&rest, 1));
  else if (!inspect_operation(actor->pid, &rest)) {
    bool lets_go = is(&rest, 0, "exec") || is(&rest, 0, "pin") || is(&rest, 0, "unpin");
    has_pinned |= is(&rest, 0, "pin");
    if (ask(actor, request, -1) && lets_go) settle();
  }
}

/* Kills everything and removes what would end with the namespaces, but later. */
static void end_session(void) {
  kill(-1, SIGKILL);
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
  struct shmid_ds segment;
  struct shm_info info;
  int last = shmctl(0, SHM_INFO, (struct shmid_ds *)&info);
  for (int i = 0; i <= last; i++) {
    int id = shmctl(i, SHM_STAT, &segment);
    if (id >= 0) shmctl(id, IPC_RMID, NULL);
  }
  _exit(0);
}

static void limit(int resource, rlim_t value) {
  setrlimit(resource, &(struct rlimit){value, value});
}

/* What the session's processes have in common, whatever the machine's own settings. */
static void prepare(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  mount("proc", "/proc", "proc", 0, NULL);
  mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
  mount("tmpfs", "/mnt", "tmpfs", 0, NULL);
  umask(022);
  personality(ADDR_NO_RANDOMIZE);
  limit(RLIMIT_STACK, 8 << 20);
  limit(RLIMIT_MEMLOCK, 8 << 20);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_AS, RLIM_INFINITY);
  limit(RLIMIT_DATA, RLIM_INFINITY);
  limit(RLIMIT_FSIZE, RLIM_INFINITY);
}

static void reply(bool is_first) {
  static char line[MESSAGE_MAX + 512];
  int n = snprintf(line, sizeof line, "%s\t%s\n", format_pools(is_first), answer_text);
  if (!write_all(STDOUT_FILENO, line, n)) _exit(1);
}

void session_main(int watchdog) {
  static char line[MESSAGE_MAX], words_of_line[MESSAGE_MAX];
  watchdog_ms = watchdog;
  prepare();
  answer("ok");
  reply(true);
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    if (strcmp(line, "end") == 0) end_session();
    memcpy(words_of_line, line, strlen(line) + 1);
    struct words words = split(words_of_line);
    const char *request = strchr(line, '\t');
    if (!request) continue;
    notice_ends();
    perform(&words, request + 1);
    reply(false);
  }
  _exit(1);
}
