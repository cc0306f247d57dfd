/** Cases worked out by hand: protection keys of user and supervisor pages. */
import {
  DIRECTORIES_USED,
  kernelFetch,
  kernelRead,
  kernelWrite,
  once,
  pageFault,
  physical,
  UPPER_USED,
  userFetch,
  userRead,
  userWrite,
  read,
  written,
  denied,
  KEY_1,
  ACCESS_DISABLE,
  WRITE_DISABLE,
} from "./case-parts.ts";
import type { HandCase } from "./hand-case.ts";

export const KEY_CASES: readonly HandCase[] = [
  // 2. Keys use the effective U bit, the leaf's included.
  once(
    "2: a supervisor page is none of PKRU's business, supervisor",
    { pte: KEY_1 | 0x5003n },
    { ...kernelRead, pke: true, pkru: ACCESS_DISABLE, ...read(KEY_1 | 0x5003n) },
  ),
  once(
    "2: a supervisor page is none of PKRU's business, user",
    { pte: KEY_1 | 0x5003n },
    { ...userRead, pke: true, pkru: ACCESS_DISABLE, ...denied(0x5) },
  ),
  once(
    "2: U/S clear above makes it a supervisor page too",
    { pdpte: 0x3003n, pte: KEY_1 | 0x5007n },
    {
      ...kernelRead,
      pke: true,
      pkru: ACCESS_DISABLE,
      ...physical(0x5000n),
      after: { ...UPPER_USED, pdpte: 0x3023n, pte: KEY_1 | 0x5027n },
    },
  ),
  once(
    "2: the key of an entry that maps no page is ignored",
    { pml4e: KEY_1 | 0x2007n, pdpte: KEY_1 | 0x3007n, pde: KEY_1 | 0x4007n },
    {
      ...userRead,
      pke: true,
      pkru: ACCESS_DISABLE,
      ...physical(0x5000n),
      after: {
        pml4e: KEY_1 | 0x2027n,
        pdpte: KEY_1 | 0x3027n,
        pde: KEY_1 | 0x4027n,
        pte: 0x5027n,
      },
    },
  ),
  ...(
    [
      ["AD, user read", userRead, ACCESS_DISABLE, 0x25],
      ["AD, user write", userWrite, ACCESS_DISABLE, 0x27],
      ["AD, supervisor read", kernelRead, ACCESS_DISABLE, 0x21],
      ["WD, user write", userWrite, WRITE_DISABLE, 0x27],
      ["WD, supervisor write, WP = 1", kernelWrite, WRITE_DISABLE, 0x23],
    ] as const
  ).map(([name, access, pkru, code]) =>
    once(`PKU: ${name}`, { pte: KEY_1 | 0x5007n }, { ...access, pke: true, pkru, ...denied(code) }),
  ),
  once(
    "PKU: WD, supervisor write, WP = 0",
    { pte: KEY_1 | 0x5007n },
    { ...kernelWrite, wp: false, pke: true, pkru: WRITE_DISABLE, ...written(KEY_1 | 0x5007n) },
  ),
  once(
    "PKU: WD, user write, WP = 0",
    { pte: KEY_1 | 0x5007n },
    { ...userWrite, wp: false, pke: true, pkru: WRITE_DISABLE, ...denied(0x27) },
  ),
  once(
    "PKU: AD, supervisor read, WP = 0",
    { pte: KEY_1 | 0x5007n },
    { ...kernelRead, wp: false, pke: true, pkru: ACCESS_DISABLE, ...denied(0x21) },
  ),
  once(
    "PKU: WD, user read",
    { pte: KEY_1 | 0x5007n },
    { ...userRead, pke: true, pkru: WRITE_DISABLE, ...read(KEY_1 | 0x5007n) },
  ),
  once(
    "PKU: AD, user fetch",
    { pte: KEY_1 | 0x5007n },
    { ...userFetch, pke: true, pkru: ACCESS_DISABLE, ...read(KEY_1 | 0x5007n) },
  ),
  once(
    "PKU: CR4.PKE = 0",
    { pte: KEY_1 | 0x5007n },
    { ...userRead, pkru: 0xffff_ffff, ...read(KEY_1 | 0x5007n) },
  ),
  once(
    "PKU: the key of a 2M page",
    { pde: KEY_1 | 0x80_0087n },
    {
      ...userRead,
      pke: true,
      pkru: ACCESS_DISABLE,
      ...pageFault(0x25),
      after: DIRECTORIES_USED,
    },
  ),
  once(
    "PKU: key 15",
    { pte: (15n << 59n) | 0x5007n },
    { ...userRead, pke: true, pkru: 0x4000_0000, ...denied(0x25) },
  ),
  once(
    "PK is told beside another violation",
    { pte: KEY_1 | 0x5005n },
    { ...userWrite, pke: true, pkru: WRITE_DISABLE, ...denied(0x27) },
  ),
  once(
    "PK is not told without a translation",
    { pte: KEY_1 | 0x5006n },
    { ...userRead, pke: true, pkru: ACCESS_DISABLE, ...denied(0x4) },
  ),
  once(
    "PKS: AD, supervisor read",
    { pte: KEY_1 | 0x5003n },
    { ...kernelRead, pks: true, pkrs: ACCESS_DISABLE, ...denied(0x21) },
  ),
  once(
    "PKS: WD, supervisor write, WP = 1",
    { pte: KEY_1 | 0x5003n },
    { ...kernelWrite, pks: true, pkrs: WRITE_DISABLE, ...denied(0x23) },
  ),
  once(
    "PKS: WD, supervisor write, WP = 0",
    { pte: KEY_1 | 0x5003n },
    { ...kernelWrite, wp: false, pks: true, pkrs: WRITE_DISABLE, ...written(KEY_1 | 0x5003n) },
  ),
  once(
    "PKS: a user page is none of IA32_PKRS's business",
    { pte: KEY_1 | 0x5007n },
    { ...kernelRead, pks: true, pkrs: ACCESS_DISABLE, ...read(KEY_1 | 0x5007n) },
  ),
  once(
    "PKS: AD, supervisor fetch",
    { pte: KEY_1 | 0x5003n },
    { ...kernelFetch, pks: true, pkrs: ACCESS_DISABLE, ...read(KEY_1 | 0x5003n) },
  ),
  once(
    "PKS: PK is told to a user access of a supervisor page, whose key is IA32_PKRS's",
    { pte: KEY_1 | 0x5003n },
    { ...userRead, pks: true, pkrs: ACCESS_DISABLE, ...denied(0x25) },
  ),
  once(
    "PKS: the same of a write, WP = 0",
    { pte: KEY_1 | 0x5003n },
    { ...userWrite, wp: false, pks: true, pkrs: WRITE_DISABLE, ...denied(0x27) },
  ),
];
