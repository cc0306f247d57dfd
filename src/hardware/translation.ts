/** What the tables say of an address, read from a translation of wasm. */
import {
  ENTRY_D,
  ENTRY_G,
  ENTRY_PCD,
  ENTRY_PWT,
  PAT_OF_4K,
  PAT_OF_LARGE,
  RIGHTS_U,
  RIGHTS_W,
  RIGHTS_X,
  TRANSLATION_KEY,
  TRANSLATION_LEVEL,
  TRANSLATION_S,
} from "../../assembly/layout.ts";
import { type LeafLevel, pageBytesOf } from "../address.ts";

/** What the tables say of an address. */
export interface Translation {
  readonly physicalAddress: number;
  readonly level: LeafLevel;
  readonly pageBytes: number;
  /** Rights of all levels combined. */
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
  readonly dirty: boolean;
  /** The leaf's G. */
  readonly global: boolean;
  /** Only the shadow stack may access it (SDM Vol. 3A §4.6.1). */
  readonly shadowStack: boolean;
  /** Bits 62:59 of the leaf. */
  readonly protectionKey: number;
  /** PAT, PCD and PWT of the leaf: the entry of IA32_PAT that is used. */
  readonly patIndex: number;
  /** What IA32_PAT says; memory-type range registers are not modelled. */
  readonly memoryType: MemoryType;
}

export type MemoryType = "UC" | "WC" | "WT" | "WP" | "WB" | "UC-" | "reserved";

/** By the encoding of SDM Vol. 3A §11.12.2. */
const MEMORY_TYPES: readonly MemoryType[] = [
  "UC",
  "WC",
  "reserved",
  "reserved",
  "WT",
  "WP",
  "WB",
  "UC-",
];

/** `translation` is in the form of the layout; `pat` is IA32_PAT. */
export function decodeTranslation(
  physicalAddress: number,
  translation: bigint,
  pat: bigint,
): Translation {
  const has = (index: number): boolean => ((translation >> BigInt(index)) & 1n) === 1n;
  const level = Number((translation >> BigInt(TRANSLATION_LEVEL)) & 7n) as LeafLevel;
  const rights = Number(translation & 7n);
  const isPat = has(level === 1 ? PAT_OF_4K : PAT_OF_LARGE);
  const patIndex = (isPat ? 4 : 0) + (has(ENTRY_PCD) ? 2 : 0) + (has(ENTRY_PWT) ? 1 : 0);
  return {
    physicalAddress,
    level,
    pageBytes: pageBytesOf(level),
    writable: (rights & RIGHTS_W) !== 0,
    user: (rights & RIGHTS_U) !== 0,
    executable: (rights & RIGHTS_X) !== 0,
    shadowStack: has(TRANSLATION_S),
    global: has(ENTRY_G),
    dirty: has(ENTRY_D),
    protectionKey: Number((translation >> BigInt(TRANSLATION_KEY)) & 15n),
    patIndex,
    memoryType: MEMORY_TYPES[Number((pat >> BigInt(8 * patIndex)) & 7n)],
  };
}
