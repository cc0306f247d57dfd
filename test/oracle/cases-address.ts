/** Cases worked out by hand: stack references, and addresses of 57 bits. */
import {
  kernelRead,
  kernelWrite,
  once,
  pageFault,
  physical,
  UPPER_USED,
  userRead,
  userWrite,
} from "./case-parts.ts";
import type { HandCase } from "./hand-case.ts";

const READ_5_LEVEL = {
  ...physical(0x5000n),
  after: { ...UPPER_USED, pml5e: 0x1027n, pte: 0x5027n },
};
const NON_CANONICAL = 0x0000_8000_0000_0000n;
const STACK: readonly HandCase[] = [
  // 9. By SS.
  once(
    "9: a read through SS",
    {},
    {
      ...userRead,
      manner: "stack",
      address: NON_CANONICAL,
      gives: "#SS(0)",
    },
  ),
  once(
    "9: a push",
    {},
    {
      ...kernelWrite,
      manner: "stack",
      address: 0xffff_7fff_ffff_fff8n,
      gives: "#SS(0)",
    },
  ),
  once(
    "9: the processor's own access",
    {},
    {
      ...userRead,
      manner: "implicit",
      address: NON_CANONICAL,
      gives: "#GP(0)",
    },
  ),
  once(
    "9: a page fault through SS is a page fault",
    { pte: 0n },
    {
      ...userWrite,
      manner: "stack",
      ...pageFault(0x6),
      after: UPPER_USED,
    },
  ),
];

const FIVE_LEVELS: readonly HandCase[] = [
  once("LA57: five levels", {}, { ...userRead, la57: true, ...READ_5_LEVEL }),
  once(
    "LA57: bit 47 is an address bit",
    {},
    {
      ...userRead,
      la57: true,
      address: NON_CANONICAL,
      ...pageFault(0x4),
      after: { pml5e: 0x1027n },
    },
  ),
  once(
    "LA57: the first address above the lower half",
    {},
    {
      ...userRead,
      la57: true,
      address: 1n << 56n,
      gives: "#GP(0)",
    },
  ),
  once(
    "LA57: the last address of the lower half",
    {},
    {
      ...userRead,
      la57: true,
      address: (1n << 56n) - 1n,
      ...pageFault(0x4),
    },
  ),
  once(
    "LA57: the first address of the upper half",
    {},
    {
      ...userRead,
      la57: true,
      address: 0xff00_0000_0000_0000n,
      ...pageFault(0x4),
    },
  ),
  once(
    "LA57: the last address below the upper half",
    {},
    {
      ...userRead,
      la57: true,
      address: 0xfeff_ffff_ffff_ffffn,
      gives: "#GP(0)",
    },
  ),
  once("LA57: PML5E bit 7", { pml5e: 0x1087n }, { ...userRead, la57: true, ...pageFault(0xd) }),
  once(
    "LA57: PML4E bit 7",
    { pml4e: 0x2087n },
    {
      ...userRead,
      la57: true,
      ...pageFault(0xd),
      after: { pml5e: 0x1027n },
    },
  ),
  once(
    "LA57: bit 46 of the PML5E, MAXPHYADDR 46",
    { pml5e: (1n << 46n) | 0x1007n },
    {
      ...kernelRead,
      la57: true,
      ...pageFault(0x9),
    },
  ),
  once(
    "LA57: U/S clear in the PML5E",
    { pml5e: 0x1003n },
    {
      ...userRead,
      la57: true,
      ...pageFault(0x5),
      after: { ...UPPER_USED, pml5e: 0x1023n },
    },
  ),
  once("LA57: absent PML5E", { pml5e: 0n }, { ...kernelWrite, la57: true, ...pageFault(0x2) }),
];

export const ADDRESS_CASES: readonly HandCase[] = [...STACK, ...FIVE_LEVELS];
