/*
 * agent guard          on a machine that is used otherwise too, as root: stdin and stdout
 * agent actor [exec]   a process of a script; started by a session
 * agent                as init of a virtual machine: the serial port
 */
#include "agent.h"

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "actor") == 0) return actor_main(argc > 2);
  return guard_main(argc > 1 && strcmp(argv[1], "guard") == 0);
}
