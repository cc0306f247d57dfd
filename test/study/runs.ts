/** Runs and studies made by hand. */
import type { Run, Study } from "../../src/study/result.ts";

/** Of one processor with no more than a level, and nothing counted. */
export function runWith(fields: Partial<Run>): Run {
  return {
    cpu: "small",
    policy: "4K",
    accesses: 0,
    firstLevel: [{ hits: 0, misses: 0 }],
    secondLevel: [],
    walks: 0,
    prefetches: 0,
    entryLoads: [0, 0, 0, 0],
    loadsFrom: [0],
    hitCycles: 0,
    walkCycles: 0,
    names: { firstLevel: ["TLB"], secondLevel: [], loadsFrom: ["memory"] },
    walkers: 1,
    routes: [],
    ...fields,
  };
}

export function studyWith(runs: readonly Run[], trace: Partial<Study["trace"]> = {}): Study {
  return {
    type: "study",
    version: 1,
    trace: {
      name: "trace",
      format: "csv",
      references: { fetch: 0, load: 1000, store: 0 },
      nrBroken: 0,
      nrSkipped: 0,
      isCut: false,
      ...trace,
    },
    runs,
  };
}
