/** The TLB model on Skylake: references a second, against the same stages in C. */
import { execFileSync } from "node:child_process";
import { REFERENCE_SIZE_SHIFT } from "../assembly/layout.ts";
import { PAGE_SIZES, type PageSize } from "../src/tlb/config.ts";
import { TlbModel, type TlbModelOptions } from "../src/tlb/model.ts";
import type { PagePolicy } from "../src/tlb/page-policy.ts";
import { findPreset } from "../src/tlb/presets.ts";
import { VIRTUAL_BASE } from "./addresses.ts";
import { type Case, type Effort, type Foreign, WrongResult, measure } from "./measure.ts";
import { type Report, atLeast, atMost, formatRatio, formatTiming, timingOf } from "./report.ts";
import { type Compiled, compile } from "./yardstick/native.ts";

export interface Pattern {
  readonly name: string;
  /** 4K pages that references are random over; 0: one after another, 8 bytes each. */
  readonly pages: number;
  /** Millions of references a second, 4K pages alone. */
  readonly goal?: number;
  /** Of the two levels of TLB and nothing else. */
  readonly hasNoStructureCaches?: boolean;
}

const SEQUENTIAL: Pattern = { name: "sequential", pages: 0, goal: 700 };
export const HITS: Pattern = { name: "random, STLB hits (4 MiB)", pages: 1024, goal: 150 };
const MISSES_ALONE: Pattern = {
  name: "random, misses (16 GiB), L1 and STLB alone",
  pages: 2 ** 22,
  goal: 120,
  hasNoStructureCaches: true,
};
export const MISSES: Pattern = { name: "random, misses (16 GiB)", pages: 2 ** 22 };
const PATTERNS: readonly Pattern[] = [SEQUENTIAL, HITS, MISSES_ALONE, MISSES];
/** Of wasm to C, and of all page sizes at once to one of them. */
const RATIO_GOAL = 1.25;
const SIZES_GOAL = 2.2;
/** What C prints. */
interface Native {
  readonly best: number;
  readonly median: number;
  readonly nrBatches: number;
  readonly firstMisses: number;
  readonly walks: number;
  readonly entryLoads: readonly number[];
}

export async function benchTlb(effort: Effort): Promise<Report> {
  const built = compile("tlb");
  const native = typeof built === "string" ? undefined : built;
  if (native) for (const pattern of PATTERNS) compareCounts(native, pattern);
  const cases = PATTERNS.flatMap((pattern) => [
    caseOf(nameOf(pattern, ["4K"]), createModel(pattern, { policies: ["4K"] })),
    caseOf(nameOf(pattern, PAGE_SIZES), createModel(pattern)),
  ]);
  const timings = await measure("tlb", cases, effort, native && foreignOf(native));
  const rows = PATTERNS.map((pattern) => ({
    pattern,
    one: timingOf(timings, nameOf(pattern, ["4K"])),
    all: timingOf(timings, nameOf(pattern, PAGE_SIZES)),
    c: timings.get(nameOfNative(pattern)),
  }));
  return {
    title: "TLB model (Skylake, with its structure caches, without caches of walks)",
    notes: ["ns a reference, best (median)"],
    columns: ["4K", "C", "4K to C", "all sizes", "to 4K"],
    rows: rows.map(({ pattern, one, all, c }) => [
      pattern.name,
      formatTiming(one),
      c && formatTiming(c),
      formatRatio(one, c),
      formatTiming(all),
      formatRatio(all, one),
    ]),
    goals: rows.flatMap(({ pattern: { name, goal, hasNoStructureCaches }, one, all, c }) => [
      ...(goal ? [atLeast(`TLB model, ${name}`, 1000 / one.best, goal, " M/s")] : []),
      ...(c ? [atMost(`the same, to C's`, one.best / c.best, RATIO_GOAL, "×")] : []),
      // Each size's two levels do the same work: what sizes share is all that is before and behind.
      ...(hasNoStructureCaches
        ? []
        : [atMost(`all page sizes to 4K, ${name}`, all.best / one.best, SIZES_GOAL, "×")]),
    ]),
  };
}

function nameOf({ name }: Pattern, sizes: readonly PageSize[]): string {
  return `${name}, ${sizes.join(" ")}`;
}

function nameOfNative({ name }: Pattern): string {
  return `${name}, C`;
}

/** The references of `yardstick/tlb.c`: loads of 8 bytes. */
export function createModel(
  { pages, hasNoStructureCaches }: Pattern,
  options: TlbModelOptions = {},
  preset = "skylake-sp",
): TlbModel {
  const { processor: whole } = findPreset(preset);
  const structureCaches = { ...whole.structureCaches, pml4: 0, pdpt: 0, pd: 0 };
  const processor = hasNoStructureCaches ? { ...whole, structureCaches } : whole;
  const model = new TlbModel(processor, { hasWalkCost: false, ...options });
  let state = 1;
  for (let i = 0; i < model.batch.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const offset = pages === 0 ? i * 8 : ((state >>> 8) % pages) * 4096;
    model.batch[i] = BigInt(VIRTUAL_BASE + offset) | (7n << BigInt(REFERENCE_SIZE_SHIFT));
  }
  return model;
}

/** All references of `model`; one of its policies counts them. */
export function caseOf(name: string, model: TlbModel, policy: PagePolicy = "4K"): Case {
  let nrRuns = 0;
  return {
    name,
    items: model.batch.length,
    run() {
      model.replay(model.batch.length);
      nrRuns++;
    },
    check() {
      const { accesses } = model.counts(policy);
      if (accesses !== nrRuns * model.batch.length) throw new WrongResult(`${accesses} accesses`);
    },
  };
}

function runNative({ program }: Compiled, pattern: Pattern, nrBatches: number): Native {
  const { pages, hasNoStructureCaches } = pattern;
  const structures = hasNoStructureCaches ? 0 : 1;
  const args = [pages === 0 ? "s" : "r", Math.max(1, pages), structures, nrBatches].map(String);
  return JSON.parse(execFileSync(program, args, { encoding: "utf8" })) as Native;
}

function foreignOf(native: Compiled): Foreign {
  return ({ seconds }) => {
    // A batch takes some 0.1 ms.
    const nrBatches = Math.max(5, Math.round(seconds / 0.0001));
    return new Map(
      PATTERNS.map((pattern) => [nameOfNative(pattern), runNative(native, pattern, nrBatches)]),
    );
  };
}

/** Both must have computed the same. */
function compareCounts(native: Compiled, pattern: Pattern): void {
  const c = runNative(native, pattern, 3);
  const model = createModel(pattern, { policies: ["4K"] });
  for (let i = 0; i < c.nrBatches; i++) model.replay(model.batch.length);
  const counts = model.counts("4K");
  const missing = counts.firstLevel.reduce((sum, { misses }) => sum + misses, 0);
  const ours = [missing, counts.walks, ...counts.entryLoads];
  const theirs = [c.firstMisses, c.walks, ...c.entryLoads];
  if (ours.join() !== theirs.join()) {
    throw new WrongResult(`${pattern.name}: ${ours.join()} counted, and ${theirs.join()} in C`);
  }
}
