/** Translation of a batch of addresses, by what has the answer and by page size. */
import { formatBytes, pageBytesOf } from "../src/address.ts";
import { BATCH, type Pages, cyclicAddresses, randomAddresses } from "./addresses.ts";
import { type Case, type Effort, WrongResult, measure } from "./measure.ts";
import { type Report, atMost, formatRatio, formatTiming, timingOf } from "./report.ts";
import { Scene } from "./scene.ts";
import { type NativeYardstick, foreignOf } from "./yardstick/native.ts";

/** Who translates: the lookaside, which counts nothing, or what `Cpu.counts` counts. */
type Source = "lookaside" | "l1Hits" | "l2Hits" | "walks";

interface Scenario {
  readonly name: string;
  readonly source: Source;
  readonly pages: Pages;
}

const HOT: Pages = { level: 1, count: 256 };
const HIT_GOAL_NS = 3;
/** Of a hit in wasm to one in C. */
const RATIO_GOAL = 1.25;

/** Page counts follow from SKYLAKE_TLB: what hits fits exactly, what misses by far does not. */
const SCENARIOS: readonly Scenario[] = [
  scenario("lookaside", HOT),
  scenario("lookaside", { level: 2, count: 1 }),
  scenario("l1Hits", { level: 1, count: 64 }),
  scenario("l1Hits", { level: 2, count: 32 }),
  scenario("l1Hits", { level: 3, count: 4 }),
  scenario("l2Hits", { level: 1, count: 1024 }),
  scenario("l2Hits", { level: 2, count: 1024 }),
  scenario("l2Hits", { level: 3, count: 16 }),
  scenario("walks", { level: 1, count: 4096 }),
  scenario("walks", { level: 2, count: 4096 }),
  scenario("walks", { level: 3, count: 64 }),
];
const NAME_OF_NATIVE = "C";

export async function benchTranslate(effort: Effort, native?: NativeYardstick): Promise<Report> {
  const foreign =
    native &&
    foreignOf(
      native,
      [HOT],
      ({ hit }) => hit,
      () => NAME_OF_NATIVE,
    );
  const timings = await measure("translate", SCENARIOS.map(caseOf), effort, foreign);
  const c = timings.get(NAME_OF_NATIVE);
  const hot = SCENARIOS[0];
  const hit = timingOf(timings, hot.name);
  return {
    title: "Translation (batches)",
    notes: ["ns an address, best (median); the lookaside is off where the TLB is meant"],
    columns: ["wasm", "C", "wasm to C"],
    rows: SCENARIOS.map(({ name }) => {
      const wasm = timingOf(timings, name);
      const other = name === hot.name ? c : undefined;
      return [name, formatTiming(wasm), other && formatTiming(other), formatRatio(wasm, other)];
    }),
    goals: [
      atMost(`translation, ${hot.name}`, hit.best, HIT_GOAL_NS, " ns"),
      ...(c ? [atMost("the same, to C's", hit.best / c.best, RATIO_GOAL, "×")] : []),
    ],
  };
}

function scenario(source: Source, pages: Pages): Scenario {
  const what = {
    lookaside: "hit in the lookaside",
    l1Hits: "hit in the first-level TLB",
    l2Hits: "hit in the second-level TLB",
    walks: "miss: walk and fill",
  }[source];
  return {
    name: `${what}, ${pages.count} × ${formatBytes(pageBytesOf(pages.level))}`,
    source,
    pages,
  };
}

function caseOf({ name, source, pages }: Scenario): Case {
  const addresses = source === "lookaside" ? randomAddresses(pages) : cyclicAddresses(pages);
  const scene = new Scene({ pages, addresses, hasLookaside: source === "lookaside" });
  return {
    name,
    items: BATCH,
    run: () => scene.translate(),
    check() {
      scene.check();
      const before = scene.cpu.counts;
      scene.translate();
      const after = scene.cpu.counts;
      for (const count of ["l1Hits", "l2Hits", "walks"] as const) {
        const nr = after[count] - before[count];
        if (nr !== (count === source ? BATCH : 0)) throw new WrongResult(`${name}: ${nr} ${count}`);
      }
    },
  };
}
