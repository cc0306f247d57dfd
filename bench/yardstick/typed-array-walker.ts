/**
 * A yardstick for assembly/walk.ts: the same page walk in plain TypeScript. RAM is one Int32Array,
 * sparse by the same directory of 2M sections; entries and addresses are pairs of 32-bit halves,
 * since a BigInt an entry would cost ten times the walk.
 */
import { type LeafLevel, pageBytesOf } from "../../src/address.ts";

const P = 1;
const W = 2;
const U = 4;
const A = 0x20;
const D = 0x40;
const PS = 0x80;
const ADDRESS_LOW = ~0xfff;
const ADDRESS_HIGH = 0x000f_ffff;
const ERROR_P = 1;
const ERROR_W = 2;
const ERROR_U = 4;
const ERROR_RSVD = 8;
const PML4 = 4;
const SECTION_WORDS = 2 ** 19;
const MAX_PHYSICAL_BITS = 46;
const ROOT = 0x1000;

/** Why a walk failed, as `Cpu.fault` has it. */
export interface WalkerFault {
  addressLow: number;
  addressHigh: number;
  errorCode: number;
  level: number;
}

export class TypedArrayWalker {
  readonly fault: WalkerFault = { addressLow: 0, addressHigh: 0, errorCode: 0, level: 0 };
  /** Section 0 is the shared section of zeros, section 1 holds the tables. */
  readonly #words = new Int32Array(2 * SECTION_WORDS);
  /** By section of RAM: where its words start. */
  readonly #directory: Int32Array;
  /** Low and high half of the reserved bits, by 4 × level + 2 × PS. */
  readonly #reserved = new Int32Array(4 * (PML4 + 1));
  /** One bit for each of the eight rights, by access / 2. */
  readonly #denied = new Uint8Array(32);
  #nextTable = ROOT + 0x1000;

  constructor(ramBytes: number) {
    this.#directory = new Int32Array(ramBytes / (SECTION_WORDS * 4));
    this.#directory[0] = SECTION_WORDS;
    for (let level = 1; level <= PML4; level++) {
      for (let ps = 0; ps < 2; ps++) {
        const isLarge = ps === 1 && (level === 2 || level === 3);
        const low = isLarge ? (pageBytesOf(level as LeafLevel) - 1) & ~0x1fff : 0;
        this.#reserved[4 * level + 2 * ps] = ps === 1 && level === PML4 ? PS : low;
        this.#reserved[4 * level + 2 * ps + 1] = ADDRESS_HIGH & -(2 ** (MAX_PHYSICAL_BITS - 32));
      }
    }
    for (let i = 0; i < 32; i++) {
      for (let rights = 0; rights < 8; rights++) {
        const access = i << 1;
        const isDenied =
          ((access & ERROR_U) !== 0 && !(rights & 2)) ||
          ((access & ERROR_W) !== 0 && !(rights & 1)) ||
          ((access & 16) !== 0 && !(rights & 4));
        if (isDenied) this.#denied[i] |= 1 << rights;
      }
    }
  }

  /** Maps the page at `address`. Addresses are below 2^47. */
  map(address: number, physical: number, level: LeafLevel): void {
    let table = ROOT;
    for (let at = PML4; at > level; at--) {
      const word = this.#wordOf(table, address, at);
      if (!(this.#words[word] & P)) {
        this.#words[word] = this.#nextTable | P | W | U;
        this.#nextTable += 0x1000;
      }
      table = this.#words[word] & ADDRESS_LOW;
    }
    const word = this.#wordOf(table, address, level);
    this.#words[word] = (physical % 2 ** 32) | P | W | U | (level > 1 ? PS : 0);
    this.#words[word + 1] = physical / 2 ** 32;
  }

  #wordOf(table: number, address: number, level: number): number {
    const index = Math.floor(address / 2 ** (12 + 9 * (level - 1))) & 0x1ff;
    return SECTION_WORDS + table / 4 + index * 2;
  }

  /**
   * Translates pairs (low, high) for user reads; returns how many were done: fewer after a fault.
   * Precondition: the addresses are canonical and below 2^47.
   */
  walkBatch(from: Int32Array, to: Int32Array, count: number): number {
    const words = this.#words;
    const directory = this.#directory;
    const reserved = this.#reserved;
    const access = ERROR_U;
    // One comparison tells an entry that names a table, but for A.
    const mask = P | PS | reserved[4 * PML4];
    const maskHigh = reserved[4 * PML4 + 1];
    for (let i = 0; i < count; i++) {
      const low = from[2 * i];
      const high = from[2 * i + 1];
      let entry = ROOT;
      let entryHigh = 0;
      let rights = W | U;
      let forbidden = 0;
      let level = PML4;
      let word = 0;
      for (; ; level--) {
        const index =
          level === 4
            ? high >>> 7
            : level === 3
              ? (high << 2) | (low >>> 30)
              : low >>> (3 + 9 * level);
        const section = ((entryHigh & ADDRESS_HIGH) << 11) | (entry >>> 21);
        if (section >= directory.length) return this.#fail(i, low, high, level, access);
        word = directory[section] + (((entry & ADDRESS_LOW) >>> 2) & (SECTION_WORDS - 1));
        word += (index & 0x1ff) << 1;
        entry = words[word];
        entryHigh = words[word + 1];
        if (level === 1 || (entry & mask) !== P || (entryHigh & maskHigh) !== 0) break;
        if (!(entry & A)) words[word] = entry | A;
        rights &= entry;
        forbidden |= entryHigh;
      }
      if (!(entry & P)) return this.#fail(i, low, high, level, access);
      const at = 4 * level + (level === 1 ? 0 : (entry & PS) >> 6);
      if ((entry & reserved[at]) !== 0 || (entryHigh & reserved[at + 1]) !== 0) {
        return this.#fail(i, low, high, level, access | ERROR_P | ERROR_RSVD);
      }
      rights = (((rights & entry) >> 1) & 3) | ((~(forbidden | entryHigh) >>> 31) << 2);
      if ((this.#denied[access >> 1] >> rights) & 1) {
        return this.#fail(i, low, high, level, access | ERROR_P);
      }
      const used = entry | A | (access & ERROR_W ? D : 0);
      if (used !== entry) words[word] = used;
      const offset = level === 1 ? 0xfff : level === 2 ? 0x1f_ffff : 0x3fff_ffff;
      to[2 * i] = (entry & ~offset) | (low & offset);
      to[2 * i + 1] = entryHigh & ADDRESS_HIGH;
    }
    return count;
  }

  #fail(done: number, low: number, high: number, level: number, errorCode: number): number {
    this.fault.addressLow = low;
    this.fault.addressHigh = high;
    this.fault.level = level;
    this.fault.errorCode = errorCode;
    return done;
  }
}
