/**
 * A processor of one's own, from JSON: the fields of `Processor`, most of which may be left out.
 *
 *     {
 *       "name": "mine",
 *       "firstLevel": [
 *         { "name": "dTLB", "entries": 64, "ways": 4, "kinds": ["load", "store"] },
 *         { "name": "iTLB", "entries": 64, "ways": "full", "kinds": ["fetch"] }
 *       ],
 *       "secondLevel": [{ "name": "STLB", "entries": 1536, "ways": 12, "hitCycles": 9 }]
 *     }
 */
import { HugewalkError, OptionError } from "../errors.ts";
import { checkProcessor } from "./check.ts";
import {
  INCLUSIONS,
  PAGE_SIZES,
  REFERENCE_KINDS,
  REPLACEMENTS,
  type Processor,
  type SecondLevelBank,
  type StructureCaches,
  type TlbArray,
  type WalkCache,
  type WalkCost,
} from "./config.ts";

/** What an array is where its fields say nothing. */
export const ARRAY_DEFAULTS: Omit<TlbArray, "name" | "entries" | "ways"> = {
  pageSizes: PAGE_SIZES,
  kinds: REFERENCE_KINDS,
  indexGroups: 1,
  replacement: "lru",
  pcids: 0,
  coalescedPages: 1,
  keptAs: {},
};

/** ChampSim's sizes. */
const STRUCTURE_CACHE_DEFAULTS: StructureCaches = { pml4: 4, pdpt: 8, pd: 32, pcids: 0 };

/** A core of a server of the years from 2017 on, with half of each cache left to page tables. */
const WALK_COST_DEFAULTS: WalkCost = {
  caches: [
    { name: "L1", lines: 256, ways: 8, cycles: 5 },
    { name: "L2", lines: 8192, ways: 8, cycles: 14 },
    { name: "L3", lines: 16384, ways: 16, cycles: 70 },
  ],
  memoryCycles: 250,
};

/** What a processor is where its fields say nothing. */
export const PROCESSOR_DEFAULTS: Omit<Processor, "name" | "firstLevel"> = {
  secondLevel: [],
  inclusion: "non-inclusive",
  structureCaches: STRUCTURE_CACHE_DEFAULTS,
  nextPagePrefetch: false,
  walkers: 1,
  walkCost: WALK_COST_DEFAULTS,
  randomSeed: 1,
};

/** The processor `text` describes. Throws `HugewalkError`: `file: path: reason`, one line. */
export function parseProcessor(text: string, file: string): Processor {
  try {
    const processor = processorOf(JSON.parse(text), "");
    checkProcessor(processor);
    return processor;
  } catch (error) {
    if (error instanceof OptionError) {
      throw new OptionError(`${file}: ${error.option}`, error.reason);
    }
    if (error instanceof SyntaxError) {
      throw new HugewalkError(`${file}: no JSON: ${error.message.replace(/\s*\n\s*/g, " ")}`);
    }
    throw error;
  }
}

/** Makes a `T` of what JSON has at `path`; what the numbers may be, `checkProcessor` knows. */
type Read<T> = (value: unknown, path: string) => T;

const name: Read<string> = (value, path) => {
  if (typeof value !== "string") throw new OptionError(path, `${JSON.stringify(value)} is no text`);
  return value;
};

const number: Read<number> = (value, path) => {
  if (typeof value !== "number") {
    throw new OptionError(path, `${JSON.stringify(value)} is no number`);
  }
  return value;
};

const ways: Read<number | "full"> = (value, path) =>
  value === "full" ? value : number(value, path);

const yesOrNo: Read<boolean> = (value, path) => {
  if (typeof value !== "boolean") {
    throw new OptionError(path, `${JSON.stringify(value)} is neither true nor false`);
  }
  return value;
};

function oneOf<T extends string>(allowed: readonly T[]): Read<T> {
  return (value, path) => {
    const found = allowed.find((word) => word === value);
    if (found !== undefined) return found;
    throw new OptionError(path, `${JSON.stringify(value)} is none of ${allowed.join(" ")}`);
  };
}

function listOf<T>(read: Read<T>): Read<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new OptionError(path, "is no list");
    return value.map((item, i) => read(item, `${path}[${i}]`));
  };
}

/** An object with these fields; one that is left out has its value in `defaults`, or is missing. */
function objectOf<T extends object>(
  fields: { readonly [K in keyof T]-?: Read<Exclude<T[K], undefined>> },
  defaults: Partial<T>,
): Read<T> {
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new OptionError(path || "processor", "is no object");
    }
    const pathTo = (key: string) => (path === "" ? key : `${path}.${key}`);
    const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key));
    if (unknown !== undefined) {
      throw new OptionError(pathTo(unknown), `is none of ${Object.keys(fields).join(" ")}`);
    }
    const result: Partial<T> = {};
    for (const key in fields) {
      const given: unknown = Reflect.get(value, key);
      if (given !== undefined) result[key] = fields[key](given, pathTo(key));
      else if (!Object.hasOwn(defaults, key)) throw new OptionError(pathTo(key), "is missing");
      else if (defaults[key] !== undefined) result[key] = defaults[key];
    }
    return result as T;
  };
}

const pageSize = oneOf(PAGE_SIZES);

const arrayFields = {
  name,
  entries: number,
  ways,
  pageSizes: listOf(pageSize),
  kinds: listOf(oneOf(REFERENCE_KINDS)),
  indexGroups: number,
  replacement: oneOf(REPLACEMENTS),
  pcids: number,
  coalescedPages: number,
  keptAs: objectOf<TlbArray["keptAs"]>(
    { "4K": pageSize, "2M": pageSize, "1G": pageSize },
    { "4K": undefined, "2M": undefined, "1G": undefined },
  ),
};

const processorOf = objectOf<Processor>(
  {
    name,
    firstLevel: listOf(objectOf<TlbArray>(arrayFields, ARRAY_DEFAULTS)),
    secondLevel: listOf(
      objectOf<SecondLevelBank>({ ...arrayFields, hitCycles: number }, ARRAY_DEFAULTS),
    ),
    inclusion: oneOf(INCLUSIONS),
    structureCaches: objectOf<StructureCaches>(
      { pml4: number, pdpt: number, pd: number, pcids: number },
      STRUCTURE_CACHE_DEFAULTS,
    ),
    nextPagePrefetch: yesOrNo,
    walkers: number,
    walkCost: objectOf<WalkCost>(
      {
        caches: listOf(objectOf<WalkCache>({ name, lines: number, ways, cycles: number }, {})),
        memoryCycles: number,
      },
      WALK_COST_DEFAULTS,
    ),
    randomSeed: number,
  },
  PROCESSOR_DEFAULTS,
);
