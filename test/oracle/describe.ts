/** Cases, verdicts and outcomes in words, for the report of a failure. */
import { LEVEL_NAMES, PAGE_BYTES } from "./entry.ts";
import type { Verdict } from "./manual.ts";
import { PLAIN_PROCESSOR, type Access, type Processor } from "./processor.ts";
import { memoryTypeOf } from "./rights.ts";
import { loadEntries, type Place } from "./scene.ts";
import type { Outcome } from "./subject.ts";

export const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

export function describeAccess({ kind, cpl, manner, high, low }: Access): string {
  const address = (BigInt(high) << 32n) | BigInt(low);
  return `${kind} at CPL ${cpl}${manner === "ordinary" ? "" : ` (${manner})`} of ${hex(address)}`;
}

/** Flags that are set, and what differs from the plain processor otherwise. */
export function describeProcessor(processor: Processor): string {
  const words: string[] = [];
  for (const [name, value] of Object.entries(processor) as [
    keyof Processor,
    number | bigint | boolean,
  ][]) {
    if (typeof value === "boolean") {
      if (value) words.push(name);
      else if (PLAIN_PROCESSOR[name]) words.push(`no ${name}`);
    } else if (value !== PLAIN_PROCESSOR[name]) words.push(`${name}=${hex(value)}`);
  }
  return words.join(" ");
}

export function describeEntries(words: Uint32Array, place: Place): string {
  const entries = loadEntries(words, place);
  return [5, 4, 3, 2, 1]
    .map((level) => `${LEVEL_NAMES[level]} ${hex(place.at[level - 1])}: ${hex(entries[level - 1])}`)
    .join("  ");
}

export function describeVerdict(verdict: Verdict, { pat }: Processor): string {
  const { vector } = verdict;
  if (vector === 12) return "#SS(0)";
  if (vector === 13) return "#GP(0)";
  if (vector === 14) {
    const where =
      verdict.level === 0
        ? "denied"
        : `${LEVEL_NAMES[verdict.level]} at ${hex(verdict.entryAddress)}`;
    const cr2 = (BigInt(verdict.cr2High) << 32n) | BigInt(verdict.cr2Low);
    return `#PF ${hex(verdict.errorCode)}, CR2 ${hex(cr2)} (${where})`;
  }
  const rights = [
    verdict.isWritable ? "W" : "-",
    verdict.isUser ? "U" : "-",
    verdict.isExecuteDisabled ? "-" : "X",
    verdict.isDirty ? "D" : "-",
    verdict.isGlobal ? "G" : "-",
    verdict.isShadowStack ? "SS" : "-",
  ].join("");
  return (
    `physical ${hex(verdict.physicalAddress)}, page ${hex(PAGE_BYTES[verdict.pageLevel])} bytes, ` +
    `${rights}, key ${verdict.protectionKey}, PAT ${verdict.patIndex} ${memoryTypeOf(pat, verdict.patIndex)}`
  );
}

export function describeOutcome(outcome: Outcome): string {
  const { vector, errorCode, fault, translation } = outcome;
  if (vector === 0) {
    const more = translation === undefined ? "" : `, ${JSON.stringify(translation)}`;
    return `physical ${hex(outcome.physicalAddress)}${more}`;
  }
  if (vector === 14 && fault !== undefined) {
    return `#PF ${hex(errorCode)}, CR2 ${hex(fault.address)} (${fault.reason}, level ${fault.level}, entry at ${hex(fault.entryAddress)})`;
  }
  return `vector ${vector}, error code ${hex(errorCode)}`;
}
