/**
 * From a pointer to a linear address: linear-address masking, then the canonicality check.
 *
 * Masking is chapter "Linear-Address Masking (LAM)" of the Instruction Set Extensions reference
 * (319433), in later editions of the manual Vol. 1 §3.3.7.x; canonicality is Vol. 1 §3.3.7.1 and
 * Vol. 3A §4.5.
 */
import { type Access, type Processor } from "./processor.ts";

/** Vol. 1 §3.3.7.1: bits 63:47 alike with 4-level paging, bits 63:56 with 5-level paging. */
export function isCanonical(high: number, la57: boolean): boolean {
  return la57
    ? high >>> 24 === 0 || high >>> 24 === 0xff
    : high >>> 15 === 0 || high >>> 15 === 0x1ffff;
}

const bit = (high: number, number: number): number => (high >>> (number - 32)) & 1;

/**
 * The high half of the linear address that is translated, and that CR2 reports; undefined: the
 * pointer is not canonical. The low half is never changed.
 */
export function linearHigh(processor: Processor, access: Access): number | undefined {
  const { high } = access;
  const width = maskedWidth(processor, access);
  if (width === 0) return isCanonical(high, processor.la57) ? high : undefined;
  // LAM: bit 47 (LAM48) or 56 (LAM57) must equal bit 63
  if (bit(high, width - 1) !== bit(high, 63)) return undefined;
  const kept = 2 ** (width - 32) - 1;
  // LAM: bits 62:48 or 62:57 become copies of bit 63
  const masked = bit(high, 63) === 0 ? high & kept : (high | ~kept) >>> 0;
  // LAM57 with 4-level paging: bits 56:47 are still checked
  return isCanonical(masked, processor.la57) ? masked : undefined;
}

/**
 * 48 or 57: the width to which the pointer is masked; 0: it is not. The processor's own accesses
 * are data accesses too: "When the contents of such registers are used as pointers to access
 * memory, the processor performs canonicality checking and masking based on paging mode and LAM
 * mode" (GDTR, TR, …).
 */
function maskedWidth(processor: Processor, { kind, high }: Access): 0 | 48 | 57 {
  // LAM: data accesses only, never an instruction fetch or a branch target
  if (kind === "fetch") return 0;
  // LAM: a user pointer by its bit 63, whatever CPL is; LAM_U57 comes first
  if (bit(high, 63) === 0 && processor.lamU57) return 57;
  if (bit(high, 63) === 0 && processor.lamU48) return 48;
  // LAM: a supervisor pointer's width is the paging mode's
  if (bit(high, 63) === 1 && processor.lamSup) return processor.la57 ? 57 : 48;
  return 0;
}
