/**
 * Physical memory. Sparse: a 2M section costs linear memory from its first write on. Addresses at
 * or beyond `bytes` are open bus: they read as all ones, and stores go nowhere.
 */
import { type LeafLevel, PAGE_2M, PAGE_4K, pageBytesOf, roundUp } from "../address.ts";
import { type Core, needsBacking } from "../core.ts";
import { STATUS_NO_BACKING } from "../../assembly/layout.ts";
import { OptionError } from "../errors.ts";

export class Ram {
  readonly #core: Core;
  /** Size in bytes. */
  readonly bytes: number;

  constructor(core: Core, bytes: number) {
    this.#core = core;
    this.bytes = bytes;
  }

  /** Bytes of linear memory that back RAM now. */
  get backedBytes(): number {
    return this.#core.exports.nrSectionsBacked() * PAGE_2M;
  }

  /** Zeroes bytes; whole frames give their backing back. */
  zero(address: number, length: number): void {
    this.#checkRange(address, length);
    const end = address + length;
    for (let at = address; at < end;) {
      const level = ([3, 2, 1] as const).find((candidate) => {
        const bytes = pageBytesOf(candidate);
        return at % bytes === 0 && end - at >= bytes;
      });
      const step = level ? pageBytesOf(level) : Math.min(end, roundUp(at + 1, PAGE_4K)) - at;
      if (level) this.zeroFrame(at, level);
      else this.write(at, new Uint8Array(step));
      at += step;
    }
  }

  /** `nrBytes` (1 to 8) at `address`, little-endian, unsigned. */
  load(address: number, nrBytes: number): bigint {
    checkAddress(address);
    checkSize(nrBytes);
    return BigInt.asUintN(64, this.#core.exports.ramLoad(address, nrBytes));
  }

  /** Stores the low `nrBytes` (1 to 8) of `value`. Throws ResourceError if nothing can back it. */
  store(address: number, nrBytes: number, value: bigint): void {
    checkAddress(address);
    checkSize(nrBytes);
    needsBacking(this.#core.exports.ramStore(address, nrBytes, BigInt.asIntN(64, value)));
  }

  /** A copy of `length` bytes. Throws OptionError if they do not lie in RAM. */
  read(address: number, length: number): Uint8Array {
    this.#checkRange(address, length);
    const bytes = new Uint8Array(length);
    this.#eachSection(address, length, (at, offset, nrBytes) => {
      const from = this.#core.exports.linearForRead(at) >>> 0;
      bytes.set(new Uint8Array(this.#core.memory.buffer, from, nrBytes), offset);
    });
    return bytes;
  }

  /** Throws OptionError if `bytes` do not fit in RAM there. */
  write(address: number, bytes: Uint8Array): void {
    this.#checkRange(address, bytes.length);
    this.#eachSection(address, bytes.length, (at, offset, nrBytes) => {
      const to = this.#core.exports.linearForWrite(at) >>> 0;
      if (to === 0) needsBacking(STATUS_NO_BACKING);
      const target = new Uint8Array(this.#core.memory.buffer, to, nrBytes);
      target.set(bytes.subarray(offset, offset + nrBytes));
    });
  }

  /**
   * A live view of `length` bytes that lie in one 2M section. It stays valid until the frame is
   * zeroed or copied over as a whole. Throws OptionError if they do not, ResourceError if nothing
   * can back them.
   */
  view(address: number, length: number): Uint8Array {
    this.#checkRange(address, length);
    if (Math.floor(address / PAGE_2M) !== Math.floor((address + length - 1) / PAGE_2M)) {
      throw new OptionError("length", `${length} bytes at ${address} are not in one section of 2M`);
    }
    const at = this.#core.exports.linearForWrite(address) >>> 0;
    if (at === 0) needsBacking(STATUS_NO_BACKING);
    return new Uint8Array(this.#core.memory.buffer, at, length);
  }

  /** Zeroes the frame at `address`; a 2M or 1G frame gives its backing back. */
  zeroFrame(address: number, level: LeafLevel): void {
    this.#checkFrame(address, level);
    this.#core.exports.zeroFrame(address, level);
  }

  /** Copies a frame of the size that `level` maps; only backed sections are touched. */
  copyFrame(to: number, from: number, level: LeafLevel): void {
    this.#checkFrame(to, level);
    this.#checkFrame(from, level);
    needsBacking(this.#core.exports.copyFrame(to, from, level));
  }

  #eachSection(
    address: number,
    length: number,
    visit: (at: number, offset: number, nrBytes: number) => void,
  ): void {
    for (let offset = 0; offset < length;) {
      const at = address + offset;
      const nrBytes = Math.min(length - offset, PAGE_2M - (at % PAGE_2M));
      visit(at, offset, nrBytes);
      offset += nrBytes;
    }
  }

  #checkRange(address: number, length: number): void {
    checkAddress(address);
    if (!Number.isSafeInteger(length) || length < 0 || address + length > this.bytes) {
      throw new OptionError("length", `${length} bytes at ${address} do not lie in RAM`);
    }
  }

  #checkFrame(address: number, level: LeafLevel): void {
    const bytes = pageBytesOf(level);
    if (bytes === undefined) throw new OptionError("level", `must be 1, 2 or 3, not ${level}`);
    this.#checkRange(address, bytes);
    if (address % bytes !== 0) {
      throw new OptionError("address", `${address} is not a multiple of ${bytes}`);
    }
  }
}

function checkAddress(address: number): void {
  if (!Number.isSafeInteger(address) || address < 0) {
    throw new OptionError("address", `${address} is not a physical address`);
  }
}

export function checkSize(nrBytes: number): void {
  if (!Number.isInteger(nrBytes) || nrBytes < 1 || nrBytes > 8) {
    throw new OptionError("nrBytes", `must be 1 to 8, not ${nrBytes}`);
  }
}
