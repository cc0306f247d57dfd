/* Accesses to memory: the actor's own, and those that the kernel makes for it. */
#include "agent.h"
#include <setjmp.h>
#include <sys/uio.h>

static sigjmp_buf jump;
static volatile sig_atomic_t is_armed;
static siginfo_t caught;

static void on_signal(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  if (!is_armed) return;
  is_armed = 0;
  caught = *info;
  siglongjmp(jump, 1);
}

void catch_signals(bool is_on) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  if (is_on) {
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART;
  }
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
}

static const char *code_name(const siginfo_t *info) {
  static char unknown[16];
  if (info->si_code == SI_KERNEL) return "KERNEL";
  if (info->si_signo == SIGBUS) {
    switch (info->si_code) {
    case BUS_ADRALN: return "ADRALN";
    case BUS_ADRERR: return "ADRERR";
    case BUS_OBJERR: return "OBJERR";
    case BUS_MCEERR_AR: return "MCEERR_AR";
    case BUS_MCEERR_AO: return "MCEERR_AO";
    }
  } else {
    switch (info->si_code) {
    case SEGV_MAPERR: return "MAPERR";
    case SEGV_ACCERR: return "ACCERR";
    case SEGV_BNDERR: return "BNDERR";
    case SEGV_PKUERR: return "PKUERR";
    }
  }
  snprintf(unknown, sizeof unknown, "code%d", info->si_code);
  return unknown;
}

enum kind { LOAD, STORE, INCREMENT };

/* One access of 8 bytes; false: a signal came instead, and is in `caught`. */
static bool access_memory(enum kind kind, uint64_t address, uint64_t *value) {
  if (sigsetjmp(jump, 0)) return false;
  is_armed = 1;
  switch (kind) {
  case LOAD: __asm__ volatile("movq (%1), %0" : "=r"(*value) : "r"(address) : "memory"); break;
  case STORE: __asm__ volatile("movq %0, (%1)" : : "r"(*value), "r"(address) : "memory"); break;
  case INCREMENT: __asm__ volatile("lock incq (%0)" : : "r"(address) : "memory", "cc"); break;
  }
  is_armed = 0;
  return true;
}

static void answer_fault(void) {
  answer("%s %s\tfault %lu", signal_name(caught.si_signo), code_name(&caught),
         (unsigned long)caught.si_addr);
}

static void touch(enum kind kind, uint64_t address, uint64_t pages, uint64_t value) {
  for (uint64_t i = 0; i < pages; i++) {
    uint64_t each = value + i;
    if (access_memory(kind, address + i * HUGE_PAGE, &each)) continue;
    answer("%s at page %lu\tfault %lu", signal_name(caught.si_signo), i,
           (unsigned long)caught.si_addr);
    return;
  }
  answer("ok %lu", pages);
}

/* write(2) of 8 bytes into a pipe. */
static void copy_from_user(uint64_t address) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return answer_result(-1);
  answer_count(syscall(SYS_write, ends[1], address, 8));
  close(ends[0]);
  close(ends[1]);
}

/* read(2) of zeros. */
static void copy_to_user(uint64_t address, uint64_t length) {
  int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  answer_count(syscall(SYS_read, zero, address, length));
  close(zero);
}

static void write_through_proc(uint64_t address, uint64_t value) {
  int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
  answer_count(syscall(SYS_pwrite64, memory, &value, sizeof value, address));
  close(memory);
}

bool access_operation(const struct words *w) {
  uint64_t address = number(w, 1), value = number(w, 2);
  if (is(w, 0, "read")) {
    if (access_memory(LOAD, address, &value)) answer("%lu", value);
    else answer_fault();
  } else if (is(w, 0, "write")) {
    if (access_memory(STORE, address, &value)) answer("ok");
    else answer_fault();
  } else if (is(w, 0, "increment")) {
    if (access_memory(INCREMENT, address, &value)) answer("ok");
    else answer_fault();
  } else if (is(w, 0, "touch")) {
    touch(is(w, 1, "read") ? LOAD : STORE, number(w, 2), number(w, 3), number(w, 4));
  } else if (is(w, 0, "copy_from_user")) copy_from_user(address);
  else if (is(w, 0, "copy_to_user")) copy_to_user(address, value);
  else if (is(w, 0, "procmem_write")) write_through_proc(address, value);
  else return false;
  return true;
}
