/**
 * What a machine does besides memory: device ranges, watchpoints, the stale-translation detector,
 * whoever looks at all accesses. CPUs ask `isNeeded` and nothing else while there is none of them.
 */
import {
  COUNT_WALKS,
  CPU_COUNTS,
  CPU_EVENT,
  CPU_EVENT_ADDRESS,
  EVENT_MMIO,
  EVENT_NONE,
  RANGE_BYTES,
  RANGES_MAX,
} from "../../assembly/layout.ts";
import type { Core } from "../core.ts";
import { OptionError } from "../errors.ts";
import type { AccessKind } from "./access-kind.ts";
import type { Cpu } from "./cpu.ts";
import { linearAddress } from "./linear-address.ts";

/** Device memory: loads and stores of [start, end) (physical, bytes) go to the device. */
export interface MmioRange {
  readonly start: number;
  readonly end: number;
  /** `nrBytes` (1 to 8) at a physical address, little-endian. */
  load(address: number, nrBytes: number): bigint;
  store(address: number, nrBytes: number, value: bigint): void;
}

/** A watchpoint: accesses of these kinds that meet [start, end) (virtual, bytes) are reported. */
export interface Watchpoint {
  readonly start: number;
  readonly end: number;
  readonly kinds: readonly ("read" | "write" | "fetch")[];
  /** Called after the access, with the address it was made at, before LAM. */
  onHit(cpu: Cpu, address: number | bigint): void;
}

/** Looks at each access before it is made. */
export interface Detector {
  before(cpu: Cpu, address: number | bigint, kind: AccessKind): void;
}

/** Called before each single access, once for one that crosses pages. */
export type AccessListener = (
  cpu: Cpu,
  address: number | bigint,
  nrBytes: number,
  kind: AccessKind,
) => void;

const KIND_BITS = { read: 1, write: 2, fetch: 4 } as const;
const WATCHED_AS = {
  read: "read",
  write: "write",
  fetch: "fetch",
  "shadow-read": "read",
  "shadow-write": "write",
} as const;
const IN_PARTS = 2n ** 64n - 1n;

export class Attention {
  readonly #core: Core;
  #mmio: readonly MmioRange[] = [];
  #watchpoints: readonly Watchpoint[] = [];
  #detector: Detector | undefined;
  #listener: AccessListener | undefined;
  #missesBefore = 0n;
  /** Whether the bytes of an access that is partly device memory are being done. */
  #isInParts = false;
  /** Whether single accesses have to be looked at. */
  isNeeded = false;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Replaces all device ranges. */
  setMmio(ranges: readonly MmioRange[]): void {
    this.#write(
      0,
      ranges.map(({ start, end }) => ({ start, end, kinds: 7 })),
    );
    this.#mmio = ranges;
    this.#update();
  }

  /** Replaces all watchpoints. */
  setWatchpoints(watchpoints: readonly Watchpoint[]): void {
    this.#write(
      1,
      watchpoints.map(({ start, end, kinds }) => ({
        start,
        end,
        kinds: kinds.reduce((bits, kind) => bits | KIND_BITS[kind], 0),
      })),
    );
    this.#watchpoints = watchpoints;
    this.#update();
  }

  setDetector(detector: Detector | undefined): void {
    this.#detector = detector;
    this.#update();
  }

  setListener(listener: AccessListener | undefined): void {
    this.#listener = listener;
    this.#update();
  }

  /** Writes the ranges once more: linear memory was replaced. */
  rewrite(): void {
    this.setMmio(this.#mmio);
    this.setWatchpoints(this.#watchpoints);
  }

  #update(): void {
    const nrRanges = this.#mmio.length + this.#watchpoints.length;
    this.isNeeded = nrRanges > 0 || this.#detector !== undefined || this.#listener !== undefined;
  }

  #write(isWatch: 0 | 1, ranges: readonly { start: number; end: number; kinds: number }[]): void {
    if (ranges.length > RANGES_MAX) {
      throw new OptionError("ranges", `${ranges.length} are more than ${RANGES_MAX}`);
    }
    const at = this.#core.exports.rangesAddress(isWatch) >>> 0;
    ranges.forEach(({ start, end, kinds }, i) => {
      if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start >= end) {
        throw new OptionError("ranges", `${start} to ${end} is no range of addresses`);
      }
      this.#core.view.setFloat64(at + i * RANGE_BYTES, start, true);
      this.#core.view.setFloat64(at + i * RANGE_BYTES + 8, end, true);
      this.#core.view.setUint32(at + i * RANGE_BYTES + 16, kinds, true);
    });
    this.#core.exports.setRanges(isWatch, ranges.length);
  }

  /** Called before an access. */
  before(cpu: Cpu, address: number | bigint, nrBytes: number, kind: AccessKind): void {
    if (this.#isInParts) return;
    this.#listener?.(cpu, address, nrBytes, kind);
    this.#detector?.before(cpu, address, kind);
    this.#missesBefore = this.#walks(cpu);
  }

  /** Whether the access since `before` walked. */
  hasMissed(cpu: Cpu): boolean {
    return !this.#isInParts && this.#walks(cpu) !== this.#missesBefore;
  }

  #walks(cpu: Cpu): bigint {
    const at = cpu.linearAddress + CPU_COUNTS + COUNT_WALKS * 8;
    return this.#core.view.getBigUint64(at, true);
  }

  /** What the device answers, if the load that was made is one of device memory. */
  load(cpu: Cpu, address: number | bigint, nrBytes: number): bigint | undefined {
    const physical = this.#deviceAddress(cpu);
    if (physical === undefined) return undefined;
    if (physical !== IN_PARTS) return this.#deviceLoad(Number(physical), nrBytes);
    // A part of it is not device memory: byte by byte, each at its own address.
    let value = 0n;
    this.#inParts(nrBytes, (i) => {
      const byte = cpu.load(BigInt(address) + BigInt(i), 1);
      if (typeof byte === "bigint") value |= byte << BigInt(8 * i);
    });
    return value;
  }

  /** Tells the device, if the store that was made is one of device memory. */
  store(cpu: Cpu, address: number | bigint, nrBytes: number, value: bigint): void {
    const physical = this.#deviceAddress(cpu);
    if (physical === undefined) return;
    if (physical !== IN_PARTS) {
      this.#deviceStore(Number(physical), nrBytes, BigInt.asUintN(8 * nrBytes, value));
      return;
    }
    this.#inParts(nrBytes, (i) => {
      cpu.store(BigInt(address) + BigInt(i), 1, (value >> BigInt(8 * i)) & 0xffn);
    });
  }

  /** To hooks and watchpoints the bytes are one access. */
  #inParts(nrBytes: number, each: (index: number) => void): void {
    this.#isInParts = true;
    try {
      for (let i = 0; i < nrBytes; i++) each(i);
    } finally {
      this.#isInParts = false;
    }
  }

  #deviceAddress(cpu: Cpu): bigint | undefined {
    const { view } = this.#core;
    if (view.getUint32(cpu.linearAddress + CPU_EVENT, true) !== EVENT_MMIO) return undefined;
    view.setUint32(cpu.linearAddress + CPU_EVENT, EVENT_NONE, true);
    return view.getBigUint64(cpu.linearAddress + CPU_EVENT_ADDRESS, true);
  }

  /** An access that only meets a device's range still goes to it, whole. */
  #device(address: number, nrBytes: number): MmioRange | undefined {
    return this.#mmio.find(({ start, end }) => address < end && start < address + nrBytes);
  }
  #deviceLoad(address: number, nrBytes: number): bigint {
    const value = this.#device(address, nrBytes)?.load(address, nrBytes) ?? 0n;
    return BigInt.asUintN(8 * nrBytes, value);
  }
  #deviceStore(address: number, nrBytes: number, value: bigint): void {
    this.#device(address, nrBytes)?.store(address, nrBytes, value);
  }

  /** Reports the watchpoints that an access has hit. */
  after(cpu: Cpu, address: number | bigint, nrBytes: number, kind: AccessKind): void {
    if (this.#watchpoints.length === 0 || this.#isInParts) return;
    const at = Number(linearAddress(cpu, address, kind));
    const watched = WATCHED_AS[kind];
    for (const { start, end, kinds, onHit } of this.#watchpoints) {
      const isMet = at < end && start < at + nrBytes;
      if (isMet && kinds.includes(watched)) onHit(cpu, address);
    }
  }
}
