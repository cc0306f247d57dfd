/** Pieces that cases worked out by hand are made of. */
import type { HandCase, NamedEntries, Step } from "./hand-case.ts";

/** The upper entries after a walk that used them. */
export const UPPER_USED = { pml4e: 0x2027n, pdpte: 0x3027n, pde: 0x4027n };
export const DIRECTORIES_USED = { pml4e: 0x2027n, pdpte: 0x3027n };
export const NX = 1n << 63n;

export const userRead = { by: "user", access: "read" } as const;
export const userWrite = { by: "user", access: "write" } as const;
export const userFetch = { by: "user", access: "fetch" } as const;
export const kernelRead = { by: "supervisor", access: "read" } as const;
export const kernelWrite = { by: "supervisor", access: "write" } as const;
export const kernelFetch = { by: "supervisor", access: "fetch" } as const;

export const pageFault = (errorCode: number) => ({ gives: { pageFault: errorCode } });
export const physical = (address: bigint) => ({ gives: { physical: address } });

/** A case of one access. */
export const once = (name: string, entries: NamedEntries, step: Step): HandCase => ({
  name,
  entries,
  steps: [step],
});

/** A 4K page read or written, every entry with it; or denied, with the upper entries used. */
export const read = (pte: bigint) => ({
  ...physical(0x5000n),
  after: { ...UPPER_USED, pte: pte | 0x20n },
});
export const written = (pte: bigint) => ({
  ...physical(0x5000n),
  after: { ...UPPER_USED, pte: pte | 0x60n },
});
export const denied = (errorCode: number) => ({ ...pageFault(errorCode), after: UPPER_USED });

/** Bits 62:59 of an entry: key 1; and key 1's AD and WD in PKRU and IA32_PKRS. */
export const KEY_1 = 1n << 59n;
export const ACCESS_DISABLE = 0b01 << 2;
export const WRITE_DISABLE = 0b10 << 2;
