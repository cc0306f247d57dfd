/** Cases worked out by hand: shadow stacks, and memory types. */
import {
  DIRECTORIES_USED,
  kernelWrite,
  once,
  pageFault,
  physical,
  UPPER_USED,
  userRead,
  userWrite,
  read,
  written,
  denied,
  KEY_1,
  WRITE_DISABLE,
} from "./case-parts.ts";
import type { HandCase } from "./hand-case.ts";

const userShadowRead = { by: "user", access: "shadow-read", cet: true } as const;
const userShadowWrite = { by: "user", access: "shadow-write", cet: true } as const;
const kernelShadowRead = { by: "supervisor", access: "shadow-read", cet: true } as const;
const kernelShadowWrite = { by: "supervisor", access: "shadow-write", cet: true } as const;

export const SHADOW_STACK_CASES: readonly HandCase[] = [
  once(
    "SS: user read of a shadow stack",
    { pte: 0x5065n },
    {
      ...userShadowRead,
      gives: { physical: 0x5000n, shadowStack: true },
      after: UPPER_USED,
    },
  ),
  once(
    "SS: user write of a shadow stack",
    { pte: 0x5045n },
    {
      ...userShadowWrite,
      ...written(0x5045n),
    },
  ),
  once("SS: user read of an ordinary page", {}, { ...userShadowRead, ...denied(0x45) }),
  once(
    "SS: user write of an ordinary page",
    { pte: 0x5067n },
    { ...userShadowWrite, ...denied(0x47) },
  ),
  once("SS: read-only but clean", { pte: 0x5005n }, { ...userShadowRead, ...denied(0x45) }),
  once(
    "SS: R/W clear above",
    { pde: 0x4005n, pte: 0x5045n },
    {
      ...userShadowRead,
      ...pageFault(0x45),
      after: { ...UPPER_USED, pde: 0x4025n },
    },
  ),
  once(
    "SS: user access of a supervisor shadow stack",
    { pte: 0x5041n },
    {
      ...userShadowRead,
      ...denied(0x45),
    },
  ),
  once(
    "SS: supervisor access of a supervisor shadow stack",
    { pte: 0x5041n },
    {
      ...kernelShadowWrite,
      ...written(0x5041n),
    },
  ),
  once(
    "SS: supervisor access of a user shadow stack",
    { pte: 0x5045n },
    {
      ...kernelShadowRead,
      ...denied(0x41),
    },
  ),
  once("SS: absent", { pte: 0n }, { ...userShadowWrite, ...denied(0x46) }),
  once(
    "SS: an ordinary read of a shadow stack",
    { pte: 0x5045n },
    {
      ...userRead,
      cet: true,
      ...read(0x5045n),
    },
  ),
  once(
    "SS: an ordinary write of a shadow stack",
    { pte: 0x5045n },
    {
      ...userWrite,
      cet: true,
      ...denied(0x7),
    },
  ),
  once(
    "SS: a supervisor's ordinary write of a shadow stack",
    { pte: 0x5041n },
    {
      ...kernelWrite,
      cet: true,
      ...denied(0x3),
    },
  ),
  once(
    "SS: a 2M shadow stack",
    { pde: 0x80_00c5n },
    {
      ...userShadowWrite,
      ...physical(0x98_9000n),
      after: { ...DIRECTORIES_USED, pde: 0x80_00e5n },
    },
  ),
  once(
    "SS: keys hold for it too",
    { pte: KEY_1 | 0x5045n },
    {
      ...userShadowWrite,
      pke: true,
      pkru: WRITE_DISABLE,
      ...denied(0x67),
    },
  ),
];

const PAT = 0x0001_0405_0607_0100n;
export const MEMORY_TYPE_CASES: readonly HandCase[] = [
  once(
    "PAT: bit 7 of a PTE, PCD and PWT",
    { pte: 0x509fn },
    {
      ...userRead,
      pat: PAT,
      gives: { physical: 0x5000n, patIndex: 7, memoryType: "UC" },
      after: { ...UPPER_USED, pte: 0x50bfn },
    },
  ),
  once(
    "PAT: bit 12 of a 1G page",
    { pdpte: 0x4000_1087n },
    {
      ...userRead,
      pat: PAT,
      gives: { physical: 0x5678_9000n, patIndex: 4, memoryType: "WP" },
      after: { pml4e: 0x2027n, pdpte: 0x4000_10a7n },
    },
  ),
  once(
    "PAT: bit 7 of a PDE is PS, not PAT",
    { pde: 0x80_008fn },
    {
      ...userRead,
      pat: PAT,
      gives: { physical: 0x98_9000n, patIndex: 1, memoryType: "WC" },
      after: { ...DIRECTORIES_USED, pde: 0x80_00afn },
    },
  ),
  once(
    "PAT: upper entries do not count",
    { pde: 0x401fn },
    {
      ...userRead,
      gives: { physical: 0x5000n, patIndex: 0, memoryType: "WB" },
      after: { ...UPPER_USED, pde: 0x403fn, pte: 0x5027n },
    },
  ),
  once(
    "PAT: after reset, PCD alone is UC-",
    { pte: 0x5017n },
    {
      ...userRead,
      gives: { physical: 0x5000n, patIndex: 2, memoryType: "UC-" },
      after: { ...UPPER_USED, pte: 0x5037n },
    },
  ),
];
