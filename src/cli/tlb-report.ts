/** A study, as text: the answer first, then what it comes from. */
import { PAGE_SHIFT, PAGE_SIZES } from "../tlb/config.ts";
import type { Mapping } from "../study/mappings.ts";
import { answer, savedShare, type Answer, type Range } from "../study/answer.ts";
import { milestones, rank, rankSamples, type Ranking } from "../study/ranking.ts";
import type { SampledRegion, Study } from "../study/result.ts";
import { address, bytes, count, figure, percent, percentOf, ratio } from "./numbers.ts";
import { tableLines } from "./table.ts";

export interface ReportOptions {
  /** Rows of rankings. */
  readonly top: number;
  readonly mappings?: readonly Mapping[];
}

const SHARES = [0.5, 0.9, 0.99, 1];
const BARS = "▁▂▃▄▅▆▇█";

export function* reportLines(study: Study, options: ReportOptions): Generator<string> {
  if (study.samples) {
    yield* sampleLines(study, study.samples, options);
    return;
  }
  const found = answer(study);
  if (found) yield* answerLines(found);
  yield* basisLines(study);
  yield "";
  yield* runLines(study, found?.unit ?? "references");
  yield* sizeLines(study);
  yield* rankingLines(study, options);
  yield* intervalLines(study);
  yield* instructionLines(study, options);
  yield* curveLines(study);
}

function* answerLines({ isWorthIt, savings, base, unit, cpus }: Answer): Generator<string> {
  const best = savings.find(({ policy }) => policy === "2M") ?? savings[0];
  const cost = `${range(base, figure)} cycles in 1,000 ${unit}`;
  yield isWorthIt
    ? `Larger pages help: ${best.policy} saves ${range(best.share, percent)} of what page walks cost, ` +
      `${range(best.cycles, figure)} of ${cost}.`
    : `Larger pages would hardly help: page walks cost ${cost}; ` +
      `${best.policy} saves ${range(best.share, percent)} of that.`;
  for (const { policy, share, cycles } of savings) {
    if (policy === best.policy) continue;
    yield `${policy} saves ${range(share, percent)}: ${range(cycles, figure)} cycles.`;
  }
  yield (
    `Ranges are over ${cpus.join(", ")}, and from walks that overlap on all of a CPU's walkers ` +
      "to walks one after another."
  );
}

function* basisLines({ trace, runs }: Study): Generator<string> {
  const { fetch, load, store } = trace.references;
  const parts = [`${count(load)} loads`, `${count(store)} stores`];
  if (fetch > 0) parts.unshift(`${count(fetch)} instructions`);
  const skipped =
    trace.nrSkipped > 0 ? `, behind the first ${count(trace.nrSkipped)} references` : "";
  const cut = trace.isCut ? ", which is not its end" : "";
  const broken = trace.nrBroken > 0 ? `, without ${count(trace.nrBroken)} broken records` : "";
  yield `It rests on ${trace.name} (${trace.format}): ${parts.join(", ")}${skipped}${cut}${broken}.`;
  if (runs.length > 0) {
    yield "All are made by one CPU that has nothing else to do; what a walk costs is the preset's.";
  }
}

function range({ least, most }: Range, format: (n: number) => string): string {
  const [from, to] = [format(least), format(most)];
  if (from === to) return to;
  const isPercent = from.endsWith(" %") && to.endsWith(" %");
  return `${isPercent ? from.slice(0, -2) : from} to ${to}`;
}

function* runLines({ runs, trace }: Study, unit: Answer["unit"]): Generator<string> {
  const { fetch, load, store } = trace.references;
  const thousands = (unit === "instructions" ? fetch : load + store + fetch) / 1000;
  const head = [
    "cpu",
    "policy",
    "L1 misses",
    "second level's",
    `walks/1,000`,
    "loads/walk",
    "cycles/walk",
    `cycles/1,000`,
    "saved",
  ];
  yield* tableLines(
    head,
    runs.map((run) => {
      const { accesses, firstLevel, walks, entryLoads, walkCycles } = run;
      const base = runs.find(({ cpu, policy }) => cpu === run.cpu && policy === "4K");
      return [
        run.cpu,
        run.policy,
        percentOf(sum(firstLevel.map(({ misses }) => misses)), accesses),
        percentOf(walks, accesses),
        ratio(walks, thousands),
        ratio(sum(entryLoads), walks + run.prefetches),
        ratio(walkCycles, walks),
        ratio(walkCycles, thousands),
        base && base !== run ? percent(savedShare(base, run)) : "",
      ];
    }),
  );
  yield `Misses are of all page accesses; 1,000: ${unit}.`;
}

/** Where a policy has pages of several sizes: how many accesses and misses each has. */
function* sizeLines({ runs }: Study): Generator<string> {
  const rows = runs.flatMap((run) => {
    const sizes = PAGE_SIZES.map((size) => {
      const own = run.routes.filter(({ pageSize }) => pageSize === size);
      const total = (field: "accesses" | "firstLevelMisses" | "walks") =>
        sum(own.map((route) => route[field]));
      return {
        size,
        accesses: total("accesses"),
        misses: total("firstLevelMisses"),
        walks: total("walks"),
      };
    }).filter(({ accesses }) => accesses > 0);
    if (sizes.length < 2) return [];
    return sizes.map(({ size, accesses, misses, walks }) => [
      run.cpu,
      run.policy,
      size,
      percentOf(accesses, run.accesses),
      percentOf(misses, accesses),
      percentOf(walks, accesses),
    ]);
  });
  if (rows.length === 0) return;
  yield "";
  yield* tableLines(["cpu", "policy", "pages", "of accesses", "L1 misses", "second level's"], rows);
}

function* rankingLines(study: Study, options: ReportOptions): Generator<string> {
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

function* regionLines(ranking: Ranking, cpu: string, options: ReportOptions): Generator<string> {
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
  yield* tableLines([...head, ...(options.mappings ? ["mapping"] : [])], rows);
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
      ? `${count(n)} ${n === 1 ? "region" : "regions"} (${size}) make up ${share * 100} % ${of}`
      : `${count(n)} (${size}) ${share * 100} %`;
  });
  return `${parts.join(", ")}.`;
}

/** What is mapped there, if it is known: all names in the region. */
function nameCells(start: number, length: number, { mappings }: ReportOptions): string[] {
  if (!mappings) return [];
  const here = mappings.filter(({ from, to }) => from < start + length && to > start);
  return [[...new Set(here.map(({ name }) => name || "(anonymous)"))].join(" ")];
}

function* sampleLines(
  { trace }: Study,
  samples: readonly SampledRegion[],
  options: ReportOptions,
): Generator<string> {
  const total = sum(samples.map(([, n]) => n));
  yield (
    "These are samples: they tell which regions are used most, but not what misses, nor what " +
      "larger pages would save."
  );
  yield* basisLines({ trace, runs: [], type: "study", version: 1 });
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

function* intervalLines({ runs }: Study): Generator<string> {
  const known = runs.filter(({ intervals }) => intervals && intervals.length > 0);
  if (known.length === 0) return;
  yield "";
  yield `Walk cycles a reference, by intervals of ${count(known[0].intervals![0].references)} references:`;
  const rows = known.map(({ cpu, policy, intervals = [] }) => {
    const costs = intervals.map(({ walkCycles, references }) => walkCycles / references);
    return [cpu, policy, bars(costs), figure(Math.min(...costs)), figure(Math.max(...costs))];
  });
  yield* tableLines(["cpu", "policy", "over time", "least", "most"], rows);
}

/** At most 64 bars; each is the mean of its share of the numbers. */
function bars(numbers: readonly number[]): string {
  const nrBars = Math.min(64, numbers.length);
  const means = Array.from({ length: nrBars }, (_, i) => {
    const own = numbers.slice(
      Math.floor((i * numbers.length) / nrBars),
      Math.floor(((i + 1) * numbers.length) / nrBars),
    );
    return sum(own) / own.length;
  });
  const most = Math.max(...means);
  return means.map((mean) => BARS[most > 0 ? Math.round((mean / most) * 7) : 0]).join("");
}

function* instructionLines({ runs }: Study, { top }: ReportOptions): Generator<string> {
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
        address(at),
        count(walks),
        count(cycles),
        percentOf(cycles, run.walkCycles),
      ]),
  );
}

function* curveLines({ curves }: Study): Generator<string> {
  if (!curves || curves.length === 0) return;
  for (const kind of ["data", "fetch"] as const) {
    const own = curves.filter((curve) => curve.kind === kind && curve.accesses > 0);
    if (own.length === 0) continue;
    yield "";
    yield `Misses of a fully associative LRU TLB, ${kind === "data" ? "loads and stores" : "fetches"}, by its entries:`;
    const entries = [...new Set(own.flatMap(({ points }) => points.map(([n]) => n)))].toSorted(
      (a, b) => a - b,
    );
    const rows = entries
      .filter((n) => Number.isInteger(Math.log2(n)))
      .map((n) => [
        count(n),
        ...own.map(({ points, accesses }) => {
          const point = points.findLast(([at]) => at <= n);
          return point ? percentOf(point[1], accesses) : "-";
        }),
      ]);
    yield* tableLines(["entries", ...own.map(({ pageSize }) => pageSize)], rows);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
