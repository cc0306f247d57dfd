/**
 * What a processor may hold of translations it made, and what each instruction makes it forget:
 * §4.10.
 *
 * The manual lets a processor drop a cached entry at any time, and use it or not; so this says what
 * MAY be held after the accesses made so far, never what is. A processor that walks only on an
 * access is assumed, as accessed flags would show any other walk.
 */
import { copyVerdict, newVerdict, type Start, type Verdict } from "./manual.ts";
import { isWrite, type Access } from "./processor.ts";

/** What software does about cached entries, or to the current PCID. */
export type Instruction =
  | { readonly name: "INVLPG"; readonly linear: bigint }
  | {
      readonly name: "INVPCID";
      readonly type: 0 | 1 | 2 | 3;
      readonly pcid: number;
      readonly linear: bigint;
    }
  /** MOV to CR3; `keeps` is bit 63 of the operand. */
  | { readonly name: "CR3"; readonly pcid: number; readonly keeps: boolean }
  /** MOV to CR4 twice, so that CR4.PGE changes and is as before. */
  | { readonly name: "PGE" };

/** A TLB entry: the page of `linear`, as the verdict had it. */
export interface CachedTranslation {
  readonly linear: bigint;
  readonly pcid: number;
  readonly isGlobal: boolean;
  readonly verdict: Verdict;
}

/**
 * An entry of a paging-structure cache: it serves addresses that agree with `linear` above the
 * table's reach.
 */
export interface CachedStructure {
  readonly linear: bigint;
  readonly pcid: number;
  readonly start: Start;
}

const PAGE_SHIFTS = [0n, 12n, 21n, 30n];
/** The address bits that one table serves, by its level. */
const TABLE_SHIFTS = [0n, 21n, 30n, 39n, 48n, 57n];

/** Whether two addresses have the same page number, for a page of the level. */
function isSamePage(first: bigint, second: bigint, { pageLevel }: Verdict): boolean {
  const shift = PAGE_SHIFTS[pageLevel];
  return first >> shift === second >> shift;
}

/**
 * §4.10.3.1: a structure entry that leads to a table of level n is chosen by the address bits above
 * that table's.
 */
function isServed(linear: bigint, { linear: cached, start }: CachedStructure): boolean {
  const shift = TABLE_SHIFTS[start.level];
  return linear >> shift === cached >> shift;
}

export class Caches {
  translations: CachedTranslation[] = [];
  structures: CachedStructure[] = [];
  /** The PCID in CR3; 0 while CR4.PCIDE = 0. */
  pcid = 0;
  /** CR4.PGE. */
  hasGlobalPages = false;

  clear(): void {
    this.translations = [];
    this.structures = [];
  }

  /** An access that walked and was not denied; it started at CR3 or where `used` begins. */
  fill(linear: bigint, access: Access, verdict: Verdict, used: readonly Start[]): void {
    const { pcid } = this;
    const kept = newVerdict();
    copyVerdict(verdict, kept);
    kept.isDirty = verdict.isDirty || isWrite(access);
    // §4.10.2.4: G of the entry that maps the page, while CR4.PGE = 1
    const isGlobal = this.hasGlobalPages && verdict.isGlobal;
    // §4.10.2.3: P and A are 1 in all its entries, no reserved bit is
    this.translations.push({ linear, pcid, isGlobal, verdict: kept });
    // §4.10.3.1: the same of a PML5E, PML4E, PDPTE, PDE
    for (const start of used) this.structures.push({ linear, pcid, start });
  }

  /**
   * §4.10.4.1: a page fault drops what there is for its address, so that it cannot recur for that
   * reason.
   */
  pageFault(linear: bigint): void {
    this.translations = this.translations.filter(
      (t) => !(isSamePage(t.linear, linear, t.verdict) && (t.pcid === this.pcid || t.isGlobal)),
    );
    this.structures = this.structures.filter((s) => !(s.pcid === this.pcid && isServed(linear, s)));
  }

  /**
   * TLB entries that may serve an access to `linear` now (§4.10.2.4: global ones whatever the
   * PCID).
   */
  translationsFor(linear: bigint): CachedTranslation[] {
    return this.translations.filter(
      (t) => (t.pcid === this.pcid || t.isGlobal) && isSamePage(t.linear, linear, t.verdict),
    );
  }

  /** §4.10.3.2: structure entries that may shorten a walk for `linear` now; none is global. */
  structuresFor(linear: bigint): CachedStructure[] {
    return this.structures.filter((s) => s.pcid === this.pcid && isServed(linear, s));
  }

  /** §4.10.4.1, one instruction a case. */
  execute(instruction: Instruction): void {
    switch (instruction.name) {
      case "INVLPG":
        // The page's entries of the current PCID, and global ones; every structure entry of the
        // current PCID.
        this.#keep(
          (t) =>
            !(
              isSamePage(t.linear, instruction.linear, t.verdict) &&
              (t.pcid === this.pcid || t.isGlobal)
            ),
          (s) => s.pcid !== this.pcid,
        );
        return;
      case "INVPCID":
        this.#invpcid(instruction);
        return;
      case "CR3":
        this.pcid = instruction.pcid;
        if (instruction.keeps) return; // With CR4.PCIDE = 1 and bit 63 set nothing need be dropped.
        // The entries of the PCID now in CR3, except global ones.
        this.#keep(
          (t) => t.pcid !== this.pcid || t.isGlobal,
          (s) => s.pcid !== this.pcid,
        );
        return;
      case "PGE":
        this.clear(); // A change of CR4.PGE drops everything, for all PCIDs.
    }
  }

  #invpcid({ type, pcid, linear }: Extract<Instruction, { name: "INVPCID" }>): void {
    if (type === 0) {
      // Individual address: what would translate it under that PCID, except global translations.
      this.#keep(
        (t) => !(t.pcid === pcid && !t.isGlobal && isSamePage(t.linear, linear, t.verdict)),
        (s) => !(s.pcid === pcid && isServed(linear, s)),
      );
    } else if (type === 1) {
      // Single context: everything of that PCID, except global translations.
      this.#keep(
        (t) => t.pcid !== pcid || t.isGlobal,
        (s) => s.pcid !== pcid,
      );
    } else if (type === 2) {
      this.clear(); // All contexts, global translations too.
    } else {
      // All contexts, except global translations.
      this.#keep(
        (t) => t.isGlobal,
        () => false,
      );
    }
  }

  #keep(
    translation: (cached: CachedTranslation) => boolean,
    structure: (cached: CachedStructure) => boolean,
  ): void {
    this.translations = this.translations.filter(translation);
    this.structures = this.structures.filter(structure);
  }
}
