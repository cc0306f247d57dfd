/*
 * Runs every case of the case file: stores its entries, sets the control bits, makes the access,
 * and writes down what came of it.
 *
 * The guest itself lives in one slot of the root table (see boot.S): supervisor pages of key 0,
 * whose rights in IA32_PKRS no case takes away. CPL 3 only ever fetches from a user page there.
 */
#include "guest.h"

/* Pages that cases may map hold breakpoints, so a jump to any place in them comes back. */
#define FILLER 0xCC
#define STORED 0x8877665544332211UL
#define PREFIX 0x3E /* DS override: ignored in 64-bit mode */
/* A flat data segment of DPL 3, not yet accessed; the flag is bit 0 of byte 5. */
#define DESCRIPTOR 0x00CFF2000000FFFFUL
#define DESCRIPTOR_ACCESSED (1UL << 40)

#define MSR_EFER 0xC0000080
#define MSR_PKRS 0x6E1

static u64 physical_base; /* linear address of physical 0 */
static u64 user_alias;    /* the same memory, as CPL 3 may execute it */

/* GCC calls this whatever it is told. */
void *memset(void *at, int value, u64 nr) {
  void *to = at;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(nr) : "a"(value) : "memory");
  return at;
}

static void *physical(u64 address) { return (void *)(physical_base + address); }

static u64 read_msr(u32 msr) {
  u32 low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
  return low | (u64)high << 32;
}

static void write_msr(u32 msr, u64 value) {
  __asm__ volatile("wrmsr" ::"a"((u32)value), "d"((u32)(value >> 32)), "c"(msr));
}

static void cpuid(u32 leaf, u32 out[4]) {
  __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(0));
}

static u64 with(u64 value, u32 bit, int is_set) {
  return is_set ? value | 1UL << bit : value & ~(1UL << bit);
}

static void set_controls(const struct test_case *c, u64 root) {
  u64 cr0, cr4;
  __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
  __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
  __asm__ volatile("mov %0, %%cr0" ::"r"(with(cr0, 16, c->control & WP)) : "memory");
  write_msr(MSR_EFER, with(read_msr(MSR_EFER), 11, c->control & NXE));
  write_msr(MSR_PKRS, c->pkrs);
  __asm__ volatile("mov %0, %%cr4" ::"r"(with(cr4, 22, 1)) : "memory"); /* WRPKRU needs PKE */
  __asm__ volatile("wrpkru" ::"a"(c->pkru), "c"(0), "d"(0));
  cr4 = with(cr4, 20, c->control & SMEP);
  cr4 = with(cr4, 21, c->control & SMAP);
  cr4 = with(cr4, 22, c->control & PKE);
  cr4 = with(cr4, 24, c->control & PKS);
  /* Turning PGE over and loading CR3 leave no translation, global or not: SDM Vol. 3A, 4.10.4.1. */
  __asm__ volatile("mov %0, %%cr4" ::"r"(with(cr4, 7, !(c->control & PGE))) : "memory");
  __asm__ volatile("mov %0, %%cr4" ::"r"(with(cr4, 7, c->control & PGE)) : "memory");
  __asm__ volatile("mov %0, %%cr3" ::"r"(root) : "memory");
}

/* The operand's byte at an index, wherever it lies. */
static u8 *operand(const struct test_case *c, u32 index) {
  return physical(index < c->first_size ? c->data[0] + index : c->data[1] + (index - c->first_size));
}

/* What must be in memory for the access to come back. */
static u8 byte_before(const struct test_case *c, u32 index) {
  switch (c->access) {
  case FETCH:
    return index + 1 < c->size ? PREFIX : FILLER;
  case LOAD_SEGMENT:
    return (DESCRIPTOR | DESCRIPTOR_ACCESSED) >> 8 * index & 0xFF;
  case LOAD_SEGMENT_MARK:
    return DESCRIPTOR >> 8 * index & 0xFF;
  default:
    return FILLER;
  }
}

static u8 byte_stored(const struct test_case *c, u32 index) {
  if (c->access == LOAD_SEGMENT_MARK) return (DESCRIPTOR | DESCRIPTOR_ACCESSED) >> 8 * index & 0xFF;
  return STORED >> 8 * index & 0xFF;
}

static u64 stub_of(u8 access, u8 size) {
  u64 index = access < FETCH ? access * 4 + __builtin_ctz(size) : access == FETCH ? 16 : 17;
  return (u64)stubs + STUB_BYTES * index;
}

static void note_memory(struct test_case *c, u64 value) {
  int is_store = c->access == WRITE || c->access == WRITE_STACK || c->access == LOAD_SEGMENT_MARK;
  u32 nr_kept[2] = {0, 0}, nr_stored[2] = {0, 0}, nr_telling[2] = {0, 0};
  for (u32 i = 0; i < c->size; i++) {
    u32 part = i >= c->first_size;
    u8 before = byte_before(c, i), after = byte_stored(c, i), now = *operand(c, i);
    if (!is_store) after = before;
    if (now == before) nr_kept[part]++;
    if (now == after) nr_stored[part]++;
    if (before != after) nr_telling[part]++;
    *operand(c, i) = FILLER;
  }
  u32 length[2] = {c->first_size, c->size - c->first_size};
  for (u32 part = 0; part < 2; part++) {
    if (nr_telling[part] > 0 && nr_stored[part] == length[part]) c->stored |= 1 << part;
    else if (nr_kept[part] != length[part]) c->odd |= TORN_STORE;
  }
  if (c->vector == BREAKPOINT && c->access <= READ_STACK)
    for (u32 i = 0; i < c->size; i++)
      if ((value >> 8 * i & 0xFF) != FILLER) c->odd |= WRONG_VALUE;
}

static void run(struct test_case *c, const struct file_header *file) {
  for (u32 i = 0; i < c->nr_entries; i++) *(u64 *)physical(c->entries[i].at) = c->entries[i].value;
  for (u32 i = 0; i < c->size; i++) *operand(c, i) = byte_before(c, i);
  int is_segment_load = c->access >= LOAD_SEGMENT;
  if (is_segment_load) load_local_table(c->address);

  int is_user = c->control & USER;
  u64 stub = stub_of(c->access, c->size) + (is_user ? user_alias - physical_base : 0);
  u64 stack = (u64)__builtin_frame_address(0) - 4096;
  struct context context = {
      .rip = stub,
      .cs = is_user ? USER_CODE : KERNEL_CODE,
      .rflags = 2 | (c->control & AC ? 1 << 18 : 0),
      .rsp = stack & ~0xFUL,
      .ss = is_user ? USER_DATA : KERNEL_DATA,
      .address = c->address,
      .value = is_segment_load ? 7 : STORED, /* selector: local table, index 0, RPL 3 */
  };
  set_controls(c, file->root);
  __asm__ volatile("mov %0, %%cr2" ::"r"(file->cr2_before) : "memory");
  enter(&context);
  __asm__ volatile("mov %%cr2, %0" : "=r"(c->cr2)::"memory");

  c->vector = (u8)context.vector;
  c->error_code = (u32)context.error_code;
  c->rip = context.fault_rip - stub;
  if (c->access == FETCH && c->rip >= STUB_BYTES) c->rip = context.fault_rip - c->address + 0x100;
  note_memory(c, context.value);
  for (u32 i = 0; i < c->nr_entries; i++) {
    u64 *entry = physical(c->entries[i].at);
    c->entries[i].value = *entry;
    *entry = 0;
  }
}

static void describe_processor(struct file_header *file) {
  u32 out[4];
  cpuid(0x80000008, out);
  file->max_physical_address_bits = out[0] & 0xFF;
  cpuid(7, out);
  file->cpuid_7_ebx = out[1];
  file->cpuid_7_ecx = out[2];
  cpuid(0x80000001, out);
  file->cpuid_80000001_edx = out[3];
}

/* Ends the virtual machine: its exit status is twice the code plus one. */
static void leave(u8 code) {
  for (;;) __asm__ volatile("outb %0, %1" ::"a"(code), "Nd"((u16)0xF4));
}

void main(u64 base) {
  physical_base = base;
  user_alias = base + 511 * 0x200000UL;
  struct file_header *file = physical(CASE_FILE);
  if (file->magic != FILE_MAGIC || file->case_bytes != sizeof(struct test_case)) leave(2);
  prepare_tables();
  describe_processor(file);

  /* The cases' root: the guest's slot as at boot, and nothing else. */
  u64 cr3;
  __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
  u64 slot = ((u64 *)physical(cr3 & ~0xFFFUL))[RUNNER_SLOT];
  ((u64 *)physical(file->root))[RUNNER_SLOT] = slot;

  __builtin_memset(physical(0), FILLER, 4096);
  __builtin_memset(physical(file->data_from), FILLER, file->data_bytes);

  struct test_case *cases = (struct test_case *)(file + 1);
  for (u32 i = 0; i < file->nr_cases; i++) {
    run(&cases[i], file);
    file->nr_done = i + 1;
  }
  leave(1);
}
