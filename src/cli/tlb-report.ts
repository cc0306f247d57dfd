/** A study, as text: the answer first, then what it comes from. */
import { PAGE_SIZES } from "../tlb/config.ts";
import { answer, rangeOf, savedShare, unitOf, type Answer, type Range } from "../study/answer.ts";
import type { Interval, Run, Study } from "../study/result.ts";
import { count, counted, figure, percent, percentOf, ratio } from "./numbers.ts";
import { tableLines } from "./table.ts";
import { instructionLines, type RankingOptions, rankingLines, sampleLines } from "./tlb-ranking.ts";

export function* reportLines(study: Study, options: RankingOptions): Generator<string> {
  if (study.samples) {
    yield (
      "These are samples: they tell which regions are used most, but not what misses, nor what " +
        "larger pages would save."
    );
    yield basisLine(study);
    yield* sampleLines(study.samples, options);
    return;
  }
  const found = answer(study);
  if (found) yield* answerLines(found);
  else yield "Nothing is compared: that needs pages of 4K and a policy with larger ones.";
  yield basisLine(study);
  yield* limitLines(study);
  yield "";
  yield* runLines(study);
  yield* sizeLines(study);
  yield* rankingLines(study, options);
  yield* intervalLines(study);
  yield* instructionLines(study, options);
  yield* curveLines(study);
}

const WORTH_WORDS = { certain: "help", possible: "may help", hardly: "would hardly help" } as const;

function* answerLines({ worth, best, savings, base, unit, cpus }: Answer): Generator<string> {
  const which = isPageSize(best.policy) ? "Larger pages" : "These larger pages";
  yield (
    `${which} ${WORTH_WORDS[worth]}: ${best.policy} saves ${range(best.share, percent)} of what ` +
      `page walks cost, ${range(best.cycles, figure)} of ${range(base, figure)} cycles in 1,000 ${unit}.`
  );
  for (const { policy, share, cycles } of savings) {
    if (policy === best.policy) continue;
    yield `${policy} saves ${range(share, percent)}: ${range(cycles, figure)} cycles.`;
  }
  const over = cpus.length > CPUS_TOLD ? `${cpus.length} CPUs` : cpus.join(", ");
  yield (
    `Ranges: ${cpus.length > 1 ? `over ${over}; ` : ""}from all walkers of a CPU always busy to one ` +
      "walk after another."
  );
}

/** More are told by their number. */
const CPUS_TOLD = 3;

function basisLine({ trace }: Study): string {
  const { fetch, load, store } = trace.references;
  const parts = [counted(load, "load"), counted(store, "store")];
  if (fetch > 0) parts.unshift(counted(fetch, "instruction"));
  const skipped =
    trace.nrSkipped > 0 ? `, behind the first ${counted(trace.nrSkipped, "reference")}` : "";
  const cut = trace.isCut ? ", a part of the trace" : "";
  const broken = trace.nrBroken > 0 ? `, without ${counted(trace.nrBroken, "broken record")}` : "";
  return `It rests on ${trace.name} (${trace.format}): ${parts.join(", ")}${skipped}${cut}${broken}.`;
}

/** What has to be known of the numbers. */
function* limitLines({ runs }: Study): Generator<string> {
  yield (
    "All threads are on one CPU that has nothing else to do; what a walk costs is the preset's, not " +
      "measured."
  );
  const base = runs.find(({ policy, regions }) => policy === "4K" && regions);
  const firstWalks = sum(base?.regions?.map(([, , , touchedPages]) => touchedPages) ?? []);
  if (!base || firstWalks === 0 || firstWalks < base.walks / 2) return;
  const which = firstWalks === base.walks ? "All" : `${count(firstWalks)} of`;
  yield (
    `${which} ${counted(base.walks, "walk")} with 4K on ${base.cpu} are the first to their page: a longer ` +
      "run has relatively fewer."
  );
}

function range({ least, most }: Range, format: (n: number) => string): string {
  const [from, to] = [format(least), format(most)];
  if (from === to) return to;
  const isPercent = from.endsWith(" %") && to.endsWith(" %");
  return `${isPercent ? from.slice(0, -2) : from} to ${to}`;
}

function* runLines({ runs, trace }: Study): Generator<string> {
  const { unit, nrThousands } = unitOf(trace);
  const head = [
    "cpu",
    "policy",
    "L1 misses",
    "L2 misses",
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
        ratio(walks, nrThousands),
        ratio(sum(entryLoads), walks + run.prefetches),
        ratio(walkCycles, walks),
        ratio(walkCycles, nrThousands),
        base && base !== run ? percent(savedShare(base, run)) : "",
      ];
    }),
  );
  yield (
    "Misses are of all page accesses: L1, in the first level; L2, in both, so that pages are walked. " +
      `1,000: ${unit}.`
  );
}

function isPageSize(policy: string): boolean {
  return PAGE_SIZES.some((size) => size === policy);
}

function usesLargePages({ routes }: Run): boolean {
  return routes.some(({ pageSize }) => pageSize !== "4K");
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
  const unused = runs.filter((run) => !isPageSize(run.policy) && !usesLargePages(run));
  if (rows.length + unused.length > 0) yield "";
  for (const policy of new Set(unused.map((run) => run.policy))) {
    yield `${policy} gives no large page that is used: one must lie in its range as a whole.`;
  }
  if (rows.length === 0) return;
  yield* tableLines(["cpu", "policy", "pages", "of accesses", "L1 misses", "L2 misses"], rows);
}

function* intervalLines({ runs }: Study): Generator<string> {
  const known = runs.flatMap(({ cpu, policy, intervals = [] }) => {
    return intervals.length > 0 ? [{ cpu, policy, intervals, means: meansOf(intervals) }] : [];
  });
  if (known.length === 0) return;
  const length = counted(known[0].intervals[0].references, "reference");
  yield "";
  yield `Walk cycles a reference, by intervals of ${length}; bars of a CPU have one scale:`;
  const rows = known.map(({ cpu, policy, intervals, means }) => {
    const ofCpu = known.filter((other) => other.cpu === cpu).flatMap((other) => other.means);
    const { least, most } = rangeOf(intervals.map((interval) => meanOf([interval])));
    return [cpu, policy, bars(means, rangeOf(ofCpu).most), figure(least), figure(most)];
  });
  yield* tableLines(["cpu", "policy", "over time", "least", "most"], rows);
}

const BARS = "▁▂▃▄▅▆▇█";
const BARS_MAX = 64;

/** Walk cycles a reference, of at most as many parts as there is room for. */
function meansOf(intervals: readonly Interval[]): number[] {
  const nrParts = Math.min(BARS_MAX, intervals.length);
  const startOf = (part: number) => Math.floor((part * intervals.length) / nrParts);
  return Array.from({ length: nrParts }, (_, i) => {
    return meanOf(intervals.slice(startOf(i), startOf(i + 1)));
  });
}

function meanOf(intervals: readonly Interval[]): number {
  const total = (field: keyof Interval) => sum(intervals.map((interval) => interval[field]));
  return total("walkCycles") / total("references");
}

/** What is not nothing is seen. */
function bars(means: readonly number[], most: number): string {
  return means.map((mean) => BARS[mean === 0 ? 0 : Math.ceil((mean / most) * 7)]).join("");
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
    const missesOf = (nrEntries: number) =>
      own.map(({ points }) => points.findLast(([at]) => at <= nrEntries)?.[1]);
    const fewest = missesOf(Infinity).join();
    const powers = entries.filter((n) => Number.isInteger(Math.log2(n)));
    const end = powers.findIndex((n) => missesOf(n).join() === fewest) + 1 || powers.length;
    const rows = powers.slice(0, end).map((n) => {
      const cells = missesOf(n).map((misses, i) => {
        return misses === undefined ? "-" : percentOf(misses, own[i].accesses);
      });
      return [count(n), ...cells];
    });
    yield* tableLines(["entries", ...own.map(({ pageSize }) => pageSize)], rows);
    if (end < powers.length) yield "TLBs with more entries miss as many.";
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
