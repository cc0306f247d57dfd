/**
 * A CPU: registers, accesses by virtual address, batches, and what software does to its cached
 * translations. Accesses are made with the CPU's privilege (`cpl`) and address space (`cr3`).
 *
 * Addresses are numbers (user addresses; negative: the canonical upper half) or bigints. Faults are
 * data: nothing here throws because of what a guest does.
 */
import {
  CPU_CPL,
  CPU_CR0,
  CPU_CR3,
  CPU_CR4,
  CPU_EFER,
  CPU_ERROR_CODE,
  CPU_FAULT_ADDRESS,
  CPU_FAULT_ENTRY,
  CPU_FAULT_ENTRY_ADDRESS,
  CPU_FAULT_LEVEL,
  CPU_FAULT_REASON,
  CPU_HAS_1G,
  CPU_HAS_LOOKASIDE,
  CPU_L1_HITS,
  CPU_L2_HITS,
  CPU_LEAF_A_ON_FAULT,
  CPU_MAXPHYADDR,
  CPU_VECTOR,
  CPU_WALKS,
  CR0_PE,
  CR0_PG,
  CR4_PAE,
  CR4_PCIDE,
  CR4_PGE,
  EFER_LMA,
  EFER_LME,
  KIND_FETCH,
  KIND_READ,
  KIND_WRITE,
  REFERENCE_KIND_SHIFT,
  REFERENCE_ADDRESS_BITS,
  REFERENCE_SIZE_SHIFT,
  RIGHTS_U,
  RIGHTS_W,
  RIGHTS_X,
} from "../../assembly/layout.ts";
import { type LeafLevel, pageBytesOf } from "../address.ts";
import { type Core, EXCHANGE_WORDS, needsBacking } from "../core.ts";
import { OptionError } from "../errors.ts";
import type { Fault, FaultReason } from "../fault.ts";
import { checkSize } from "./ram.ts";

export type AccessKind = "read" | "write" | "fetch";

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
}

/** What differs between processors and can be set while running. */
export interface CpuFeatures {
  /** MAXPHYADDR, 36 to 52 (CPUID 80000008H). */
  readonly maxPhysicalAddressBits: number;
  /** Whether a PDPT entry can map 1G (CPUID 80000001H:EDX.Page1GB). */
  readonly pages1G: boolean;
  /** Whether a protection fault sets the leaf's accessed flag (SDM Vol. 3A §4.8 allows either). */
  readonly leafAccessedOnFault: boolean;
}

/** How often translations were found where; lookaside hits count nowhere. */
export interface TranslationCounts {
  readonly l1Hits: number;
  readonly l2Hits: number;
  readonly walks: number;
}

const KINDS = { read: KIND_READ, write: KIND_WRITE, fetch: KIND_FETCH } as const;
const REASONS: readonly FaultReason[] = [
  "not present",
  "not present",
  "reserved bit",
  "denied",
  "non-canonical",
];

/** CR4 bits whose meaning is not modelled: setting one is refused. */
const CR4_NOT_MODELLED = [
  [12, "LA57"],
  [20, "SMEP"],
  [21, "SMAP"],
  [22, "PKE"],
  [23, "CET"],
  [24, "PKS"],
  [28, "LAM_SUP"],
] as const;

export class Cpu {
  /** Counts from 0. */
  readonly index: number;
  readonly #core: Core;
  readonly #at: number;

  constructor(core: Core, index: number) {
    this.#core = core;
    this.index = index;
    this.#at = core.exports.cpuAddress(index) >>> 0;
  }

  // ---- Registers

  get cr0(): bigint {
    return this.#core.view.getBigUint64(this.#at + CPU_CR0, true);
  }
  /** Throws OptionError unless PE and PG are set: other modes are not modelled. */
  set cr0(value: bigint) {
    requireBits("cr0", value, [CR0_PE, CR0_PG]);
    this.#setRegister(CPU_CR0, value, false);
  }

  get cr3(): bigint {
    return this.#core.view.getBigUint64(this.#at + CPU_CR3, true);
  }
  /** MOV to CR3: with CR4.PCIDE, bit 63 keeps what is cached for the PCID in bits 11:0. */
  set cr3(value: bigint) {
    this.#core.exports.writeCr3(this.#at, BigInt.asIntN(64, value));
  }

  get cr4(): bigint {
    return this.#core.view.getBigUint64(this.#at + CPU_CR4, true);
  }
  /** Throws OptionError unless PAE is set, and for features that are not modelled. */
  set cr4(value: bigint) {
    requireBits("cr4", value, [CR4_PAE]);
    for (const [bit, name] of CR4_NOT_MODELLED) {
      if ((value >> BigInt(bit)) & 1n) throw new OptionError("cr4", `${name} is not modelled`);
    }
    // SDM Vol. 3A §4.10.4.1: a change of PGE, and PCIDE from 1 to 0, drop everything.
    const changed = this.cr4 ^ value;
    const dropsAll =
      (changed >> BigInt(CR4_PGE)) & 1n || ((changed & ~value) >> BigInt(CR4_PCIDE)) & 1n;
    this.#setRegister(CPU_CR4, value, Boolean(dropsAll));
  }

  get efer(): bigint {
    return this.#core.view.getBigUint64(this.#at + CPU_EFER, true);
  }
  /** Throws OptionError unless LME and LMA are set: other modes are not modelled. */
  set efer(value: bigint) {
    requireBits("efer", value, [EFER_LME, EFER_LMA]);
    this.#setRegister(CPU_EFER, value, false);
  }

  /** Current privilege level: 0 supervisor, 3 user. */
  get cpl(): 0 | 3 {
    return this.#core.view.getUint32(this.#at + CPU_CPL, true) === 3 ? 3 : 0;
  }
  set cpl(value: 0 | 3) {
    this.#core.exports.setPrivilege(this.#at, value === 3 ? 3 : 0);
  }

  get features(): CpuFeatures {
    const { view } = this.#core;
    return {
      maxPhysicalAddressBits: view.getUint32(this.#at + CPU_MAXPHYADDR, true),
      pages1G: view.getUint32(this.#at + CPU_HAS_1G, true) !== 0,
      leafAccessedOnFault: view.getUint32(this.#at + CPU_LEAF_A_ON_FAULT, true) !== 0,
    };
  }

  /** Changes features; drops all cached translations. */
  setFeatures(features: Partial<CpuFeatures>): void {
    const { maxPhysicalAddressBits: bits, pages1G, leafAccessedOnFault } = features;
    if (bits !== undefined && (!Number.isInteger(bits) || bits < 36 || bits > 52)) {
      throw new OptionError("maxPhysicalAddressBits", `must be 36 to 52, not ${bits}`);
    }
    const set = (offset: number, value: number | boolean | undefined): void => {
      if (value !== undefined) this.#core.view.setUint32(this.#at + offset, Number(value), true);
    };
    set(CPU_MAXPHYADDR, bits);
    set(CPU_HAS_1G, pages1G);
    set(CPU_LEAF_A_ON_FAULT, leafAccessedOnFault);
    this.#core.exports.registersChanged(this.#at, 1);
  }

  #setRegister(offset: number, value: bigint, dropsTlb: boolean): void {
    this.#core.view.setBigUint64(this.#at + offset, BigInt.asUintN(64, value), true);
    this.#core.exports.registersChanged(this.#at, dropsTlb ? 1 : 0);
  }

  // ---- Single accesses

  /**
   * Makes an access without moving data: translation, accessed and dirty flags, TLB. Returns the
   * physical address of its first byte, or −1: then `fault` says why.
   */
  access(address: number | bigint, kind: AccessKind, nrBytes = 1): number {
    const code = kind === "read" ? KIND_READ : kind === "write" ? KIND_WRITE : KIND_FETCH;
    if (nrBytes !== 1) checkSize(nrBytes);
    return typeof address === "number"
      ? this.#core.exports.access(this.#at, address, nrBytes, code)
      : Number(this.#core.exports.access64(this.#at, BigInt.asIntN(64, address), nrBytes, code));
  }

  /** Why the last access faulted. Only defined after one did. */
  get fault(): Fault {
    const { view } = this.#core;
    const u32 = (offset: number): number => view.getUint32(this.#at + offset, true);
    const u64 = (offset: number): bigint => view.getBigUint64(this.#at + offset, true);
    return {
      vector: u32(CPU_VECTOR) === 13 ? 13 : 14,
      errorCode: u32(CPU_ERROR_CODE),
      address: u64(CPU_FAULT_ADDRESS),
      level: u32(CPU_FAULT_LEVEL),
      entryAddress: Number(u64(CPU_FAULT_ENTRY_ADDRESS)),
      entry: u64(CPU_FAULT_ENTRY),
      reason: REASONS[u32(CPU_FAULT_REASON)],
    };
  }

  /** Loads `nrBytes` (1 to 8), little-endian, unsigned; at any alignment. */
  load(address: number | bigint, nrBytes: number): bigint | Fault {
    checkSize(nrBytes);
    const { exports } = this.#core;
    const value =
      typeof address === "number"
        ? exports.load(this.#at, address, nrBytes)
        : exports.load64(this.#at, BigInt.asIntN(64, address), nrBytes);
    return this.#hasFaulted() ? this.fault : BigInt.asUintN(64, value);
  }

  /** Stores the low `nrBytes` (1 to 8) of `value`, all of them or, on a fault, none. */
  store(address: number | bigint, nrBytes: number, value: bigint): Fault | undefined {
    checkSize(nrBytes);
    const { exports } = this.#core;
    const word = BigInt.asIntN(64, value);
    needsBacking(
      typeof address === "number"
        ? exports.store(this.#at, address, nrBytes, word)
        : exports.store64(this.#at, BigInt.asIntN(64, address), nrBytes, word),
    );
    return this.#hasFaulted() ? this.fault : undefined;
  }

  /**
   * What the tables say of an access, without side effects: no flag is set, no TLB asked or filled.
   */
  probe(address: number | bigint, kind: AccessKind): Translation | Fault {
    const { exports } = this.#core;
    const va = BigInt.asIntN(64, BigInt(address));
    const physicalAddress = exports.probe64(this.#at, va, KINDS[kind]);
    if (physicalAddress < 0) return this.fault;
    const flags = exports.probedFlags();
    const level = ((flags >> 4) & 7) as LeafLevel;
    return {
      physicalAddress,
      level,
      pageBytes: pageBytesOf(level),
      writable: (flags & RIGHTS_W) !== 0,
      user: (flags & RIGHTS_U) !== 0,
      executable: (flags & RIGHTS_X) !== 0,
      dirty: (flags & 8) !== 0,
    };
  }

  #hasFaulted(): boolean {
    return this.#core.view.getUint32(this.#at + CPU_VECTOR, true) !== 0;
  }

  // ---- Batches

  /**
   * Makes the references (see `encodeReference`) from index `start` on. Returns the index after
   * the last that was done: less than the length after a fault, which `fault` describes; call
   * again with it as `start` once the fault is resolved.
   */
  replay(references: BigUint64Array, start = 0): number {
    return this.#inChunks(references, start, EXCHANGE_WORDS, (at, count) =>
      this.#core.exports.replay(this.#at, at, count),
    );
  }

  /**
   * Translates `addresses` (canonical, unsigned) for one kind of access; `physical[i]` is the
   * result of `addresses[i]`. Returns how many were done: fewer than all after a fault.
   */
  translateBatch(addresses: BigUint64Array, physical: BigUint64Array, kind: AccessKind): number {
    return this.#inChunks(addresses, 0, EXCHANGE_WORDS, (at, count, done) => {
      const nr = this.#core.exports.translateBatch(this.#at, at, at, count, KINDS[kind]);
      physical.set(this.#core.exchangeU64.subarray(0, nr), done);
      return nr;
    });
  }

  #inChunks(
    words: BigUint64Array,
    start: number,
    chunk: number,
    run: (at: number, count: number, done: number) => number,
  ): number {
    const at = this.#core.exports.exchangeAddress();
    for (let done = start; done < words.length;) {
      const count = Math.min(chunk, words.length - done);
      this.#core.exchangeU64.set(words.subarray(done, done + count));
      const nr = run(at, count, done);
      done += nr;
      if (nr < count) return done;
    }
    return words.length;
  }

  // ---- Cached translations

  /** INVLPG (SDM Vol. 3A §4.10.4.1). */
  invalidatePage(address: number | bigint): void {
    this.#core.exports.invalidatePage64(this.#at, BigInt.asIntN(64, BigInt(address)));
  }

  /** Drops what is cached of [start, end) under `pcid`; global entries stay. */
  invalidateRange(pcid: number, start: number, end: number): void {
    this.#core.exports.invalidateRange(this.#at, pcid, start, end);
  }

  /** Drops everything, global entries too. */
  flush(): void {
    this.#core.exports.flush(this.#at);
  }

  get counts(): TranslationCounts {
    const count = (offset: number): number =>
      Number(this.#core.view.getBigUint64(this.#at + offset, true));
    return { l1Hits: count(CPU_L1_HITS), l2Hits: count(CPU_L2_HITS), walks: count(CPU_WALKS) };
  }

  /** False: the TLB arrays see every access, so that their counts and their order are exact. */
  set hasLookaside(value: boolean) {
    this.#core.view.setUint32(this.#at + CPU_HAS_LOOKASIDE, value ? 1 : 0, true);
    this.#core.exports.registersChanged(this.#at, 0);
  }
}

/** One reference of `Cpu.replay`: an access of `nrBytes` (1 to 8) at a canonical address. */
export function encodeReference(address: number | bigint, kind: AccessKind, nrBytes = 1): bigint {
  checkSize(nrBytes);
  return (
    BigInt.asUintN(REFERENCE_ADDRESS_BITS, BigInt(address)) |
    (BigInt(KINDS[kind]) << BigInt(REFERENCE_KIND_SHIFT)) |
    (BigInt(nrBytes - 1) << BigInt(REFERENCE_SIZE_SHIFT))
  );
}

function requireBits(register: string, value: bigint, bits: readonly number[]): void {
  for (const bit of bits) {
    if (!((value >> BigInt(bit)) & 1n)) {
      throw new OptionError(register, `bit ${bit} must be set: only 64-bit paging is modelled`);
    }
  }
}
