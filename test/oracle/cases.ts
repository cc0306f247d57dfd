/**
 * Cases worked out by hand, for the oracle and for the emulator alike: entries, accesses, and what
 * must come of each. These are of entries, write protection and NXE; `all-cases.ts` has the rest
 * too. Unless a case says otherwise: WP = NXE = 1, MAXPHYADDR 46, 1-GByte pages, entries 0x2007,
 * 0x3007, 0x4007, 0x5007.
 */
import {
  DIRECTORIES_USED,
  kernelFetch,
  kernelRead,
  kernelWrite,
  NX,
  once,
  pageFault,
  physical,
  UPPER_USED,
  userFetch,
  userRead,
  userWrite,
} from "./case-parts.ts";
import type { HandCase } from "./hand-case.ts";

const BIT_51 = 1n << 51n;
const BIT_46 = 1n << 46n;

export const ENTRY_CASES: readonly HandCase[] = [
  // 1. RSVD implies P.
  once(
    "1: reserved bit in the PTE, user read",
    { pte: BIT_51 | 0x5007n },
    { ...userRead, ...pageFault(0xd), after: UPPER_USED },
  ),
  once(
    "1: reserved bit in the PTE, user write",
    { pte: BIT_51 | 0x5007n },
    { ...userWrite, ...pageFault(0xf), after: UPPER_USED },
  ),
  once(
    "1: reserved bit in the PTE, P = 0",
    { pte: BIT_51 | 0x5006n },
    { ...userRead, ...pageFault(0x4), after: UPPER_USED },
  ),
  once(
    "1: reserved bit in the PDE",
    { pde: BIT_46 | 0x4007n },
    { ...kernelRead, ...pageFault(0x9), after: DIRECTORIES_USED },
  ),
  once(
    "1: reserved bit in the PML4E",
    { pml4e: BIT_46 | 0x2007n },
    { ...kernelWrite, ...pageFault(0xb) },
  ),
  once(
    "1: an address bit, with MAXPHYADDR 52",
    { pte: BIT_51 | 0x5007n },
    {
      ...userRead,
      maxPhysicalAddressBits: 52,
      ...physical(BIT_51 | 0x5000n),
      after: { ...UPPER_USED, pte: BIT_51 | 0x5027n },
    },
  ),
  once(
    "1: bit 36, with MAXPHYADDR 36",
    { pte: 0x10_0000_5007n },
    { ...userRead, maxPhysicalAddressBits: 36, ...pageFault(0xd), after: UPPER_USED },
  ),
  once(
    "1: reserved bit, and no right either",
    { pml4e: 0x2001n, pte: BIT_51 | 0x5001n },
    {
      ...userWrite,
      ...pageFault(0xf),
      after: { ...UPPER_USED, pml4e: 0x2021n },
    },
  ),

  // 3. Large pages: PAT, and bits that must be zero.
  once(
    "3: PDE bit 12 is PAT",
    { pde: 0x80_1087n },
    {
      ...userRead,
      gives: { physical: 0x98_9000n, patIndex: 4, memoryType: "WB" },
      after: { ...DIRECTORIES_USED, pde: 0x80_10a7n },
    },
  ),
  once(
    "3: PDE bit 12 is PAT, write",
    { pde: 0x80_1087n },
    { ...userWrite, ...physical(0x98_9000n), after: { ...DIRECTORIES_USED, pde: 0x80_10e7n } },
  ),
  once(
    "3: PDE bit 13 of a 2M page",
    { pde: 0x80_2087n },
    { ...kernelRead, ...pageFault(0x9), after: DIRECTORIES_USED },
  ),
  once(
    "3: PDE bit 20 of a 2M page",
    { pde: 0x90_0087n },
    { ...kernelRead, ...pageFault(0x9), after: DIRECTORIES_USED },
  ),
  once("3: PML4E bit 7", { pml4e: 0x2087n }, { ...kernelRead, ...pageFault(0x9) }),
  once(
    "3: PTE bit 7 is PAT",
    { pte: 0x5087n },
    { ...userRead, ...physical(0x5000n), after: { ...UPPER_USED, pte: 0x50a7n } },
  ),
  once(
    "3: 1G page",
    { pdpte: 0x4000_1087n },
    { ...userWrite, ...physical(0x5678_9000n), after: { pml4e: 0x2027n, pdpte: 0x4000_10e7n } },
  ),
  once(
    "3: PDPTE bit 13 of a 1G page",
    { pdpte: 0x4000_2087n },
    { ...kernelRead, ...pageFault(0x9), after: { pml4e: 0x2027n } },
  ),
  once(
    "3: PDPTE bit 29 of a 1G page",
    { pdpte: 0x6000_0087n },
    { ...kernelRead, ...pageFault(0x9), after: { pml4e: 0x2027n } },
  ),
  once(
    "3: 1G page the processor does not have",
    { pdpte: 0x4000_0087n },
    { ...kernelRead, pages1G: false, ...pageFault(0x9), after: { pml4e: 0x2027n } },
  ),

  // 4. CR0.WP = 0 gives a supervisor's write nothing that a user's may use.
  {
    name: "4: a supervisor's write with WP = 0, then a user's",
    entries: { pte: 0x5005n },
    steps: [
      { ...kernelWrite, wp: false, ...physical(0x5000n), after: { ...UPPER_USED, pte: 0x5065n } },
      { ...userWrite, wp: false, ...pageFault(0x7) },
      { ...kernelWrite, wp: true, ...pageFault(0x3) },
      { ...kernelWrite, wp: false, ...physical(0x5000n) },
    ],
  },
  once(
    "4: WP = 1, supervisor write",
    { pte: 0x5005n },
    { ...kernelWrite, ...pageFault(0x3), after: UPPER_USED },
  ),
  once(
    "4: WP = 1, R/W clear in the PML4E",
    { pml4e: 0x2005n },
    { ...kernelWrite, ...pageFault(0x3), after: { ...UPPER_USED, pml4e: 0x2025n } },
  ),

  // 5. Accessed on a protection fault: the upper entries were used, the leaf was not.
  once(
    "5: supervisor page, user read",
    { pte: 0x5001n },
    { ...userRead, ...pageFault(0x5), after: UPPER_USED },
  ),
  once(
    "5: read-only page, user write",
    { pte: 0x5005n },
    { ...userWrite, ...pageFault(0x7), after: UPPER_USED },
  ),
  once(
    "5: supervisor PDE, user read",
    { pde: 0x4003n },
    { ...userRead, ...pageFault(0x5), after: { ...DIRECTORIES_USED, pde: 0x4023n } },
  ),
  once(
    "5: read-only 2M page, user write",
    { pde: 0x80_0085n },
    { ...userWrite, ...pageFault(0x7), after: DIRECTORIES_USED },
  ),
  once(
    "5: supervisor reads a user page",
    {},
    { ...kernelRead, ...physical(0x5000n), after: { ...UPPER_USED, pte: 0x5027n } },
  ),

  // 6. A clean cached entry does not vouch for a write.
  {
    name: "6: read, write protection without invalidation, write",
    entries: {},
    steps: [
      { ...userRead, ...physical(0x5000n), after: { ...UPPER_USED, pte: 0x5027n } },
      { store: { pte: 0x5025n }, ...userWrite, ...pageFault(0x7) },
    ],
  },
  {
    name: "6: read, then write: the dirty flag comes with the write",
    entries: {},
    steps: [
      { ...userRead, ...physical(0x5000n), after: { ...UPPER_USED, pte: 0x5027n } },
      { ...userWrite, ...physical(0x5000n), after: { pte: 0x5067n } },
    ],
  },

  // 8. The I/D flag, without SMEP; `cases-rights.ts` has it with SMEP.
  once(
    "8: PTE 0, fetch, NXE = 0",
    { pte: 0n },
    { ...kernelFetch, nxe: false, ...pageFault(0), after: UPPER_USED },
  ),
  once(
    "8: PTE 0, fetch, NXE = 1",
    { pte: 0n },
    { ...kernelFetch, ...pageFault(0x10), after: UPPER_USED },
  ),
  once(
    "8: bit 63 with NXE = 0, user fetch",
    { pte: NX | 0x5007n },
    { ...userFetch, nxe: false, ...pageFault(0xd), after: UPPER_USED },
  ),
  once(
    "8: bit 63 with NXE = 0, user read",
    { pte: NX | 0x5007n },
    { ...userRead, nxe: false, ...pageFault(0xd), after: UPPER_USED },
  ),
  once(
    "8: XD in the PTE, user fetch",
    { pte: NX | 0x5007n },
    { ...userFetch, ...pageFault(0x15), after: UPPER_USED },
  ),
  once(
    "8: XD in the PML4E, supervisor fetch",
    { pml4e: NX | 0x2007n },
    { ...kernelFetch, ...pageFault(0x11), after: { ...UPPER_USED, pml4e: NX | 0x2027n } },
  ),
  once(
    "8: XD does not concern a write",
    { pte: NX | 0x5007n },
    { ...userWrite, ...physical(0x5000n), after: { ...UPPER_USED, pte: NX | 0x5067n } },
  ),
  once(
    "8: supervisor fetches from a user page",
    {},
    { ...kernelFetch, ...physical(0x5000n), after: { ...UPPER_USED, pte: 0x5027n } },
  ),

  // 9. Addresses that are not canonical, by DS.
  once(
    "9: the first address above the lower half",
    {},
    { ...userRead, address: 0x0000_8000_0000_0000n, gives: "#GP(0)" },
  ),
  once(
    "9: the last address below the upper half",
    {},
    { ...kernelWrite, address: 0xffff_7fff_ffff_ffffn, gives: "#GP(0)" },
  ),
  once("9: a fetch", {}, { ...userFetch, address: 0x8000_1234_5678_9000n, gives: "#GP(0)" }),
  once(
    "9: the last address of the lower half",
    {},
    { ...userRead, address: 0x0000_7fff_ffff_ffffn, ...pageFault(0x4) },
  ),
  once(
    "9: the first address of the upper half",
    {},
    { ...userRead, address: 0xffff_8000_0000_0000n, ...pageFault(0x4) },
  ),

  // 10. What is not present is never cached.
  {
    name: "10: an entry with P = 0 is not cached, at any level",
    entries: { pte: 0n, pde: 0n, pdpte: 0n, pml4e: 0n },
    steps: [
      { ...userRead, ...pageFault(0x4) },
      { store: { pml4e: 0x2007n }, ...userRead, ...pageFault(0x4), after: { pml4e: 0x2027n } },
      { store: { pdpte: 0x3007n }, ...userRead, ...pageFault(0x4), after: { pdpte: 0x3027n } },
      { store: { pde: 0x4007n }, ...userRead, ...pageFault(0x4), after: { pde: 0x4027n } },
      { store: { pte: 0x5007n }, ...userRead, ...physical(0x5000n), after: { pte: 0x5027n } },
    ],
  },
  {
    name: "10: a page fault leaves nothing cached for its address",
    entries: { pte: 0x5001n },
    steps: [
      { ...userRead, ...pageFault(0x5), after: UPPER_USED },
      { store: { pte: 0x6007n }, ...userRead, ...physical(0x6000n), after: { pte: 0x6027n } },
    ],
  },
];
