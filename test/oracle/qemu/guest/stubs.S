/*
 * The accesses: one instruction, then a breakpoint. The address is in RDI and in RBP (whose
 * default segment is SS), what to store is in RAX. The order is that of the enum in guest.h.
 */
#include "guest.h"

        .section .stubs, "ax"
        .globl  stubs
        .balign 4096
        .macro  stub instruction:vararg
        .balign STUB_BYTES
        \instruction
        int3
        .endm
stubs:
        stub    movb (%rdi), %al
        stub    movw (%rdi), %ax
        stub    movl (%rdi), %eax
        stub    movq (%rdi), %rax

        stub    movb (%rbp), %al
        stub    movw (%rbp), %ax
        stub    movl (%rbp), %eax
        stub    movq (%rbp), %rax

        stub    movb %al, (%rdi)
        stub    movw %ax, (%rdi)
        stub    movl %eax, (%rdi)
        stub    movq %rax, (%rdi)

        stub    movb %al, (%rbp)
        stub    movw %ax, (%rbp)
        stub    movl %eax, (%rbp)
        stub    movq %rax, (%rbp)

        stub    jmp *%rdi               /* to prefixes and a breakpoint */
        stub    movl %eax, %es          /* a descriptor of the local table, which is at the address */
        .section .note.GNU-stack, "", @progbits
