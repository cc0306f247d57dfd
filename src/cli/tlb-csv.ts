/** A study as CSV: a row for each run. */
import type { Study } from "../study/result.ts";

const HEAD = [
  "trace",
  "cpu",
  "policy",
  "fetches",
  "loads",
  "stores",
  "page_accesses",
  "first_level_misses",
  "second_level_hits",
  "walks",
  "prefetches",
  "pte_loads",
  "pde_loads",
  "pdpte_loads",
  "pml4e_loads",
  "second_level_hit_cycles",
  "walk_cycles",
  "walkers",
] as const;

export function* csvLines({ trace, runs }: Study): Generator<string> {
  yield HEAD.join(",");
  const { fetch, load, store } = trace.references;
  for (const run of runs) {
    const misses = run.firstLevel.reduce((sum, { misses: n }) => sum + n, 0);
    const hits = run.secondLevel.reduce((sum, { hits: n }) => sum + n, 0);
    const row: (string | number)[] = [trace.name, run.cpu, run.policy, fetch, load, store];
    row.push(run.accesses, misses, hits, run.walks, run.prefetches, ...run.entryLoads);
    row.push(run.hitCycles, run.walkCycles, run.walkers);
    yield row.map(cell).join(",");
  }
}

/** RFC 4180. */
function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
