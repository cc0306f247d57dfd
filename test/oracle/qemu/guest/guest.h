/*
 * What the guest's parts, and the script that feeds it, agree on. Included by C and by assembly.
 *
 * The case file is guest memory from CASE_FILE on: a header, then the cases. The script writes it
 * before the guest starts, and the guest writes results into the cases. The script's view of the
 * same bytes is ../case-file.ts; the header's magic and case size tell whether they agree.
 */
#ifndef GUEST_H
#define GUEST_H

#define CASE_FILE 0x4000000
#define FILE_MAGIC 0x43575548 /* "HUWC" */
#define FILE_LEVELS 8         /* offset of file_header.levels */

/* The root table's entry that maps the guest itself. No case's address uses it. */
#define RUNNER_SLOT 0x1AA

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_DATA 0x1B
#define USER_CODE 0x23
#define TASK 0x28
#define LOCAL_TABLE 0x38

/* Vectors 0 to 31 have a gate; a breakpoint is how a case's access says that it was done. */
#define NR_VECTORS 32
#define BREAKPOINT 3

/* Bytes of one access stub; see stubs.S. */
#define STUB_BYTES 16

#ifndef __ASSEMBLER__
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

struct file_header {
  u32 magic;
  u32 case_bytes;
  u32 levels;
  u32 nr_cases;
  u64 root;       /* physical address of the root table */
  u64 cr2_before; /* what CR2 holds before each access */
  u64 data_from, data_bytes; /* memory that cases may map, besides physical page 0 */
  /* Written by the guest. */
  u32 nr_done;
  u32 max_physical_address_bits; /* CPUID 80000008H:EAX[7:0] */
  u32 cpuid_7_ebx, cpuid_7_ecx, cpuid_80000001_edx;
  u32 pad;
};

/* Bits of test_case.control. */
enum { WP = 1, NXE = 2, SMEP = 4, SMAP = 8, AC = 16, PKE = 32, PKS = 64, PGE = 128, USER = 256 };

/* test_case.access, and the order of the stubs. Each of the first four has sizes 1, 2, 4, 8. */
enum { READ, READ_STACK, WRITE, WRITE_STACK, FETCH, LOAD_SEGMENT, LOAD_SEGMENT_MARK };

/* test_case.odd: what no case may show. */
enum { WRONG_VALUE = 1, TORN_STORE = 2 };

struct test_case {
  u64 address;
  u64 data[2];   /* physical addresses of the operand's bytes before and after a page boundary */
  u32 pkru, pkrs;
  u16 control;
  u8 access, size;
  u8 first_size; /* bytes of the operand at data[0] */
  u8 nr_entries;
  u8 pad[2];
  /* Results. */
  u8 vector; /* BREAKPOINT: the access was done */
  u8 stored; /* bit 0 and 1: the bytes at data[0], data[1] were changed */
  u16 odd;
  u32 error_code;
  u64 cr2;
  u64 rip; /* where the exception was, relative to the stub; after a jump, to the address - 0x100 */
  struct {
    u64 at, value; /* physical address; value before, then after */
  } entries[12];
};

/* What enter() takes and the exception stubs give back; offsets are used in enter.S. */
struct context {
  u64 rip, cs, rflags, rsp, ss; /* in, as IRETQ pops them */
  u64 address, value;           /* in: RDI and RBP, RAX; out: value is RAX */
  u64 vector, error_code, fault_rip;
};

void enter(struct context *);
extern const char stubs[], exceptions[];
void prepare_tables(void);
void load_local_table(u64 address);
#endif
#endif
