/**
 * Whether a processor makes sense: the first thing that does not is an `OptionError` whose option
 * is the path to it (`secondLevel[0].ways`). Words are checked by their types, and by `parse.ts`
 * where they come from a file.
 */
import { OptionError } from "../errors.ts";
import {
  keptSize,
  nrWays,
  PAGE_SHIFT,
  PAGE_SIZES,
  REFERENCE_KINDS,
  serves,
  type Processor,
  type TlbArray,
} from "./config.ts";

const MOST_ENTRIES = 2 ** 20;
const MOST_ARRAYS = 32;
const MOST_PCIDS = 4096;
const MOST_CYCLES = 2 ** 20;

/** Throws `OptionError` for what `config.ts` does not allow. */
export function checkProcessor(processor: Processor): void {
  const { firstLevel, secondLevel, structureCaches, walkCost } = processor;
  if (processor.name === "") throw new OptionError("name", "is empty");
  checkLength("firstLevel", firstLevel.length, 1);
  checkLength("secondLevel", secondLevel.length, 0);
  const arrays = [...pathsOf("firstLevel", firstLevel), ...pathsOf("secondLevel", secondLevel)];
  for (const [path, array] of arrays) checkArray(path, array);
  for (const [path, bank] of pathsOf("secondLevel", secondLevel)) {
    checkInteger(`${path}.hitCycles`, bank.hitCycles, 0, MOST_CYCLES);
  }
  checkNames(arrays);
  checkFirstLevel(processor);
  checkBanks(processor);
  if (processor.inclusion !== "non-inclusive") checkMovable(processor, arrays);
  for (const level of ["pml4", "pdpt", "pd"] as const) {
    checkInteger(`structureCaches.${level}`, structureCaches[level], 0, MOST_ENTRIES);
  }
  checkInteger("structureCaches.pcids", structureCaches.pcids, 0, MOST_PCIDS);
  checkLength("walkCost.caches", walkCost.caches.length, 0);
  for (const [path, cache] of pathsOf("walkCost.caches", walkCost.caches)) {
    checkSets(path, "lines", { entries: cache.lines, ways: cache.ways });
    checkInteger(`${path}.cycles`, cache.cycles, 0, MOST_CYCLES);
  }
  checkInteger("walkCost.memoryCycles", walkCost.memoryCycles, 0, MOST_CYCLES);
  checkInteger("walkers", processor.walkers, 1, 64);
  checkInteger("randomSeed", processor.randomSeed, 1, 2 ** 32 - 1);
}

function checkArray(path: string, array: TlbArray): void {
  checkSets(path, "entries", array);
  checkList(`${path}.pageSizes`, array.pageSizes);
  checkList(`${path}.kinds`, array.kinds);
  checkInteger(`${path}.indexGroups`, array.indexGroups, 1, 36);
  checkReplacement(`${path}.replacement`, array);
  checkInteger(`${path}.pcids`, array.pcids, 0, MOST_PCIDS);
  checkInteger(`${path}.coalescedPages`, array.coalescedPages, 1, 64);
  if (!isPowerOf2(array.coalescedPages)) {
    throw new OptionError(`${path}.coalescedPages`, `${array.coalescedPages} is no power of two`);
  }
  for (const size of PAGE_SIZES) {
    const kept = array.keptAs[size];
    if (kept === undefined) continue;
    const keptPath = `${path}.keptAs.${size}`;
    if (!array.pageSizes.includes(size)) {
      throw new OptionError(keptPath, `${size} is not among pageSizes`);
    }
    if (PAGE_SHIFT[kept] >= PAGE_SHIFT[size]) {
      throw new OptionError(keptPath, `${kept} is not smaller than ${size}`);
    }
  }
}

function checkSets(
  path: string,
  unit: "entries" | "lines",
  array: Pick<TlbArray, "entries" | "ways">,
): void {
  const { entries, ways } = array;
  checkInteger(`${path}.${unit}`, entries, 1, MOST_ENTRIES);
  if (ways !== "full") checkInteger(`${path}.ways`, ways, 1, entries);
  const nrSets = entries / nrWays(array);
  if (!Number.isInteger(nrSets)) {
    throw new OptionError(`${path}.ways`, `${ways} does not divide ${entries} ${unit}`);
  }
  if (!isPowerOf2(nrSets)) {
    throw new OptionError(
      `${path}.ways`,
      `${ways} of ${entries} ${unit} are ${nrSets} sets, no power of two`,
    );
  }
}

function checkReplacement(path: string, array: TlbArray): void {
  const ways = nrWays(array);
  if (array.replacement === "plru" && !isPowerOf2(ways)) {
    throw new OptionError(path, `plru needs a power of two of ways, not ${ways}`);
  }
  if (array.replacement === "mru3-plru" && !isPowerOf2(ways / 3)) {
    throw new OptionError(path, `mru3-plru needs three times a power of two of ways, not ${ways}`);
  }
}

function checkNames(arrays: readonly [path: string, array: TlbArray][]): void {
  const pathsByName = new Map<string, string>();
  for (const [path, { name }] of arrays) {
    if (name === "") throw new OptionError(`${path}.name`, "is empty");
    const other = pathsByName.get(name);
    if (other !== undefined) {
      throw new OptionError(`${path}.name`, `"${name}" is the name of ${other}`);
    }
    pathsByName.set(name, path);
  }
}

function checkFirstLevel({ firstLevel }: Processor): void {
  for (const kind of REFERENCE_KINDS) {
    for (const size of PAGE_SIZES) {
      const serving = pathsOf("firstLevel", firstLevel).filter(([, a]) => serves(a, kind, size));
      if (serving.length > 1) {
        const [[first], [path]] = serving;
        throw new OptionError(path, `serves ${kind} of ${size}, which ${first} serves`);
      }
    }
  }
}

function checkBanks({ firstLevel, secondLevel }: Processor): void {
  for (const [path, bank] of pathsOf("secondLevel", secondLevel)) {
    for (const [other, { kinds }] of pathsOf("firstLevel", firstLevel)) {
      const nrServed = kinds.filter((kind) => bank.kinds.includes(kind)).length;
      if (nrServed !== 0 && nrServed !== kinds.length) {
        throw new OptionError(`${path}.kinds`, `serves some kinds of ${other}, but not all`);
      }
    }
  }
  for (const kind of REFERENCE_KINDS) {
    for (const size of PAGE_SIZES) {
      const banks = pathsOf("secondLevel", secondLevel).filter(([, b]) => serves(b, kind, size));
      if (![0, 1, 2, 4].includes(banks.length)) {
        throw new OptionError(
          "secondLevel",
          `${banks.length} banks serve ${kind} of ${size}; it can be 0, 1, 2 or 4`,
        );
      }
      for (const [path, bank] of banks.slice(1)) {
        const [first, { coalescedPages }] = banks[0];
        if (keptSize(bank, size) !== keptSize(banks[0][1], size)) {
          throw new OptionError(`${path}.keptAs`, `differs for ${size} from ${first}'s`);
        }
        if (bank.coalescedPages !== coalescedPages) {
          throw new OptionError(`${path}.coalescedPages`, `differs from ${first}'s`);
        }
        const odd = REFERENCE_KINDS.find(
          (k) => serves(bank, k, size) !== serves(banks[0][1], k, size),
        );
        if (odd)
          throw new OptionError(path, `serves ${kind} of ${size} with ${first}, but not ${odd}`);
      }
    }
  }
}

/** Entries move between levels, or leave both: they must stand for the same pages in both. */
function checkMovable(
  { inclusion, firstLevel, secondLevel }: Processor,
  arrays: readonly [path: string, array: TlbArray][],
): void {
  for (const [path, { coalescedPages, keptAs }] of arrays) {
    if (coalescedPages > 1) {
      throw new OptionError(`${path}.coalescedPages`, `must be 1 where inclusion is ${inclusion}`);
    }
    if (Object.values(keptAs).some(Boolean)) {
      throw new OptionError(`${path}.keptAs`, `must be empty where inclusion is ${inclusion}`);
    }
  }
  const fewest = Math.min(...secondLevel.map(({ pcids }) => Math.max(1, pcids)));
  for (const [path, { pcids }] of pathsOf("firstLevel", firstLevel)) {
    if (pcids > fewest) {
      throw new OptionError(
        `${path}.pcids`,
        `${pcids} is more than the second level keeps, and inclusion is ${inclusion}`,
      );
    }
  }
}

function pathsOf<T>(path: string, items: readonly T[]): [path: string, item: T][] {
  return items.map((item, i) => [`${path}[${i}]`, item]);
}

function checkLength(path: string, length: number, least: number): void {
  if (length < least) throw new OptionError(path, "is empty");
  if (length > MOST_ARRAYS) throw new OptionError(path, `has ${length}, more than ${MOST_ARRAYS}`);
}

function checkInteger(path: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new OptionError(path, `${value} is no whole number of ${least} to ${most}`);
  }
}

function checkList(path: string, values: readonly string[]): void {
  if (values.length === 0) throw new OptionError(path, "is empty");
  values.forEach((value, i) => {
    if (values.indexOf(value) !== i) throw new OptionError(`${path}[${i}]`, `${value} is twice`);
  });
}

function isPowerOf2(n: number): boolean {
  return Number.isInteger(Math.log2(n));
}
