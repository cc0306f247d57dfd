/**
 * Cases worked out by hand: SMEP, SMAP, implicit accesses, and the accessed flag of a page denied.
 */
import {
  kernelFetch,
  kernelRead,
  kernelWrite,
  NX,
  once,
  pageFault,
  UPPER_USED,
  userFetch,
  userRead,
  userWrite,
  read,
  written,
  denied,
} from "./case-parts.ts";
import type { HandCase } from "./hand-case.ts";

export const RIGHTS_CASES: readonly HandCase[] = [
  // 7. SMAP.
  once(
    "7: implicit, CPL 3, AC = 1",
    {},
    {
      ...userRead,
      manner: "implicit",
      smap: true,
      ac: true,
      ...denied(0x1),
    },
  ),
  once(
    "7: implicit, CPL 0, AC = 1",
    {},
    {
      ...kernelWrite,
      manner: "implicit",
      smap: true,
      ac: true,
      ...denied(0x3),
    },
  ),
  once("7: explicit, AC = 1", {}, { ...kernelRead, smap: true, ac: true, ...read(0x5007n) }),
  once("7: explicit, AC = 0", {}, { ...kernelRead, smap: true, ...denied(0x1) }),
  once(
    "7: explicit, AC = 0, write, WP = 0",
    {},
    {
      ...kernelWrite,
      smap: true,
      wp: false,
      ...denied(0x3),
    },
  ),
  once(
    "7: through SS, AC = 1",
    {},
    {
      ...kernelWrite,
      manner: "stack",
      smap: true,
      ac: true,
      ...written(0x5007n),
    },
  ),
  once("7: SMAP does not concern a fetch", {}, { ...kernelFetch, smap: true, ...read(0x5007n) }),
  once(
    "7: SMAP does not concern a supervisor page",
    { pte: 0x5003n },
    {
      ...kernelRead,
      smap: true,
      ...read(0x5003n),
    },
  ),
  once(
    "implicit, CPL 3: a supervisor page",
    { pte: 0x5003n },
    {
      ...userRead,
      manner: "implicit",
      ...read(0x5003n),
    },
  ),
  once(
    "implicit, CPL 3: absent, U = 0",
    { pte: 0n },
    {
      ...userRead,
      manner: "implicit",
      ...denied(0x0),
    },
  ),
  once(
    "implicit, CPL 3: read-only, WP = 0",
    { pte: 0x5001n },
    {
      ...userWrite,
      manner: "implicit",
      wp: false,
      ...written(0x5001n),
    },
  ),
  // 8. The I/D flag with SMEP.
  once(
    "8: PTE 0, fetch, NXE = 0, SMEP = 1",
    { pte: 0n },
    {
      ...kernelFetch,
      nxe: false,
      smep: true,
      ...denied(0x10),
    },
  ),
  once("8: SMEP violation", {}, { ...kernelFetch, nxe: false, smep: true, ...denied(0x11) }),
  once(
    "8: SMEP, supervisor page",
    { pte: 0x5003n },
    { ...kernelFetch, smep: true, ...read(0x5003n) },
  ),
  once("8: SMEP, user fetch", {}, { ...userFetch, smep: true, ...read(0x5007n) }),
  once(
    "8: bit 63 with NXE = 0, SMEP = 1, user fetch",
    { pte: NX | 0x5007n },
    {
      ...userFetch,
      nxe: false,
      smep: true,
      ...denied(0x1d),
    },
  ),
];

export const LEAF_ACCESSED_CASES: readonly HandCase[] = [
  // 5. The model-specific choice, made the other way.
  once(
    "5: a processor that sets the leaf's A on a protection fault",
    { pte: 0x5001n },
    {
      ...userWrite,
      leafAccessedOnFault: true,
      ...pageFault(0x7),
      after: { ...UPPER_USED, pte: 0x5021n },
    },
  ),
  once(
    "5: the same processor, nothing mapped",
    { pte: 0x5000n },
    {
      ...userWrite,
      leafAccessedOnFault: true,
      ...denied(0x6),
    },
  ),
];
