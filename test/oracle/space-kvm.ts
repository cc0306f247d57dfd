/**
 * The space of kvm-unit-tests' `access` test, enumerated anew: every combination of the bits of a
 * PTE and a PDE, of a key, of an access and of the control bits that decide about it.
 *
 * How its 19,169,280 legal combinations come about, at MAXPHYADDR 37–51 (bit 51 reserved, bit 36
 * not):
 *
 * | what | free choices |
 * | --- | --- |
 * | PTE P, R/W, U/S, A, D | 2^5 |
 * | PDE P, R/W, U/S, A, D | 2^5 |
 * | PDPTE read-only; key 1 or 0 where the page is mapped | 2^2 |
 * | PDE.PS, XD of both, bit 51 of both, bit 13 of the PDE | 28 with NXE = 1, 11 with NXE = 0: 39 |
 * | CR0.WP | 2 |
 * | CR4.PKE, and PKRU's AD and WD for key 1, which without PKE stay 0 | 5 |
 * | user or supervisor × read, write or fetch | 6 |
 * | access twice: a supervisor read first, whose effects stay | 2 |
 *
 * Bit 13 is 1 with PS only, and at most one bit that is reserved is: XD is one with NXE = 0.
 *
 * 1024 · 4 · 39 · 2 · 5 · 6 · 2 = 19,169,280. CR4.SMEP is 0 there, because the test itself runs
 * from user pages; nothing holds us to that, so the same again with SMEP = 1 is a second half.
 */
import type { Space } from "./compare.ts";
import { combinations, BOOLEANS } from "./digits.ts";
import { A, D, P, PS, RW, US, XD } from "./entry.ts";
import { accessOf, PLAIN_PROCESSOR, type AccessKind, type Processor } from "./processor.ts";
import { LOWER } from "./scene.ts";

// The bits of a case's tables: 18 in all.
const NR_TABLE_BITS = 18;
const PTE_P = 1 << 0;
const PTE_RW = 1 << 1;
const PTE_US = 1 << 2;
const PTE_A = 1 << 3;
const PTE_D = 1 << 4;
const PTE_XD = 1 << 5;
const PTE_51 = 1 << 6;
const PDE_P = 1 << 7;
const PDE_RW = 1 << 8;
const PDE_US = 1 << 9;
const PDE_A = 1 << 10;
const PDE_D = 1 << 11;
const PDE_PS = 1 << 12;
const PDE_XD = 1 << 13;
const PDE_51 = 1 << 14;
const PDE_13 = 1 << 15;
const PDPTE_READ_ONLY = 1 << 16;
const KEY_1 = 1 << 17;

const BIT_13 = 1 << 13;
const BIT_51_HIGH = 1 << (51 - 32);
const KEY_1_HIGH = 1 << (59 - 32);

function legalTables(nxe: boolean): Uint32Array {
  const reserved = PDE_51 | PDE_13 | PTE_51 | (nxe ? 0 : PDE_XD | PTE_XD);
  const found: number[] = [];
  for (let table = 0; table < 1 << NR_TABLE_BITS; table++) {
    if ((table & PDE_13) !== 0 && (table & PDE_PS) === 0) continue;
    const set = table & reserved;
    if ((set & (set - 1)) !== 0) continue;
    found.push(table);
  }
  return Uint32Array.from(found);
}

const KINDS: readonly AccessKind[] = ["read", "write", "fetch"];
const FIRST = accessOf("read", 0, LOWER.linear);
const ACCESSES = combinations<{ isTwice: boolean; cpl: 0 | 3; kind: AccessKind }>({
  isTwice: BOOLEANS,
  cpl: [0, 3],
  kind: KINDS,
}).map(({ isTwice, cpl, kind }) => ({
  before: isTwice ? FIRST : undefined,
  access: accessOf(kind, cpl, LOWER.linear),
}));

/** PKRU's AD and WD of key 1. */
const KEY_RIGHTS = [0b0000, 0b0100, 0b1000, 0b1100];

function processors(nxe: boolean, smep: boolean): Processor[] {
  return BOOLEANS.flatMap((wp) =>
    [{ pke: false, pkru: 0 }, ...KEY_RIGHTS.map((pkru) => ({ pke: true, pkru }))].map((keys) => ({
      ...PLAIN_PROCESSOR,
      ...keys,
      nxe,
      smep,
      wp,
    })),
  );
}

export function kvmSpace(smep: boolean): Space {
  const halves = BOOLEANS.map((nxe) => ({
    tables: legalTables(nxe),
    processors: processors(nxe, smep),
  }));
  const sizes = halves.map((half) => half.tables.length * ACCESSES.length * half.processors.length);
  return {
    name: `PTE, PDE, keys and controls, SMEP = ${smep ? 1 : 0}`,
    size: sizes[0] + sizes[1],
    fill: (index, scene) => {
      const half = index < sizes[0] ? halves[0] : halves[1];
      const rest = index < sizes[0] ? index : index - sizes[0];
      const table = half.tables[rest % half.tables.length];
      const outer = Math.floor(rest / half.tables.length);
      const access = ACCESSES[outer % ACCESSES.length];
      scene.processor = half.processors[Math.floor(outer / ACCESSES.length)];
      scene.place = LOWER;
      scene.before = access.before;
      scene.access = access.access;
      fillEntries(table, scene.entries);
    },
  };
}

function fillEntries(table: number, entries: Uint32Array): void {
  const isLarge = (table & PDE_PS) !== 0;
  const key = (table & KEY_1) !== 0 ? KEY_1_HIGH : 0;
  entries[0] =
    0x5000 |
    ((table & PTE_P) !== 0 ? P : 0) |
    ((table & PTE_RW) !== 0 ? RW : 0) |
    ((table & PTE_US) !== 0 ? US : 0) |
    ((table & PTE_A) !== 0 ? A : 0) |
    ((table & PTE_D) !== 0 ? D : 0);
  entries[1] = ((table & PTE_XD) !== 0 ? XD : 0) | ((table & PTE_51) !== 0 ? BIT_51_HIGH : 0) | key;
  entries[2] =
    (isLarge ? 0x80_0000 | PS : 0x4000) |
    ((table & PDE_P) !== 0 ? P : 0) |
    ((table & PDE_RW) !== 0 ? RW : 0) |
    ((table & PDE_US) !== 0 ? US : 0) |
    ((table & PDE_A) !== 0 ? A : 0) |
    ((table & PDE_D) !== 0 ? D : 0) |
    ((table & PDE_13) !== 0 ? BIT_13 : 0);
  entries[3] =
    ((table & PDE_XD) !== 0 ? XD : 0) |
    ((table & PDE_51) !== 0 ? BIT_51_HIGH : 0) |
    (isLarge ? key : 0);
  entries[4] = (table & PDPTE_READ_ONLY) !== 0 ? 0x3005 : 0x3007;
  entries[5] = 0;
  entries[6] = 0x2007;
  entries[7] = 0;
  entries[8] = 0;
  entries[9] = 0;
}
