/** Whether what was read is a study as `result.ts` has it, so that reports can rely on it. */
import { PAGE_SIZES, REFERENCE_KINDS } from "../tlb/config.ts";
import type { Study } from "./result.ts";

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isFlag: Check = (value) => typeof value === "boolean";
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isPositive: Check = (value) => isCount(value) && value !== 0;

function oneOf(values: readonly string[]): Check {
  return (value) => values.some((other) => other === value);
}

function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** So many counts. */
function counts(nr: number): Check {
  return (value) => Array.isArray(value) && value.length === nr && value.every(isCount);
}

function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

/** An object that has these fields; it may have others. */
function objectOf(fields: Readonly<Record<string, Check>>): Check {
  return (value) => {
    if (typeof value !== "object" || value === null) return false;
    return Object.entries(fields).every(([key, check]) => check(Reflect.get(value, key)));
  };
}

const hitsAndMisses = listOf(objectOf({ hits: isCount, misses: isCount }));

const isRun = objectOf({
  cpu: isText,
  policy: isText,
  accesses: isCount,
  firstLevel: hitsAndMisses,
  secondLevel: hitsAndMisses,
  walks: isCount,
  prefetches: isCount,
  entryLoads: counts(4),
  loadsFrom: listOf(isCount),
  hitCycles: isCount,
  walkCycles: isCount,
  names: objectOf({
    firstLevel: listOf(isText),
    secondLevel: listOf(isText),
    loadsFrom: listOf(isText),
  }),
  walkers: isPositive,
  routes: listOf(
    objectOf({
      kind: oneOf(REFERENCE_KINDS),
      pageSize: oneOf(PAGE_SIZES),
      accesses: isCount,
      firstLevelMisses: isCount,
      walks: isCount,
    }),
  ),
  intervals: optional(
    listOf(
      objectOf({
        references: isPositive,
        firstLevelMisses: isCount,
        walks: isCount,
        walkCycles: isCount,
      }),
    ),
  ),
  regions: optional(listOf(counts(4))),
  instructions: optional(listOf(counts(3))),
});

const isStudyWith = objectOf({
  trace: objectOf({
    name: isText,
    format: isText,
    references: objectOf({ fetch: isCount, load: isCount, store: isCount }),
    nrBroken: isCount,
    nrSkipped: isCount,
    isCut: isFlag,
  }),
  runs: listOf(isRun),
  samples: optional(listOf(counts(2))),
  curves: optional(
    listOf(
      objectOf({
        pageSize: oneOf(PAGE_SIZES),
        kind: oneOf(["data", "fetch"]),
        accesses: isCount,
        points: listOf(counts(2)),
      }),
    ),
  ),
});

/** Of type and version it says nothing. */
export function isWhole(value: object): value is Study {
  return isStudyWith(value);
}
