/** Rankings of a study, as text: regions by what they save or by samples, and instructions. */
import { PAGE_SHIFT } from "../tlb/config.ts";
import type { Mapping } from "../study/mappings.ts";
import { milestones, rank, rankSamples, type Ranking } from "../study/ranking.ts";
import type { SampledRegion, Study } from "../study/result.ts";
import { address, bytes, count, percentOf } from "./numbers.ts";
import { tableLines } from "./table.ts";

export interface RankingOptions {
  /** Rows of each. */
  readonly top: number;
  /** Of the program, for names. */
  readonly mappings?: readonly Mapping[];
}

const SHARES = [0.5, 0.9, 0.99, 1];

export function* rankingLines(study: Study, options: RankingOptions): Generator<string> {
  const [cpu] = study.runs.map((run) => run.cpu);
  for (const size of ["2M", "1G"] as const) {
    const runOf = (policy: string) =>
      study.runs.find((run) => run.cpu === cpu && run.policy === policy);
    const [base, huge] = [runOf("4K"), runOf(size)];
    const ranking = base && huge && rank(base, huge, size);
    if (!ranking || ranking.regions.length === 0) continue;
    yield "";
    yield* regionLines(ranking, cpu, options);
  }
}

function* regionLines(ranking: Ranking, cpu: string, options: RankingOptions): Generator<string> {
  const { pageSize, regions, savedCycles } = ranking;
  const regionBytes = 2 ** PAGE_SHIFT[pageSize];
  yield `What to back with ${pageSize} first (${cpu}; ${count(regions.length)} regions are walked to):`;
  if (savedCycles === 0) {
    yield `No region saves anything.`;
    return;
  }
  const pagesOf = regionBytes / 2 ** PAGE_SHIFT["4K"];
  let soFar = 0;
  const head = [
    "region",
    `4K pages used of ${count(pagesOf)}`,
    "walks",
    "cycles saved",
    "of all",
    "so far",
  ];
  const rows = regions.slice(0, options.top).map((region) => {
    soFar += Math.max(0, region.savedCycles);
    return [
      address(region.address),
      count(region.touchedPages),
      count(region.walks),
      count(region.savedCycles),
      percentOf(region.savedCycles, savedCycles),
      percentOf(soFar, savedCycles),
      ...nameCells(region.address, regionBytes, options),
    ];
  });
  if (rows.length > 0) {
    yield* tableLines([...head, ...(options.mappings ? ["mapping"] : [])], rows);
  }
  yield flattening(
    regions.map((region) => region.savedCycles),
    regionBytes,
    "of what can be saved",
  );
}

/** How many regions make up which share. */
function flattening(weights: readonly number[], regionBytes: number, of: string): string {
  const numbers = milestones(weights, SHARES);
  const steps = numbers.map((n, i) => ({ n, share: SHARES[i] }));
  const told = steps.filter(({ n }, i) => steps[i + 1]?.n !== n);
  const parts = told.map(({ n, share }, i) => {
    const size = bytes(n * regionBytes);
    return i === 0
      ? `${n === 1 ? "1 region" : `${count(n)} regions`} (${size}) ${n === 1 ? "makes" : "make"} up ${share * 100} % ${of}`
      : `${count(n)} (${size}) ${share * 100} %`;
  });
  return `${parts.join(", ")}.`;
}

const NAMES_MAX = 4;

/** What is mapped there, if it is known. */
function nameCells(start: number, length: number, { mappings }: RankingOptions): string[] {
  if (!mappings) return [];
  const here = mappings.filter(({ from, to }) => from < start + length && to > start);
  const names = [...new Set(here.map(({ name }) => name || "(anonymous)"))];
  const nrMore = names.length - NAMES_MAX;
  return [names.slice(0, NAMES_MAX).join(" ") + (nrMore > 0 ? ` and ${nrMore} more` : "")];
}

/** Regions by samples, which is all that these tell. */
export function* sampleLines(
  samples: readonly SampledRegion[],
  options: RankingOptions,
): Generator<string> {
  const total = samples.reduce((sum, [, n]) => sum + n, 0);
  for (const size of ["2M", "1G"] as const) {
    const ranked = rankSamples(samples, size);
    if (ranked.length === 0) continue;
    const regionBytes = 2 ** PAGE_SHIFT[size];
    let soFar = 0;
    const rows = ranked.slice(0, options.top).map(([start, n]) => {
      soFar += n;
      return [
        address(start),
        count(n),
        percentOf(n, total),
        percentOf(soFar, total),
        ...nameCells(start, regionBytes, options),
      ];
    });
    yield "";
    yield `Regions of ${size} by samples (${count(ranked.length)} have any):`;
    const head = ["region", "samples", "of all", "so far"];
    yield* tableLines([...head, ...(options.mappings ? ["mapping"] : [])], rows);
    yield flattening(
      ranked.map(([, n]) => n),
      regionBytes,
      "of all samples",
    );
  }
}

export function* instructionLines({ runs }: Study, { top }: RankingOptions): Generator<string> {
  const run =
    runs.find(({ policy, instructions }) => policy === "4K" && instructions) ??
    runs.find(({ instructions }) => instructions);
  if (!run?.instructions) return;
  yield "";
  yield `Instructions by what walks for them cost (${run.cpu}, ${run.policy}):`;
  yield* tableLines(
    ["instruction", "walks", "cycles", "of all"],
    run.instructions
      .slice(0, top)
      .map(([at, walks, cycles]) => [
        at === 0 ? "(not known)" : address(at),
        count(walks),
        count(cycles),
        percentOf(cycles, run.walkCycles),
      ]),
  );
}
