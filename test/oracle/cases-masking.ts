/** Cases worked out by hand: linear-address masking. */
import {
  kernelRead,
  once,
  physical,
  UPPER_USED,
  userFetch,
  userRead,
  userWrite,
} from "./case-parts.ts";
import { ADDRESS, type HandCase } from "./hand-case.ts";

const READ = { ...physical(0x5000n), after: { ...UPPER_USED, pte: 0x5027n } };
const READ_5_LEVEL = {
  ...physical(0x5000n),
  after: { ...UPPER_USED, pml5e: 0x1027n, pte: 0x5027n },
};
const NON_CANONICAL = 0x0000_8000_0000_0000n;
const TOP = 1n << 63n;
const METADATA_48 = 0x7abcn << 48n;
const METADATA_57 = 0x3fn << 57n;

export const MASKING_CASES: readonly HandCase[] = [
  once("LAM: off", {}, { ...userRead, address: METADATA_48 | ADDRESS, gives: "#GP(0)" }),
  once(
    "LAM48: a user pointer",
    {},
    {
      ...userRead,
      lamU48: true,
      address: METADATA_48 | ADDRESS,
      ...READ,
    },
  ),
  once(
    "LAM48: whatever CPL is",
    {},
    {
      ...kernelRead,
      lamU48: true,
      address: METADATA_48 | ADDRESS,
      ...READ,
    },
  ),
  once(
    "LAM48: not for a fetch",
    {},
    {
      ...userFetch,
      lamU48: true,
      address: METADATA_48 | ADDRESS,
      gives: "#GP(0)",
    },
  ),
  once(
    "LAM48: for the processor's own access too",
    {},
    {
      ...userRead,
      manner: "implicit",
      lamU48: true,
      address: METADATA_48 | ADDRESS,
      ...READ,
    },
  ),
  once(
    "LAM48: bit 47 must be bit 63",
    {},
    {
      ...userRead,
      lamU48: true,
      address: METADATA_48 | NON_CANONICAL,
      gives: "#GP(0)",
    },
  ),
  once(
    "LAM48: bit 47 must be bit 63, through SS",
    {},
    {
      ...userRead,
      manner: "stack",
      lamU48: true,
      address: METADATA_48 | NON_CANONICAL,
      gives: "#SS(0)",
    },
  ),
  once(
    "LAM48: with five levels, bit 47 must still be bit 63",
    {},
    {
      ...userRead,
      la57: true,
      lamU48: true,
      address: NON_CANONICAL,
      gives: "#GP(0)",
    },
  ),
  once(
    "LAM48: CR2 has the address without metadata",
    { pte: 0n },
    {
      ...userWrite,
      lamU48: true,
      address: METADATA_48 | ADDRESS,
      gives: { pageFault: 0x6, cr2: ADDRESS },
      after: UPPER_USED,
    },
  ),
  once(
    "LAM57: bits 62:57",
    {},
    {
      ...userRead,
      lamU57: true,
      address: METADATA_57 | ADDRESS,
      ...READ,
    },
  ),
  once(
    "LAM57: with four levels, bits 56:47 are still checked",
    {},
    {
      ...userRead,
      lamU57: true,
      address: METADATA_48 | ADDRESS,
      gives: "#GP(0)",
    },
  ),
  once(
    "LAM57: comes before LAM48",
    {},
    {
      ...userRead,
      lamU48: true,
      lamU57: true,
      address: METADATA_48 | ADDRESS,
      gives: "#GP(0)",
    },
  ),
  once(
    "LAM57: with five levels",
    {},
    {
      ...userRead,
      la57: true,
      lamU57: true,
      address: METADATA_57 | ADDRESS,
      ...READ_5_LEVEL,
    },
  ),
  once(
    "LAM57: with five levels, bit 56 must be bit 63",
    {},
    {
      ...userRead,
      la57: true,
      lamU57: true,
      address: METADATA_57 | (1n << 56n) | ADDRESS,
      gives: "#GP(0)",
    },
  ),
  once(
    "LAM_SUP: does not mask a user pointer",
    {},
    {
      ...kernelRead,
      lamSup: true,
      address: METADATA_48 | ADDRESS,
      gives: "#GP(0)",
    },
  ),
  once(
    "LAM_SUP: a supervisor pointer, four levels",
    {},
    {
      ...kernelRead,
      lamSup: true,
      address: TOP | (0x1234n << 48n) | 0x8000_0000_0000n,
      gives: { pageFault: 0x0, cr2: 0xffff_8000_0000_0000n },
    },
  ),
  once(
    "LAM_SUP: bit 47 must be bit 63",
    {},
    {
      ...kernelRead,
      lamSup: true,
      address: TOP | ADDRESS,
      gives: "#GP(0)",
    },
  ),
  once(
    "LAM_SUP: whatever CPL is",
    {},
    {
      ...userRead,
      lamSup: true,
      address: TOP | 0x8000_0000_0000n,
      gives: { pageFault: 0x4, cr2: 0xffff_8000_0000_0000n },
    },
  ),
  once(
    "LAM_SUP: a supervisor pointer, five levels",
    {},
    {
      ...kernelRead,
      la57: true,
      lamSup: true,
      address: TOP | (0x15n << 57n) | (1n << 56n),
      gives: { pageFault: 0x0, cr2: 0xff00_0000_0000_0000n },
    },
  ),
  once(
    "LAM_U48 does not mask a supervisor pointer",
    {},
    {
      ...kernelRead,
      lamU48: true,
      address: TOP | 0x8000_0000_0000n,
      gives: "#GP(0)",
    },
  ),
];
