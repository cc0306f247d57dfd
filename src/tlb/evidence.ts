/** Where the numbers of a processor come from, and how sure they are. */
import type { Processor } from "./config.ts";

/**
 * - `high`: the maker publishes it, or the processor says it itself (CPUID).
 * - `medium`: published, but simplified here, or measured by others on a relative.
 * - `unknown`: not published, or not found: a likely value stands here.
 */
export type Confidence = "high" | "medium" | "unknown";

export const SOURCES = {
  cpuid:
    "CPUID leaves 2, 4 and 18H (Intel), 8000_0005H, 8000_0006H and 8000_0019H (AMD), from dumps",
  "event model": "the constants and formulas of Intel's published event models (top-down metrics)",
  disclosed: "what the maker disclosed of the microarchitecture",
  "amd guide": "AMD's Software Optimization Guide of the family; L2 arrays are skewed there",
  tlbdr: "vusec/tlbdr: measured on Skylake-class processors, agreement 99.9 %",
  champsim: "ChampSim's default",
  survey: "published measurements of several AMD families",
  caches:
    "published sizes of a core's caches and its share of the last one; half of each is left to page tables",
  model: "how hugewalk models it",
  "likely value": "not published, or not found; what relatives have, or the plainest choice",
} as const;

type Source = keyof typeof SOURCES;

/**
 * What a part of a processor rests on. `about` is a path as in `factsOf()` or its beginning, `*`
 * for any one step of it; of several claims that fit, the last one counts.
 */
export interface Claim {
  readonly about: string;
  readonly confidence: Confidence;
  readonly source: Source;
  /** What the bare number does not say. */
  readonly note?: string;
}

/** A number or word of a processor. `path` has steps between dots, arrays by name. */
export interface Fact {
  readonly path: readonly string[];
  readonly value: string;
}

/** Everything that a processor is made of, without names. */
export function factsOf(processor: Processor): Fact[] {
  return [...leavesOf(processor, [])];
}

/** The claim that the fact at `path` rests on. */
export function claimOn(path: readonly string[], claims: readonly Claim[]): Claim | undefined {
  return claims.findLast(({ about }) =>
    about.split(".").every((step, i) => step === "*" || step === path[i]),
  );
}

function* leavesOf(value: object, path: readonly string[]): Generator<Fact> {
  for (const [key, part] of Object.entries(value)) {
    const partPath = [...path, key];
    if (key === "name") continue;
    if (!isObject(part)) yield { path: partPath, value: String(part) };
    else if (Array.isArray(part) && part.some((item) => typeof item === "string")) {
      yield { path: partPath, value: part.join(" ") };
    } else if (Array.isArray(part)) {
      for (const item of part) yield* leavesOf(item, [...partPath, item.name]);
    } else yield* leavesOf(part, partPath);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
