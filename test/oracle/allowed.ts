/**
 * The set of outcomes the manual allows an access, given what may be cached: by a TLB entry, by a
 * walk that a paging-structure cache shortens, or by a walk from CR3. Each outcome is a verdict and
 * the memory it leaves.
 */
import type { Caches } from "./caches.ts";
import {
  newVerdict,
  translate,
  useCached,
  type Memory,
  type Start,
  type Verdict,
} from "./manual.ts";
import { isWrite, type Access, type Processor } from "./processor.ts";
import type { TrackedEntries } from "./tracked.ts";

export interface AllowedOutcome {
  readonly by: "walk" | "shortened walk" | "TLB";
  readonly verdict: Verdict;
  /** The low halves of the tracked entries after the access. */
  readonly after: Uint32Array;
  /** What a walk used; empty for a TLB entry. */
  readonly used: readonly Start[];
}

const NOTHING: readonly Start[] = [];

/**
 * Precondition: the access's address is canonical and not masked. `memory` is as before afterwards.
 */
export function allowedOutcomes(
  processor: Processor,
  memory: Memory,
  access: Access,
  linear: bigint,
  caches: Caches,
  tracked: TrackedEntries,
): AllowedOutcome[] {
  const before = tracked.save(memory.words);
  const outcomes = [walkFrom(undefined, processor, memory, access, tracked, before)];
  for (const { start } of caches.structuresFor(linear)) {
    outcomes.push(walkFrom(start, processor, memory, access, tracked, before));
  }
  for (const { verdict: cached } of caches.translationsFor(linear)) {
    const verdict = newVerdict();
    useCached(processor, access, cached, verdict);
    // §4.8: a write sets the dirty flag of the entry in memory, which takes a walk if the cached
    // flag is clear.
    if (verdict.vector === 0 && isWrite(access) && !cached.isDirty) continue;
    outcomes.push({ by: "TLB", verdict, after: before, used: NOTHING });
  }
  return outcomes;
}

function walkFrom(
  start: Start | undefined,
  processor: Processor,
  memory: Memory,
  access: Access,
  tracked: TrackedEntries,
  before: Uint32Array,
): AllowedOutcome {
  const verdict = newVerdict();
  const used: Start[] = [];
  translate(processor, memory, access, verdict, start, used);
  const after = tracked.save(memory.words);
  tracked.restore(memory.words, before);
  return { by: start === undefined ? "walk" : "shortened walk", verdict, after, used };
}
