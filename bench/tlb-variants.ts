/** What the TLB model takes for other processors and further questions, to Skylake's 4K alone. */
import type { TlbModelOptions } from "../src/tlb/model.ts";
import { ALL_ADDRESSES, type PagePolicy } from "../src/tlb/page-policy.ts";
import { type Effort, measure } from "./measure.ts";
import { type Report, atMost, formatRatio, formatTiming, timingOf } from "./report.ts";
import { HITS, MISSES, type Pattern, caseOf, createModel } from "./tlb.ts";

interface Variant {
  readonly name: string;
  readonly preset?: string;
  /** Besides the policy. */
  readonly options?: TlbModelOptions;
  /** 4K where it is left out. */
  readonly policy?: PagePolicy;
  /** Of its time to that of Skylake's 4K alone; undefined: none. */
  readonly goal?: number;
}

/** Rules that no page gets a larger size by: the same counts, and what asking costs. */
const RULES: PagePolicy = [{ ...ALL_ADDRESSES, pageSize: "2M", availability: 0, delay: Infinity }];

const ALONE: Variant = { name: "skylake-sp" };
const VARIANTS: readonly Variant[] = [
  ALONE,
  { name: "sapphire-rapids", preset: "sapphire-rapids", goal: 3 },
  { name: "zen4", preset: "zen4", goal: 3 },
  { name: "walks tallied by region", options: { hasRegions: true }, goal: 1.3 },
  { name: "sizes by rules", policy: RULES, goal: 1.5 },
  { name: "with caches of walks", options: { hasWalkCost: true } },
];
const PATTERNS: readonly Pattern[] = [HITS, MISSES];

export async function benchTlbVariants(effort: Effort): Promise<Report> {
  const cases = VARIANTS.flatMap((variant) => {
    const { preset, options, policy = "4K" } = variant;
    return PATTERNS.map((pattern) => {
      const model = createModel(pattern, { ...options, policies: [policy] }, preset);
      return caseOf(nameOf(variant, pattern), model, policy);
    });
  });
  const timings = await measure("tlb-variants", cases, effort);
  const timingFor = (variant: Variant, pattern: Pattern) => {
    return timingOf(timings, nameOf(variant, pattern));
  };
  return {
    title: "TLB model, other processors and further questions (4K pages)",
    notes: ["ns a reference, best (median)"],
    columns: PATTERNS.flatMap(({ name }) => [name, "to skylake-sp"]),
    rows: VARIANTS.map((variant) => [
      variant.name,
      ...PATTERNS.flatMap((pattern) => {
        const timing = timingFor(variant, pattern);
        return [formatTiming(timing), formatRatio(timing, timingFor(ALONE, pattern))];
      }),
    ]),
    goals: VARIANTS.flatMap((variant) => {
      const { goal } = variant;
      if (goal === undefined) return [];
      return PATTERNS.map((pattern) => {
        const ratio = timingFor(variant, pattern).best / timingFor(ALONE, pattern).best;
        return atMost(`TLB model, ${nameOf(variant, pattern)}`, ratio, goal, "×");
      });
    }),
  };
}

function nameOf({ name }: Variant, pattern: Pattern): string {
  return `${name}: ${pattern.name}`;
}
