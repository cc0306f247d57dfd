/** AMD's Zen family. */
import type { PageSize, Processor, TlbArray, WalkCost } from "./config.ts";
import type { Claim } from "./evidence.ts";
import { PROCESSOR_DEFAULTS } from "./parse.ts";
import { bank, claimsOf, dataArray, fetchArray, walkCost, type Preset } from "./parts.ts";

const ALL: readonly PageSize[] = ["4K", "2M", "1G"];

const AMD_CLAIMS: readonly Claim[] = [
  { about: "secondLevel", confidence: "medium", source: "amd guide" },
  {
    about: "secondLevel.*.hitCycles",
    confidence: "medium",
    source: "amd guide",
    note: "7 to 8 cycles",
  },
  { about: "walkers", confidence: "medium", source: "amd guide" },
];

/** In all of them. */
const ZEN_CLAIMS: readonly Claim[] = [
  { about: "structureCaches.pd", confidence: "medium", source: "survey" },
  ...["firstLevel", "secondLevel"].map((level): Claim => {
    return {
      about: `${level}.*.coalescedPages`,
      confidence: "unknown",
      source: "model",
      note: "neighbouring pages share an entry where their frames are neighbours; a trace does not say which are",
    };
  }),
];

/** The number of ways differs with the page size in a skewed array; the model has one. */
function skewed(ways: string): Claim {
  return {
    about: "secondLevel.L2 dTLB.ways",
    confidence: "medium",
    source: "amd guide",
    note: `skewed: ${ways}`,
  };
}

interface Zen {
  readonly name: string;
  readonly title: string;
  /** Entries of the first level for data: fully associative, all sizes. */
  readonly nrData: number;
  readonly secondLevel: readonly TlbArray[];
  readonly walkers: number;
  readonly cost: WalkCost;
  readonly pcids: number;
  readonly claims: readonly Claim[];
}

function zen({ name, title, nrData, secondLevel, walkers, cost, pcids, claims }: Zen): Preset {
  const firstLevel = [
    dataArray("L1 dTLB", nrData, "full", ALL),
    fetchArray("L1 iTLB", 64, "full", ALL),
  ];
  const processor: Processor = {
    name,
    firstLevel,
    ...PROCESSOR_DEFAULTS,
    secondLevel: secondLevel.map((array) => bank({ ...array, pcids }, 7)),
    structureCaches: { ...PROCESSOR_DEFAULTS.structureCaches, pd: 24, pcids },
    walkers,
    walkCost: cost,
  };
  return { title, processor, claims: claimsOf(AMD_CLAIMS, [...ZEN_CLAIMS, ...claims]) };
}

/** Caches of a core, and its share of the last: KiB, ways, cycles. */
const L1_32K = [32, 8, 4] as const;
const L2_512K = [512, 8, 12] as const;
const lastCache = (cycles: number) => [4096, 16, cycles] as const;

/** A page of 1G is kept as pages of 2M. */
const SMASHED = { keptAs: { "1G": "2M" } } as const;

const SINCE_ZEN3 = { walkers: 6, pcids: 4 } as const;

/** Data of 1G has an array of its own. */
function secondLevelSinceZen3(nrData: number, ways: number, nrFetch: number): TlbArray[] {
  return [
    dataArray("L2 dTLB", nrData, ways, ["4K", "2M"]),
    dataArray("L2 dTLB 1G", 64, "full", ["1G"]),
    fetchArray("L2 iTLB", nrFetch, 8, ALL, SMASHED),
  ];
}

export const AMD: readonly Preset[] = [
  zen({
    name: "zen2",
    title: "AMD Zen 2, EPYC 7002, Ryzen 3000",
    nrData: 64,
    secondLevel: [
      dataArray("L2 dTLB", 2048, 8, ALL, SMASHED),
      fetchArray("L2 iTLB", 1024, 8, ALL, SMASHED),
    ],
    walkers: 2,
    cost: walkCost([L1_32K, L2_512K, lastCache(39)], 260),
    pcids: 0,
    claims: [
      skewed("8 ways for 4K, 4 for 2M"),
      { about: "secondLevel.*.keptAs", confidence: "medium", source: "amd guide" },
      {
        about: "secondLevel.*.pcids",
        confidence: "high",
        source: "cpuid",
        note: "it has no PCIDs",
      },
    ],
  }),
  zen({
    name: "zen3",
    title: "AMD Zen 3, EPYC 7003, Ryzen 5000",
    nrData: 64,
    secondLevel: secondLevelSinceZen3(2048, 8, 512),
    cost: walkCost([L1_32K, L2_512K, lastCache(46)], 270),
    claims: [skewed("8 ways for 4K, 4 for 2M")],
    ...SINCE_ZEN3,
  }),
  zen({
    name: "zen4",
    title: "AMD Zen 4, EPYC 9004, Ryzen 7000",
    nrData: 72,
    secondLevel: secondLevelSinceZen3(3072, 6, 512),
    cost: walkCost([L1_32K, [1024, 8, 14], lastCache(50)], 310),
    claims: [skewed("8 ways for 4K, 6 for 2M")],
    ...SINCE_ZEN3,
  }),
  zen({
    name: "zen5",
    title: "AMD Zen 5, EPYC 9005, Ryzen 9000",
    nrData: 96,
    secondLevel: secondLevelSinceZen3(4096, 16, 2048),
    cost: walkCost([[48, 12, 4], [1024, 16, 14], lastCache(47)], 330),
    claims: [
      { about: "secondLevel.L2 dTLB 1G", confidence: "unknown", source: "likely value" },
      { about: "secondLevel.*.hitCycles", confidence: "unknown", source: "likely value" },
      { about: "walkers", confidence: "unknown", source: "likely value" },
    ],
    ...SINCE_ZEN3,
  }),
];
