/**
 * Cases as the guest reads and answers them: the bytes that guest/guest.h describes as structs.
 * The guest refuses a file whose magic or case size it does not expect.
 */
import { type Case, CR2_BEFORE, type Outcome } from "./case.ts";
import { DATA_BYTES, DATA_FROM, tableOf } from "./scratch.ts";

/** Guest-physical address of the file. */
export const CASE_FILE = 0x400_0000;
const MAGIC = 0x4357_5548;
const HEADER_BYTES = 72;
const CASE_BYTES = 256;
const ENTRIES_AT = 64;
const BREAKPOINT = 3;
const CONTROL_BITS = ["wp", "nxe", "smep", "smap", "ac", "pke", "pks", "pge"] as const;
const USER = 256;
/** A fetch's RIP is told relative to the address, plus this, once it has jumped. */
const JUMPED = 0x100n;

/** What the guest says of its processor. */
export interface GuestReport {
  readonly nrDone: number;
  readonly maxPhysicalAddressBits: number;
  readonly cpuid7Ebx: number;
  readonly cpuid7Ecx: number;
  readonly cpuid80000001Edx: number;
}

export function encodeCaseFile(levels: number, cases: readonly Case[]): Buffer {
  const file = Buffer.alloc(HEADER_BYTES + CASE_BYTES * cases.length);
  file.writeUInt32LE(MAGIC, 0);
  file.writeUInt32LE(CASE_BYTES, 4);
  file.writeUInt32LE(levels, 8);
  file.writeUInt32LE(cases.length, 12);
  file.writeBigUInt64LE(BigInt(tableOf(levels, 0)), 16);
  file.writeBigUInt64LE(CR2_BEFORE, 24);
  file.writeBigUInt64LE(BigInt(DATA_FROM), 32);
  file.writeBigUInt64LE(BigInt(DATA_BYTES), 40);
  for (const [i, one] of cases.entries()) {
    encodeCase(
      file.subarray(HEADER_BYTES + CASE_BYTES * i, HEADER_BYTES + CASE_BYTES * (i + 1)),
      one,
    );
  }
  return file;
}

function encodeCase(at: Buffer, { access, control, entries, parts }: Case): void {
  at.writeBigUInt64LE(access.address, 0);
  for (const [i, part] of parts.entries()) {
    at.writeBigUInt64LE(BigInt(part.physicalAddress), 8 + 8 * i);
  }
  at.writeUInt32LE(control.pkru, 24);
  at.writeUInt32LE(control.pkrs, 28);
  let bits = access.cpl === 3 ? USER : 0;
  for (const [bit, name] of CONTROL_BITS.entries()) if (control[name]) bits |= 1 << bit;
  at.writeUInt16LE(bits, 32);
  at.writeUInt8(accessCode(access), 34);
  at.writeUInt8(access.size, 35);
  at.writeUInt8(parts[0].length, 36);
  at.writeUInt8(entries.length, 37);
  for (const [i, entry] of entries.entries()) {
    at.writeBigUInt64LE(BigInt(entry.physicalAddress), ENTRIES_AT + 16 * i);
    at.writeBigUInt64LE(entry.value, ENTRIES_AT + 16 * i + 8);
  }
}

function accessCode({ kind, implicit, segment }: Case["access"]): number {
  if (kind === "fetch") return 4;
  if (implicit) return kind === "read" ? 5 : 6;
  return (kind === "read" ? 0 : 2) + (segment === "ss" ? 1 : 0);
}

export function decodeReport(file: Buffer): GuestReport {
  return {
    nrDone: file.readUInt32LE(48),
    maxPhysicalAddressBits: file.readUInt32LE(52),
    cpuid7Ebx: file.readUInt32LE(56),
    cpuid7Ecx: file.readUInt32LE(60),
    cpuid80000001Edx: file.readUInt32LE(64),
  };
}

/** Throws if the guest saw what no processor may show: then the recorder itself is broken. */
export function decodeOutcome(file: Buffer, index: number, one: Case): Outcome {
  const at = file.subarray(
    HEADER_BYTES + CASE_BYTES * index,
    HEADER_BYTES + CASE_BYTES * (index + 1),
  );
  const vector = at.readUInt8(40);
  const odd = at.readUInt16LE(42);
  const rip = at.readBigUInt64LE(56);
  const isDone = vector === BREAKPOINT;
  if (
    odd !== 0 ||
    !ripsOf(one, isDone).includes(rip) ||
    ![BREAKPOINT, 12, 13, 14].includes(vector)
  ) {
    throw new Error(`case ${index}: vector ${vector}, RIP ${rip}, oddities ${odd}`);
  }
  const stored = at.readUInt8(41);
  return {
    vector: isDone ? undefined : (vector as 12 | 13 | 14),
    errorCode: at.readUInt32LE(44),
    cr2: at.readBigUInt64LE(48),
    stored: one.parts.map((_, i) => ((stored >> i) & 1) === 1),
    entriesAfter: one.entries.map((_, i) => at.readBigUInt64LE(ENTRIES_AT + 16 * i + 8)),
  };
}

/** Where RIP may be: at the instruction that faulted, or behind the breakpoint that ended it. */
function ripsOf({ access }: Case, isDone: boolean): bigint[] {
  if (access.kind === "fetch") return isDone ? [JUMPED + BigInt(access.size)] : [JUMPED, 0n];
  const nrBytes = access.implicit ? [2n] : [2n, 3n, 4n];
  return isDone ? nrBytes.map((n) => n + 1n) : [0n];
}
