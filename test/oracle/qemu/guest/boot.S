/*
 * From the loader's 32-bit mode to main() in 64-bit mode, running in the guest's own slot.
 *
 * Boot tables, in the first pages of .bss:
 *
 *   root[0], root[RUNNER_SLOT] -> (5 levels: la57[0] ->) pdpt[0] -> pd
 *   pd[0..510]  physical memory from 0, pages of 2M, supervisor
 *   pd[511]     physical 0 again, user, read-only: where CPL 3 executes the access stubs
 *
 * Slot 0 is needed for the jump only: main() builds a root that has the guest's slot alone.
 */
#include "guest.h"

#define MULTIBOOT_MAGIC 0x1BADB002

        .section .multiboot, "a"
        .balign 4
        .long   MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

        .section .bss
        .balign 4096
root:   .skip   4096
la57:   .skip   4096
pdpt:   .skip   4096
pd:     .skip   4096
        .skip   4096
stack:

        .text
        .code32
        .globl  boot
boot:
        cld
        movl    $stack, %esp

        movl    $0x83, %eax             /* P, W, PS */
        movl    $pd, %edi
1:      movl    %eax, (%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        cmpl    $pd + 511 * 8, %edi
        jne     1b
        movl    $0x85, (%edi)           /* P, U, PS */
        movl    $pd + 7, pdpt

        movl    $(1 << 5), %ebx         /* CR4.PAE */
        movl    $pdpt + 7, %eax
        cmpl    $5, CASE_FILE + FILE_LEVELS
        jne     2f
        movl    %eax, la57
        movl    $la57 + 7, %eax
        orl     $(1 << 12), %ebx        /* CR4.LA57 */
2:      movl    %eax, root
        movl    %eax, root + RUNNER_SLOT * 8
        movl    %ebx, %cr4
        movl    $root, %eax
        movl    %eax, %cr3

        movl    $0xC0000080, %ecx       /* IA32_EFER.LME */
        rdmsr
        orl     $(1 << 8), %eax
        wrmsr
        movl    $0x80010033, %eax       /* CR0: PG, WP, NE, ET, MP, PE */
        movl    %eax, %cr0
        lgdt    boot_gdtr
        ljmp    $KERNEL_CODE, $long_mode

        .balign 8
boot_gdt:
        .quad   0, 0x00AF9B000000FFFF   /* null, 64-bit code */
boot_gdtr:
        .word   15
        .long   boot_gdt

        .code64
long_mode:
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    $39, %ecx               /* the slot's base: its index in place, sign-extended */
        cmpl    $5, CASE_FILE + FILE_LEVELS
        jne     3f
        movl    $48, %ecx
3:      movq    $RUNNER_SLOT - 512, %rdi
        shlq    %cl, %rdi
        leaq    stack(%rip), %rsp
        addq    %rdi, %rsp
        leaq    4f(%rip), %rax
        addq    %rdi, %rax
        jmp     *%rax
4:      call    main                    /* main(base) */
        hlt
        .section .note.GNU-stack, "", @progbits
