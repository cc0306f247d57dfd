/**
 * Where the recorded QEMU departs from Intel's manual, as rules on a case and its outcome; and the
 * outcome without those departures. README.md tells each with its section.
 */
import {
  type Access,
  CR2_BEFORE,
  isCanonical,
  type Outcome,
  type RecordedCase,
  secondPageOf,
} from "./case.ts";

export const DEVIATIONS = [
  /** A fault for a reserved bit has P = 0 in its error code. */
  "reserved without P",
  /** A fault sets the accessed flag of the 1G page's entry that caused it. */
  "1G accessed by a fault",
  /** RFLAGS.AC lifts SMAP from accesses that the processor makes itself at CPL 0. */
  "AC for an implicit access",
  /** A non-canonical address on the stack segment gives #GP. */
  "#GP for the stack",
  /** An operand that begins canonical and ends otherwise: its first page is walked first. */
  "walk before #GP",
] as const;

export type Deviation = (typeof DEVIATIONS)[number];

const FAULT_P = 1;
const FAULT_W = 2;
const FAULT_RSVD = 8;
const A = 0x20n;
const PS = 0x80n;

export function deviationsOf(one: RecordedCase): Deviation[] {
  const { access, control, outcome } = one;
  const found: Deviation[] = [];
  if (isPageFault(outcome) && (outcome.errorCode & (FAULT_RSVD | FAULT_P)) === FAULT_RSVD) {
    found.push("reserved without P");
  }
  if (indexOfAccessed1G(one) >= 0) found.push("1G accessed by a fault");
  if (access.implicit && access.cpl === 0 && control.smap && control.ac) {
    found.push("AC for an implicit access");
  }
  if (outcome.vector === 13 && access.segment === "ss") found.push("#GP for the stack");
  if (isWalkedBeforeGP(one)) found.push("walk before #GP");
  return found;
}

/**
 * What the manual says of a recorded case, as far as it follows from the recording: undefined where
 * a deviation hides it. A protection fault leaves the leaf's accessed flag alone.
 */
export function correctedOutcome(one: RecordedCase): Outcome | undefined {
  const { access, entries, outcome } = one;
  const found = deviationsOf(one);
  if (found.includes("AC for an implicit access")) return undefined;
  if (found.includes("walk before #GP")) {
    return {
      vector: nonCanonicalVector(access),
      errorCode: 0,
      cr2: CR2_BEFORE,
      stored: outcome.stored.map(() => false),
      entriesAfter: entries.map((entry) => entry.value),
    };
  }
  const accessed = indexOfAccessed1G(one);
  return {
    ...outcome,
    vector: outcome.vector === 13 ? nonCanonicalVector(access) : outcome.vector,
    errorCode: outcome.errorCode | (found.includes("reserved without P") ? FAULT_P : 0),
    entriesAfter: outcome.entriesAfter.map((value, i) => (i === accessed ? value & ~A : value)),
  };
}

function isPageFault(outcome: Outcome): boolean {
  return outcome.vector === 14;
}

function nonCanonicalVector(access: Access): 12 | 13 {
  return access.segment === "ss" ? 12 : 13;
}

function isWalkedBeforeGP({
  processor: { levels },
  access,
  entries,
  outcome,
}: RecordedCase): boolean {
  const last = BigInt.asUintN(64, access.address + BigInt(access.size) - 1n);
  if (!isCanonical(access.address, levels) || isCanonical(last, levels)) return false;
  return isPageFault(outcome) || entries.some(({ value }, i) => value !== outcome.entriesAfter[i]);
}

/** The entry of a 1G page that the fault marked, though no access went through it; -1 if none. */
function indexOfAccessed1G({ access, entries, outcome }: RecordedCase): number {
  const { errorCode, cr2 } = outcome;
  if (!isPageFault(outcome) || (errorCode & (FAULT_P | FAULT_RSVD)) === 0) return -1;
  // The processor has read the whole descriptor when it comes to mark it.
  if (access.implicit && (errorCode & FAULT_W) !== 0 && access.kind === "write") return -1;
  const page = cr2 === secondPageOf(access) && entries.some((entry) => entry.page === 1) ? 1 : 0;
  return entries.findIndex(
    ({ level, page: of, value }, i) =>
      level === 3 &&
      of === page &&
      (value & (PS | A)) === PS &&
      (outcome.entriesAfter[i] & A) !== 0n,
  );
}
