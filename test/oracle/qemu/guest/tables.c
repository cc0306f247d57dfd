/*
 * Segment descriptors and gates: built at run time, because the guest's code knows its addresses
 * only when it runs.
 */
#include "guest.h"

static u64 gdt[9];
static u64 idt[2 * NR_VECTORS];
static u32 task[26];
static u8 exception_stack[4096] __attribute__((aligned(16)));

struct __attribute__((packed)) table_register {
  u16 limit;
  u64 base;
};

/* A 16-byte system descriptor, present: SDM Vol. 3A, 7.2.3 and 3.5. */
static void system_descriptor(u64 selector, u64 base, u64 limit, u64 type) {
  u64 *at = &gdt[selector / 8];
  at[0] = limit | (base & 0xFFFFFF) << 16 | (0x80 | type) << 40 | (base >> 24 & 0xFF) << 56;
  at[1] = base >> 32;
}

void prepare_tables(void) {
  gdt[KERNEL_CODE / 8] = 0x00AF9B000000FFFF;
  gdt[KERNEL_DATA / 8] = 0x00CF93000000FFFF;
  gdt[USER_DATA / 8] = 0x00CFF3000000FFFF;
  gdt[USER_CODE / 8] = 0x00AFFB000000FFFF;

  u64 top = (u64)exception_stack + sizeof exception_stack;
  task[1] = (u32)top; /* RSP0 */
  task[2] = (u32)(top >> 32);
  task[9] = (u32)top; /* IST1 */
  task[10] = (u32)(top >> 32);
  task[25] = sizeof task << 16; /* no I/O permission map */
  system_descriptor(TASK, (u64)task, sizeof task - 1, 9);

  for (u64 vector = 0; vector < NR_VECTORS; vector++) {
    u64 at = (u64)exceptions + 16 * vector;
    /* Interrupt gate, DPL 3, IST 1. */
    idt[2 * vector] = (at & 0xFFFF) | KERNEL_CODE << 16 | 1UL << 32 | 0xEEUL << 40 | (at >> 16 & 0xFFFF) << 48;
    idt[2 * vector + 1] = at >> 32;
  }

  struct table_register gdtr = {sizeof gdt - 1, (u64)gdt}, idtr = {sizeof idt - 1, (u64)idt};
  __asm__ volatile("lgdt %0" ::"m"(gdtr));
  __asm__ volatile("lidt %0" ::"m"(idtr));
  __asm__ volatile("ltr %w0" ::"r"(TASK));
}

/* A local table of one descriptor, at any linear address. */
void load_local_table(u64 address) {
  system_descriptor(LOCAL_TABLE, address, 7, 2);
  __asm__ volatile("lldt %w0" ::"r"(LOCAL_TABLE));
}
