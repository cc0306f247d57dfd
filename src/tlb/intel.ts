/** Intel's processors since Haswell. */
import type { Processor, SecondLevelBank, TlbArray, WalkCost } from "./config.ts";
import type { Claim } from "./evidence.ts";
import { PROCESSOR_DEFAULTS } from "./parse.ts";
import { bank, claimsOf, claimsOn, dataArray, fetchArray, walkCost, type Preset } from "./parts.ts";

const PLRU = { replacement: "plru" } as const;
/** In Skylake's STLB live four PCIDs, in its first level one. */
const STLB = { kinds: ["fetch", "load", "store"], indexGroups: 2, pcids: 4 } as const;

/** 1G pages of code have no array of their own in any of them. */
const CODE_1G = { keptAs: { "1G": "2M" } } as const;

function itlb(entries: number, entries2M: number, ways2M: number | "full"): TlbArray[] {
  return [
    fetchArray("iTLB 4K", entries, 8, ["4K"], PLRU),
    fetchArray("iTLB 2M", entries2M, ways2M, ["2M", "1G"], { ...PLRU, ...CODE_1G }),
  ];
}

const DATA_UP_TO_SKYLAKE: readonly TlbArray[] = [
  dataArray("dTLB 4K", 64, 4, ["4K"], PLRU),
  dataArray("dTLB 2M", 32, 4, ["2M"], PLRU),
  dataArray("dTLB 1G", 4, 4, ["1G"], PLRU),
];

/** Loads and stores apart. */
function dataSinceIceLake(entries: number, ways: number): TlbArray[] {
  const loads = { kinds: ["load"] } as const;
  // Six ways are no tree of pairs.
  const loads4K = { ...loads, replacement: ways === 6 ? "mru3-plru" : "plru" } as const;
  return [
    dataArray("load dTLB 4K", entries, ways, ["4K"], loads4K),
    dataArray("load dTLB 2M", 32, 4, ["2M"], { ...loads, ...PLRU }),
    dataArray("load dTLB 1G", 8, "full", ["1G"], { ...loads, ...PLRU }),
    dataArray("store dTLB", 16, "full", ["4K", "2M", "1G"], { kinds: ["store"], ...PLRU }),
  ];
}

/** 4K pages are dealt out between both. */
const TWO_BANKS: readonly SecondLevelBank[] = [
  bank(dataArray("STLB 4K+2M", 1024, 8, ["4K", "2M"], { ...STLB, ...PLRU }), 7),
  bank(dataArray("STLB 4K+1G", 1024, 8, ["4K", "1G"], { ...STLB, ...PLRU }), 7),
];

function oneBank(entries: number, ways: number, hitCycles: number): SecondLevelBank {
  const replacement = ways === 8 ? "plru" : "mru3-plru";
  return bank(
    dataArray("STLB 4K+2M", entries, ways, ["4K", "2M"], { ...STLB, replacement }),
    hitCycles,
  );
}

function oneGigabyteBank(hitCycles: number): SecondLevelBank {
  const more = { ...STLB, indexGroups: 1, ...PLRU };
  return bank(dataArray("STLB 1G", 16, 4, ["1G"], more), hitCycles);
}

const INTEL_CLAIMS: readonly Claim[] = [
  { about: "secondLevel", confidence: "high", source: "cpuid" },
  { about: "secondLevel.*.hitCycles", confidence: "high", source: "event model" },
  { about: "walkers", confidence: "high", source: "event model" },
];

const TWO_BANK_CLAIMS: readonly Claim[] = [
  {
    about: "secondLevel.*.indexGroups",
    confidence: "unknown",
    source: "likely value",
    note: "which bank a 4K page is in is unknown, too: its last bit says it here",
  },
];

const STORES_AS_ICE_LAKE: Claim = {
  about: "firstLevel.store dTLB",
  confidence: "unknown",
  source: "likely value",
  note: "as in Ice Lake",
};

const MEASURED = ["indexGroups", "replacement", "pcids"] as const;
const BY_TLBDR = { confidence: "high", source: "tlbdr" } as const;

const SKYLAKE_CLAIMS: readonly Claim[] = [
  ...claimsOn("firstLevel.dTLB 4K", MEASURED, BY_TLBDR),
  ...claimsOn("firstLevel.iTLB 4K", MEASURED, BY_TLBDR),
  ...claimsOn("secondLevel.STLB 4K+2M", MEASURED, BY_TLBDR),
  { about: "inclusion", ...BY_TLBDR },
];

function intel(
  name: string,
  title: string,
  firstLevel: readonly TlbArray[],
  secondLevel: readonly SecondLevelBank[],
  walkers: number,
  cost: WalkCost,
  claims: readonly Claim[],
): Preset {
  const structureCaches = { ...PROCESSOR_DEFAULTS.structureCaches, pcids: 4 };
  const processor: Processor = {
    name,
    firstLevel,
    ...PROCESSOR_DEFAULTS,
    secondLevel,
    structureCaches,
    walkers,
    walkCost: cost,
  };
  return { title, processor, claims: claimsOf(INTEL_CLAIMS, claims) };
}

export const INTEL: readonly Preset[] = [
  intel(
    "haswell-ep",
    "Intel Haswell-EP, Xeon v3",
    [...DATA_UP_TO_SKYLAKE, ...itlb(64, 8, "full")],
    [oneBank(1024, 8, 8)],
    1,
    walkCost(
      [
        [32, 8, 4],
        [256, 8, 12],
        [2560, 20, 50],
      ],
      220,
    ),
    claimsOn("firstLevel.iTLB 4K", ["entries", "ways"], {
      confidence: "high",
      source: "cpuid",
      note: "Intel's manual says 128 entries",
    }),
  ),
  intel(
    "broadwell",
    "Intel Broadwell, Xeon v4",
    [...DATA_UP_TO_SKYLAKE, ...itlb(64, 8, "full")],
    [oneBank(1536, 6, 8), oneGigabyteBank(8)],
    2,
    walkCost(
      [
        [32, 8, 4],
        [256, 8, 12],
        [2560, 20, 52],
      ],
      230,
    ),
    [],
  ),
  intel(
    "skylake-sp",
    "Intel Skylake-SP and Cascade Lake, Xeon Scalable of 2017 to 2019",
    [...DATA_UP_TO_SKYLAKE, ...itlb(128, 8, "full")],
    [oneBank(1536, 12, 9), oneGigabyteBank(9)],
    2,
    walkCost(
      [
        [32, 8, 5],
        [1024, 16, 14],
        [1408, 11, 70],
      ],
      250,
    ),
    SKYLAKE_CLAIMS,
  ),
  intel(
    "ice-lake-sp",
    "Intel Ice Lake-SP, Xeon Scalable of 2021",
    [...dataSinceIceLake(64, 4), ...itlb(128, 16, 8)],
    TWO_BANKS,
    2,
    walkCost(
      [
        [48, 12, 5],
        [1280, 20, 14],
        [1536, 12, 73],
      ],
      260,
    ),
    TWO_BANK_CLAIMS,
  ),
  intel(
    "sapphire-rapids",
    "Intel Sapphire Rapids, Xeon Scalable of 2023",
    [...dataSinceIceLake(96, 6), ...itlb(256, 32, 8)],
    TWO_BANKS,
    4,
    walkCost(
      [
        [48, 12, 5],
        [2048, 16, 15],
        [1920, 15, 110],
      ],
      330,
    ),
    [
      ...TWO_BANK_CLAIMS,
      ...claimsOn("firstLevel.load dTLB 4K", ["entries", "ways"], {
        confidence: "medium",
        source: "disclosed",
        note: "CPUID says 64 entries, 4 ways",
      }),
    ],
  ),
  intel(
    "meteor-lake",
    "Intel Meteor Lake, Core Ultra of 2023 (performance core)",
    [...dataSinceIceLake(96, 6), ...itlb(256, 32, 8)],
    TWO_BANKS,
    4,
    walkCost(
      [
        [48, 12, 5],
        [2048, 16, 16],
        [3072, 12, 75],
      ],
      350,
    ),
    [...TWO_BANK_CLAIMS, STORES_AS_ICE_LAKE],
  ),
  intel(
    "lion-cove",
    "Intel Lion Cove, Core Ultra of 2024 (performance core)",
    [...dataSinceIceLake(128, 8), ...itlb(256, 32, 8)],
    TWO_BANKS,
    4,
    walkCost(
      [
        [48, 12, 4],
        [2560, 10, 17],
        [3072, 12, 83],
      ],
      380,
    ),
    [...TWO_BANK_CLAIMS, STORES_AS_ICE_LAKE],
  ),
];
