/*
 * The agent: carries out transcripts on the kernel that it runs on.
 *
 *   guard      outlives everything: starts a session a script, and puts the machine back after it
 *   session    one script, in namespaces of its own: finds actors, reads counters
 *   actor      one process of the script
 *
 * Requests and replies are lines, their words set apart by tabs:
 *
 *   ACTOR OPERATION ARGUMENT...             0 mmap 2097152 3 262178 0 0 -1
 *   COUNTERS RESULT [KEY VALUE]...          8,8,1,0,0,0,0,0 ok at 140737345748992
 *
 * A serial port is slow: counters as they were in the last reply are a `=`. They are total, free,
 * rsvd and surp of the 2M pool and then of the 1G pool. Keys: `at` the address that a NAME is bound
 * to, `fault` si_addr, `id` of a segment, `pages` of pagemap.
 * Names never get here: actors, descriptors and pins are numbered (src/live/protocol.ts).
 */
#ifndef AGENT_H
#define AGENT_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define MESSAGE_MAX 65536
#define HUGE_PAGE (2UL << 20)

/* ---- text.c: what is written and read */

/* The message that is being answered: `answer` starts it, `add` goes on. */
extern char answer_text[MESSAGE_MAX];
void answer(const char *format, ...) __attribute__((format(printf, 1, 2)));
void add(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* `ok`, or the name of errno when the system call has returned -1. */
void answer_result(long result);
/* The number that a system call returned, or the name of errno. */
void answer_count(long result);

const char *errno_name(int error);
const char *signal_name(int signal);
/* `exited 0` or `killed SIGBUS` of a wait status. */
void answer_status(int status);

#define WORDS_MAX 16
struct words {
  int count;
  char *at[WORDS_MAX];
};
/* Splits a request at its tabs, in place. */
struct words split(char *line);
/* The number that a word is; 0 when there are fewer words. */
uint64_t number(const struct words *words, int index);
/* All but the first word. */
struct words without_first(const struct words *words);
bool is(const struct words *words, int index, const char *word);

/* The whole file in a buffer that the next call reuses; "" when it cannot be read. */
char *read_file(int directory, const char *path);
/* One write(2) of the text, to a file that is there. */
long write_file(int directory, const char *path, const char *text);
/* Writes all of it; false: nobody reads it any more. */
bool write_all(int fd, const char *text, size_t length);

/* ---- pools.c: the pools' counters, and putting them back */

#define POOLS 2
enum { TOTAL, FREE, RESERVED, SURPLUS, COUNTERS };
struct pools {
  int count; /* sizes that this kernel has: 2M, and 1G perhaps */
  uint64_t counters[POOLS][COUNTERS];
};
struct pools read_pools(void);
/* As a reply starts: `=` when nothing has changed since this process's last one. */
const char *format_pools(bool is_first);
/* A file in sysfs of a page size in bytes, of one node (-1: all); the next call reuses the path. */
const char *pool_file(uint64_t page_size, int node, const char *name);
/* The number in it; 0 when it cannot be read. */
uint64_t read_counter(uint64_t page_size, int node, const char *name);
int count_nodes(void);
/* What the administrator had asked for; to be put back in the end. */
void save_pools(void);
void restore_pools(void);
/* Empties the pools, all but what the kernel has lost for good; false: somebody uses them. */
bool find_base(void);
/* The same after a script; false: they are not as they were. */
bool return_to_base(int timeout_ms);

/* ---- cgroups.c */
void open_cgroups(void);
/* Ends the groups that scripts made. */
void remove_cgroups(void);
void close_cgroups(void);
void cgroup_create(const char *name);
void cgroup_remove(const char *name);
void cgroup_attach(const char *name, pid_t pid);
void cgroup_set(const char *name, const char *file, const char *text);
void cgroup_get(const char *name, const char *file);

/* ---- host.c: operations of the administrator */
/* Whether there is such an operation; then it is answered. */
bool host_operation(const struct words *words);

/* ---- inspect.c: what /proc shows of a process */
bool inspect_operation(pid_t pid, const struct words *words);

/* ---- guard.c, session.c, actor.c */
int guard_main(bool is_live);
/* Runs one script's requests; never returns. */
void session_main(int watchdog_ms);
int actor_main(bool is_exec);

/* The actor's end of its socket. */
#define ACTOR_FD 3

/* ---- memory.c, access.c, files.c, userfault.c: operations of an actor */
bool memory_operation(const struct words *words);
bool access_operation(const struct words *words);
bool file_operation(const struct words *words);
bool userfault_operation(const struct words *words);
void catch_signals(bool is_on);

/* ---- files.c: descriptors by the numbers that the script's names have */
int descriptor(uint64_t number);
/* Takes the result of open(2) or its like: answers, and closes what the number stood for. */
void answer_descriptor(uint64_t number, int fd);
void close_descriptor(uint64_t number);

#endif
