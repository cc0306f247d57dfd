/*
 * enter(context): leaves for an access stub by IRETQ, and comes back by the exception that ends it.
 *
 * Every gate uses the same interrupt stack, so a broken RSP cannot hurt. Exceptions that push no
 * error code push 0 here.
 */
#include "guest.h"

        .bss
        .balign 8
context: .skip  8
rsp:    .skip   8

        .text
        .globl  enter
enter:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rdi, context(%rip)
        movq    %rsp, rsp(%rip)
        pushq   32(%rdi)
        pushq   24(%rdi)
        pushq   16(%rdi)
        pushq   8(%rdi)
        pushq   0(%rdi)
        movq    48(%rdi), %rax
        movq    40(%rdi), %rdi
        movq    %rdi, %rbp
        iretq

/* One entry of 16 bytes for each vector. */
        .balign 16
        .globl  exceptions
exceptions:
        .set    vector, 0
        .rept   NR_VECTORS
        .balign 16
        .if     !((1 << vector) & 0x60227D00)   /* 8, 10 to 14, 17, 21, 29, 30 push one */
        pushq   $0
        .endif
        pushq   $vector
        jmp     come_back
        .set    vector, vector + 1
        .endr

come_back:                              /* vector, error code, RIP, CS, RFLAGS, RSP, SS */
        cld
        movq    context(%rip), %rdi
        movq    %rax, 48(%rdi)
        popq    56(%rdi)
        popq    64(%rdi)
        movq    (%rsp), %rax
        movq    %rax, 72(%rdi)
        movq    rsp(%rip), %rsp
        xorl    %eax, %eax
        movl    %eax, %es
        pushq   $2                      /* RFLAGS: AC and the rest off */
        popfq
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        ret
        .section .note.GNU-stack, "", @progbits
