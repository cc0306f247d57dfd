/** Random processors, small enough that short traces fill and overflow every part of them. */
import type { Random } from "../../src/fuzz/random.ts";
import { checkProcessor } from "../../src/tlb/check.ts";
import {
  INCLUSIONS,
  REPLACEMENTS,
  type PageSize,
  type Processor,
  type ReferenceKind,
  type SecondLevelBank,
  type TlbArray,
  type WalkCache,
} from "../../src/tlb/config.ts";
import { OptionError } from "../../src/errors.ts";

const KIND_SPLITS: readonly (readonly (readonly ReferenceKind[])[])[] = [
  [["fetch", "load", "store"]],
  [["fetch"], ["load", "store"]],
  [["fetch"], ["load"], ["store"]],
  [["fetch"], ["load"]],
];
const SIZE_SPLITS: readonly (readonly (readonly PageSize[])[])[] = [
  [["4K", "2M", "1G"]],
  [["4K"], ["2M"], ["1G"]],
  [["4K", "2M"], ["1G"]],
  [["4K"]],
];
const KEPT: readonly TlbArray["keptAs"][] = [{ "1G": "2M" }, { "2M": "4K" }, {}];

/** A processor that makes sense, of which nothing else is known. */
export function randomProcessor(random: Random): Processor {
  for (;;) {
    const processor = draw(random);
    try {
      checkProcessor(processor);
      return processor;
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
    }
  }
}

function draw(random: Random): Processor {
  const inclusion = random.chance(50) ? "non-inclusive" : random.pick(INCLUSIONS);
  const isPlain = inclusion !== "non-inclusive";
  const firstLevel = random.pick(KIND_SPLITS).flatMap((kinds) => {
    return random.pick(SIZE_SPLITS).map((pageSizes) => array(random, kinds, pageSizes, isPlain));
  });
  const areAlike = random.chance(50);
  const alike = [
    random.pick(random.pick(SIZE_SPLITS)),
    random.pick(random.pick(KIND_SPLITS)),
  ] as const;
  const banks = Array.from({ length: random.below(5) }, (): SecondLevelBank => {
    const pageSizes = areAlike ? alike[0] : random.pick(random.pick(SIZE_SPLITS));
    const kinds = areAlike ? alike[1] : random.pick(random.pick(KIND_SPLITS));
    return { ...array(random, kinds, pageSizes, isPlain), hitCycles: random.below(10) };
  });
  const structureEntries = () => random.pick([0, 1, 2, 4, 17]);
  return {
    name: "random",
    firstLevel: firstLevel.map((one, i) => ({ ...one, name: `first ${i}` })),
    secondLevel: banks.map((one, i) => ({ ...one, name: `second ${i}` })),
    inclusion,
    structureCaches: {
      pml4: structureEntries(),
      pdpt: structureEntries(),
      pd: structureEntries(),
      pcids: random.below(4),
    },
    nextPagePrefetch: random.chance(30),
    walkers: 1,
    walkCost: {
      caches: Array.from({ length: random.below(3) }, (_, i): WalkCache => {
        const ways = random.between(1, 5);
        return { name: `${i}`, ways, lines: ways * 2 ** random.below(3), cycles: random.below(50) };
      }),
      memoryCycles: 200,
    },
    randomSeed: random.between(1, 2 ** 32 - 1),
  };
}

function array(
  random: Random,
  kinds: readonly ReferenceKind[],
  pageSizes: readonly PageSize[],
  isPlain: boolean,
): TlbArray {
  const replacement = random.pick(REPLACEMENTS);
  const ways =
    replacement === "plru"
      ? 2 ** random.below(5)
      : replacement === "mru3-plru"
        ? 3 * 2 ** random.below(4)
        : random.between(1, random.chance(10) ? 40 : 9);
  const keptAs = isPlain ? {} : random.pick(KEPT);
  const isKept = Object.keys(keptAs).every((size) => pageSizes.includes(size as PageSize));
  return {
    name: "",
    entries: ways * 2 ** random.below(5),
    ways,
    pageSizes,
    kinds,
    indexGroups: random.between(1, 4),
    replacement,
    pcids: random.below(4),
    coalescedPages: isPlain ? 1 : random.pick([1, 1, 4]),
    keptAs: isKept ? keptAs : {},
  };
}
