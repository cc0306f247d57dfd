/**
 * A CPU: registers, accesses by virtual address, batches, and what software does to its cached
 * translations. Accesses are made with the CPU's privilege (`cpl`) and address space (`cr3`).
 *
 * Addresses are numbers (user addresses; negative: the canonical upper half) or bigints. Faults are
 * data: nothing here throws because of what a guest does.
 */
import {
  CPU_AC,
  CPU_COUNTS,
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
  CPU_LEAF_A_ON_FAULT,
  CPU_MAXPHYADDR,
  CPU_PAT,
  CPU_PKRS,
  CPU_PKRU,
  CPU_VECTOR,
  KIND_FETCH,
  NR_COUNTS,
} from "../../assembly/layout.ts";
import { type Core, EXCHANGE_WORDS, needsBacking } from "../core.ts";
import { OptionError } from "../errors.ts";
import type { Fault } from "../fault.ts";
import { type AccessKind, type AccessManner, KINDS, MANNERS } from "./access-kind.ts";
import type { Attention } from "./attention.ts";
import { type CpuCounts, REASONS, readCounts } from "./counts.ts";
import { checkSize } from "./ram.ts";
import { checkCr0, checkCr4, checkEfer, dropsEverything, isInvpcidValid } from "./registers.ts";
import { type Translation, decodeTranslation } from "./translation.ts";

/** What differs between processors and can be set while running. */
export interface CpuFeatures {
  /** MAXPHYADDR, 36 to 52 (CPUID 80000008H). */
  readonly maxPhysicalAddressBits: number;
  /** Whether a PDPT entry can map 1G (CPUID 80000001H:EDX.Page1GB). */
  readonly pages1G: boolean;
  /** Whether a protection fault sets the leaf's accessed flag (SDM Vol. 3A §4.8 allows either). */
  readonly leafAccessedOnFault: boolean;
}

export class Cpu {
  /** Counts from 0. */
  readonly index: number;
  /** Called after each access that missed every TLB, with its address. Undefined: costs nothing. */
  onMiss: ((address: number | bigint) => void) | undefined;
  /** Called with each fault, before it is returned. */
  onFault: ((fault: Fault) => void) | undefined;
  readonly #core: Core;
  readonly #at: number;
  readonly #attention: Attention;

  constructor(core: Core, index: number, attention: Attention) {
    this.#core = core;
    this.index = index;
    this.#at = core.exports.cpuAddress(index) >>> 0;
    this.#attention = attention;
  }

  /** The CPU's address in linear memory, for callers in wasm (docs/abi.md). */
  get linearAddress(): number {
    return this.#at;
  }

  // ---- Registers

  get cr0(): bigint {
    return this.#u64(CPU_CR0);
  }
  /** Throws OptionError unless PE and PG are set, or if WP is cleared while CR4.CET is set. */
  set cr0(value: bigint) {
    checkCr0(value, this.cr4);
    this.#setRegister(CPU_CR0, value, false);
  }

  get cr3(): bigint {
    return this.#u64(CPU_CR3);
  }
  /** MOV to CR3: with CR4.PCIDE, bit 63 keeps what is cached for the PCID in bits 11:0. */
  set cr3(value: bigint) {
    this.#core.exports.writeCr3(this.#at, BigInt.asIntN(64, value));
  }

  get cr4(): bigint {
    return this.#u64(CPU_CR4);
  }
  /**
   * Throws OptionError unless PAE is set, or if CET is set without CR0.WP. LA57 can be changed
   * while paging is on, which no processor allows; it drops all that is cached.
   */
  set cr4(value: bigint) {
    checkCr4(value, this.cr0);
    this.#setRegister(CPU_CR4, value, dropsEverything(this.cr4, value));
  }

  get efer(): bigint {
    return this.#u64(CPU_EFER);
  }
  /** Throws OptionError unless LME and LMA are set: other modes are not modelled. */
  set efer(value: bigint) {
    checkEfer(value);
    this.#setRegister(CPU_EFER, value, false);
  }

  /** Rights of user-mode addresses by key: bit 2k AD, bit 2k+1 WD (SDM Vol. 3A §4.6.2). */
  get pkru(): number {
    return this.#u32(CPU_PKRU);
  }
  set pkru(value: number) {
    this.#setWord(CPU_PKRU, value);
  }
  /** IA32_PKRS: the same of supervisor-mode addresses. */
  get pkrs(): number {
    return this.#u32(CPU_PKRS);
  }
  set pkrs(value: number) {
    this.#setWord(CPU_PKRS, value);
  }

  /** IA32_PAT: eight memory types, a byte each. */
  get pat(): bigint {
    return this.#u64(CPU_PAT);
  }
  set pat(value: bigint) {
    this.#core.view.setBigUint64(this.#at + CPU_PAT, BigInt.asUintN(64, value), true);
  }

  /** Current privilege level: 0 supervisor, 3 user. */
  get cpl(): 0 | 3 {
    return this.#u32(CPU_CPL) === 3 ? 3 : 0;
  }
  set cpl(value: 0 | 3) {
    this.#core.exports.setPrivilege(this.#at, value === 3 ? 3 : 0);
  }

  /** RFLAGS.AC: with CR4.SMAP, lets explicit supervisor accesses through to user pages. */
  get ac(): boolean {
    return this.#u32(CPU_AC) !== 0;
  }
  set ac(value: boolean) {
    this.#core.exports.setAlignmentCheck(this.#at, value ? 1 : 0);
  }

  get features(): CpuFeatures {
    return {
      maxPhysicalAddressBits: this.#u32(CPU_MAXPHYADDR),
      pages1G: this.#u32(CPU_HAS_1G) !== 0,
      leafAccessedOnFault: this.#u32(CPU_LEAF_A_ON_FAULT) !== 0,
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
  #setWord(offset: number, value: number): void {
    this.#core.view.setUint32(this.#at + offset, value, true);
    this.#core.exports.registersChanged(this.#at, 0);
  }
  #u32(offset: number): number {
    return this.#core.view.getUint32(this.#at + offset, true);
  }
  #u64(offset: number): bigint {
    return this.#core.view.getBigUint64(this.#at + offset, true);
  }

  // ---- Single accesses

  /**
   * Makes an access without moving data: translation, accessed and dirty flags, TLB. Returns the
   * physical address of its first byte, or −1: then `fault` says why.
   */
  access(
    address: number | bigint,
    kind: AccessKind,
    nrBytes = 1,
    manner: AccessManner = "ordinary",
  ): number {
    if (nrBytes !== 1) checkSize(nrBytes);
    const isWatched = this.#attention.isNeeded || this.onMiss !== undefined;
    if (isWatched) this.#attention.before(this, address, nrBytes, kind);
    const result = this.#access(address, KINDS[kind], nrBytes, manner);
    if (isWatched || this.onFault !== undefined) this.#after(address, nrBytes, kind, result < 0);
    return result;
  }

  #access(address: number | bigint, kind: number, nrBytes: number, manner: AccessManner): number {
    const { exports } = this.#core;
    if (kind <= KIND_FETCH && manner === "ordinary") {
      return typeof address === "number"
        ? exports.access(this.#at, address, nrBytes, kind)
        : Number(exports.access64(this.#at, BigInt.asIntN(64, address), nrBytes, kind));
    }
    const va = BigInt.asIntN(64, BigInt(address));
    return Number(exports.accessAs64(this.#at, va, nrBytes, kind, MANNERS[manner]));
  }

  /** Calls the hooks that an access has given cause to. */
  #after(address: number | bigint, nrBytes: number, kind: AccessKind, hasFaulted: boolean): void {
    if (this.onMiss && this.#attention.hasMissed(this)) this.onMiss(address);
    if (hasFaulted) this.onFault?.(this.fault);
    else this.#attention.after(this, address, nrBytes, kind);
  }

  /** Why the last access faulted. Only defined after one did. */
  get fault(): Fault {
    return {
      vector: this.#u32(CPU_VECTOR) as Fault["vector"],
      errorCode: this.#u32(CPU_ERROR_CODE),
      address: this.#u64(CPU_FAULT_ADDRESS),
      level: this.#u32(CPU_FAULT_LEVEL),
      entryAddress: Number(this.#u64(CPU_FAULT_ENTRY_ADDRESS)),
      entry: this.#u64(CPU_FAULT_ENTRY),
      reason: REASONS[this.#u32(CPU_FAULT_REASON)],
    };
  }

  /** Loads `nrBytes` (1 to 8), little-endian, unsigned; at any alignment. */
  load(address: number | bigint, nrBytes: number): bigint | Fault {
    checkSize(nrBytes);
    const { exports } = this.#core;
    const isWatched = this.#attention.isNeeded || this.onMiss !== undefined;
    if (isWatched) this.#attention.before(this, address, nrBytes, "read");
    const word =
      typeof address === "number"
        ? exports.load(this.#at, address, nrBytes)
        : exports.load64(this.#at, BigInt.asIntN(64, address), nrBytes);
    const hasFaulted = this.#hasFaulted();
    const value = BigInt.asUintN(64, word);
    if (!isWatched && !hasFaulted) return value;
    const fault = hasFaulted ? this.fault : undefined;
    const device = fault ? undefined : this.#attention.load(this, address, nrBytes);
    this.#after(address, nrBytes, "read", hasFaulted);
    return fault ?? device ?? value;
  }

  /** Stores the low `nrBytes` (1 to 8) of `value`, all of them or, on a fault, none. */
  store(address: number | bigint, nrBytes: number, value: bigint): Fault | undefined {
    checkSize(nrBytes);
    const { exports } = this.#core;
    const isWatched = this.#attention.isNeeded || this.onMiss !== undefined;
    if (isWatched) this.#attention.before(this, address, nrBytes, "write");
    const word = BigInt.asIntN(64, value);
    needsBacking(
      typeof address === "number"
        ? exports.store(this.#at, address, nrBytes, word)
        : exports.store64(this.#at, BigInt.asIntN(64, address), nrBytes, word),
    );
    const hasFaulted = this.#hasFaulted();
    if (!isWatched && !hasFaulted) return undefined;
    const fault = hasFaulted ? this.fault : undefined;
    if (!fault) this.#attention.store(this, address, nrBytes, value);
    this.#after(address, nrBytes, "write", hasFaulted);
    return fault;
  }

  /**
   * What the tables say of an access, without side effects: no flag is set, nothing is counted, no
   * TLB or structure cache is asked or filled.
   */
  probe(
    address: number | bigint,
    kind: AccessKind,
    manner: AccessManner = "ordinary",
  ): Translation | Fault {
    const { exports } = this.#core;
    const va = BigInt.asIntN(64, BigInt(address));
    const physicalAddress = exports.probe64(this.#at, va, KINDS[kind], MANNERS[manner]);
    if (physicalAddress < 0) return this.fault;
    return decodeTranslation(physicalAddress, BigInt.asUintN(64, exports.probed64()), this.pat);
  }

  #hasFaulted(): boolean {
    return this.#u32(CPU_VECTOR) !== 0;
  }

  // ---- Batches

  /**
   * Makes the references (see `encodeReference`) from index `start` on. Returns the index after
   * the last that was done: less than the length after a fault, which `fault` describes; call
   * again with it as `start` once the fault is resolved. Hooks and watchpoints are not called.
   */
  replay(references: BigUint64Array, start = 0): number {
    return this.#inChunks(references, start, (at, count) =>
      this.#core.exports.replay(this.#at, at, count),
    );
  }

  /**
   * Translates `addresses` (canonical, unsigned) for one kind of access; `physical[i]` is the
   * result of `addresses[i]`. Returns how many were done: fewer than all after a fault.
   */
  translateBatch(
    addresses: BigUint64Array,
    physical: BigUint64Array,
    kind: "read" | "write" | "fetch",
  ): number {
    return this.#inChunks(addresses, 0, (at, count, done) => {
      const nr = this.#core.exports.translateBatch(this.#at, at, at, count, KINDS[kind]);
      physical.set(this.#core.exchangeU64.subarray(0, nr), done);
      return nr;
    });
  }

  #inChunks(
    words: BigUint64Array,
    start: number,
    run: (at: number, count: number, done: number) => number,
  ): number {
    const at = this.#core.exports.exchangeAddress();
    for (let done = start; done < words.length;) {
      const count = Math.min(EXCHANGE_WORDS, words.length - done);
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

  /**
   * INVPCID: 0 one address of a PCID, 1 all of a PCID but global, 2 everything, 3 everything but
   * global. Returns the #GP(0) of bad operands (SDM Vol. 2, INVPCID).
   */
  invpcid(type: 0 | 1 | 2 | 3, pcid: number, address: number | bigint): Fault | undefined {
    const va = BigInt.asUintN(64, BigInt(address));
    if (!isInvpcidValid(this.cr4, type, pcid, va)) {
      return {
        vector: 13,
        errorCode: 0,
        address: va,
        level: 0,
        entryAddress: 0,
        entry: 0n,
        reason: "non-canonical",
      };
    }
    this.#core.exports.invalidatePcid64(this.#at, type, pcid, BigInt.asIntN(64, va));
    return undefined;
  }

  /** Drops what is cached of [start, end) under `pcid`; global entries stay. */
  invalidateRange(pcid: number, start: number, end: number): void {
    this.#core.exports.invalidateRange(this.#at, pcid, start, end);
  }

  /** Drops everything, global entries too. */
  flush(): void {
    this.#core.exports.flush(this.#at);
  }

  /** False: the TLB arrays see every access, so that their counts and their order are exact. */
  set hasLookaside(value: boolean) {
    this.#core.view.setUint32(this.#at + CPU_HAS_LOOKASIDE, value ? 1 : 0, true);
    this.#core.exports.registersChanged(this.#at, 0);
  }

  // ---- Counts

  get counts(): CpuCounts {
    return readCounts((index) => Number(this.#u64(CPU_COUNTS + index * 8)));
  }

  resetCounts(): void {
    const start = this.#at + CPU_COUNTS;
    new Uint8Array(this.#core.memory.buffer, start, NR_COUNTS * 8).fill(0);
  }
}
