/**
 * The recording's columns: one number per case each. A column of n bytes is stored as n planes, the
 * lowest bytes of all cases first: alike bytes stand together, which is what gzip wants.
 *
 *     offset 0    magic "HWQEMU02"
 *            8    u32 little-endian: length of the header in bytes
 *           12    header: JSON, see RecordingHeader
 *           …     for each boot, in the header's order: for each of COLUMNS, its planes
 */
export const MAGIC = "HWQEMU02";

export interface RecordingHeader {
  /** The recorded emulator's name and version. */
  readonly emulator: string;
  /** Each column's name and bytes, as in COLUMNS. */
  readonly columns: readonly (readonly [string, number])[];
  readonly boots: readonly RecordedBoot[];
}

export interface RecordedBoot {
  readonly levels: 4 | 5;
  readonly maxPhysicalAddressBits: number;
  /** CPUID 7:EBX, 7:ECX and 80000001H:EDX, as the guest read them. */
  readonly cpuid7Ebx: number;
  readonly cpuid7Ecx: number;
  readonly cpuid80000001Edx: number;
  readonly seed: number;
  readonly nrCases: number;
}

const LEVELS = [5, 4, 3, 2, 1];
const perLevel = (name: string) => LEVELS.map((level) => [`${name}${level}`, 8] as const);

export const COLUMNS = [
  /** Bit n: CONTROL_BITS[n]. */
  ["control", 1],
  ["pkru", 4],
  ["pkrs", 4],
  /** Bits 1:0 ACCESS_KINDS, 2 implicit, 3 CPL 3, 4 by SS, 7:5 size - 1. */
  ["access", 1],
  ["address", 8],
  /** Lowest level of page 0's entries. */
  ["leafLevel", 1],
  /** Levels of page 1's entries, highest in bits 6:4, lowest in 2:0; 0: none. */
  ["secondLevels", 1],
  /** Physical addresses of the operand's parts; 0 for the second if there is none. */
  ["part0", 4],
  ["part1", 4],
  ...perLevel("entry0_"),
  ...perLevel("entry1_"),
  /** 0: the access was done. */
  ["vector", 1],
  ["errorCode", 1],
  /** CR2 afterwards: one of CR2_IS. */
  ["cr2Is", 1],
  ["cr2Other", 8],
  /** Bit n: part n was changed. */
  ["stored", 1],
  /** Bits that the access turned over. */
  ...perLevel("changed0_"),
  ...perLevel("changed1_"),
] as const;

export const CONTROL_BITS = ["wp", "nxe", "smep", "smap", "ac", "pke", "pks", "pge"] as const;
export const ACCESS_KINDS = ["read", "write", "fetch"] as const;
export const CR2_IS = { untouched: 0, address: 1, secondPage: 2, other: 3 } as const;

/** One boot's columns: Uint32Array up to 4 bytes, BigUint64Array for 8. */
export class ColumnSet {
  readonly nrCases: number;
  readonly #columns = new Map<string, Uint8Array>();

  constructor(nrCases: number) {
    this.nrCases = nrCases;
    for (const [name, nrBytes] of COLUMNS) {
      this.#columns.set(name, new Uint8Array(nrCases * (nrBytes > 4 ? 8 : 4)));
    }
  }

  numbers(name: string): Uint32Array {
    return new Uint32Array(this.#bytesOf(name).buffer);
  }

  wide(name: string): BigUint64Array {
    return new BigUint64Array(this.#bytesOf(name).buffer);
  }

  #bytesOf(name: string): Uint8Array {
    const bytes = this.#columns.get(name);
    if (!bytes) throw new Error(`there is no column ${name}`);
    return bytes;
  }

  /** All columns' planes, one behind the other. */
  toPlanes(): Uint8Array {
    const planes = new Uint8Array(bytesPerCase() * this.nrCases);
    this.#forEachByte((column, at, index) => (planes[index] = column[at]));
    return planes;
  }

  static fromPlanes(planes: Uint8Array, nrCases: number): ColumnSet {
    const set = new ColumnSet(nrCases);
    set.#forEachByte((column, at, index) => (column[at] = planes[index]));
    return set;
  }

  #forEachByte(visit: (column: Uint8Array, at: number, index: number) => void): void {
    let index = 0;
    for (const [name, nrBytes] of COLUMNS) {
      const column = this.#bytesOf(name);
      const stride = nrBytes > 4 ? 8 : 4;
      for (let plane = 0; plane < nrBytes; plane++) {
        for (let i = 0; i < this.nrCases; i++) visit(column, i * stride + plane, index++);
      }
    }
  }
}

export function bytesPerCase(): number {
  return COLUMNS.reduce((sum, [, nrBytes]) => sum + nrBytes, 0);
}
