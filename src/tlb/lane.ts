/** A lane of the model: a processor's TLBs with the pages of a policy, laid out in wasm. */
import { KIND_FETCH, KIND_READ, KIND_WRITE } from "../../assembly/layout.ts";
import {
  BIT_WAYS_MAX,
  COUNT_FIRST_MISSES,
  COUNT_HITS,
  COUNT_LOADS,
  COUNT_LOOKUPS,
  COUNT_MISSES,
  COUNT_PREFETCHES,
  COUNT_WALKS,
  COUNT_WALK_CYCLES,
  GROUP_WAYS_MAX,
  INCLUSION_EXCLUSIVE,
  INCLUSION_INCLUSIVE,
  INCLUSION_NONE,
  ORDER_WAYS_MAX,
  REPLACEMENT_FIFO,
  REPLACEMENT_LRU,
  REPLACEMENT_MRU3_PLRU,
  REPLACEMENT_NRU,
  REPLACEMENT_PLRU,
  REPLACEMENT_RANDOM,
  SIZE_BY_RULES,
} from "../../assembly/model/layout.ts";
import { OptionError } from "../errors.ts";
import {
  type Inclusion,
  PAGE_SHIFT,
  PAGE_SIZES,
  type PageSize,
  type Processor,
  REFERENCE_KINDS,
  type ReferenceKind,
  type Replacement,
  type TlbArray,
  keptSize,
  nrWays,
  serves,
} from "./config.ts";
import type { RouteCounts, TlbCounts } from "./counts.ts";
import { type PagePolicy, type PageRule, regionsOf } from "./page-policy.ts";
import {
  type InstructionCounts,
  readInstructions,
  readRegions,
  type RegionCounts,
} from "./tally.ts";
import type { WasmModel } from "./wasm-model.ts";

const KIND_CODES: Readonly<Record<ReferenceKind, number>> = {
  fetch: KIND_FETCH,
  load: KIND_READ,
  store: KIND_WRITE,
};
const REPLACEMENT_CODES: Readonly<Record<Replacement, number>> = {
  lru: REPLACEMENT_LRU,
  fifo: REPLACEMENT_FIFO,
  plru: REPLACEMENT_PLRU,
  "mru3-plru": REPLACEMENT_MRU3_PLRU,
  nru: REPLACEMENT_NRU,
  random: REPLACEMENT_RANDOM,
};
const INCLUSION_CODES: Readonly<Record<Inclusion, number>> = {
  "non-inclusive": INCLUSION_NONE,
  inclusive: INCLUSION_INCLUSIVE,
  exclusive: INCLUSION_EXCLUSIVE,
};
const WAYS_MAX: Readonly<Record<Replacement, number>> = {
  lru: ORDER_WAYS_MAX,
  fifo: ORDER_WAYS_MAX,
  plru: BIT_WAYS_MAX,
  "mru3-plru": GROUP_WAYS_MAX,
  nru: BIT_WAYS_MAX,
  random: Infinity,
};
/** Levels of the entries in structure caches. */
const STRUCTURE_LEVELS = { pd: 2, pdpt: 3, pml4: 4 } as const;
const STRUCTURES = ["pd", "pdpt", "pml4"] as const;
const ENTRY_LEVELS = [1, 2, 3, 4] as const;

export interface LaneOptions {
  readonly policy: PagePolicy;
  readonly hasWalkCost: boolean;
  readonly hasRegions: boolean;
  readonly hasInstructions: boolean;
  readonly tricks: number;
}

/** For a kind and size: what its counts belong to. */
interface Route {
  readonly kind: ReferenceKind;
  readonly pageSize: PageSize;
  readonly address: number;
  /** The first-level array that serves it; undefined: none. */
  readonly first: number | undefined;
}

export class Lane {
  /** Arrays, in the order of the processor's data. */
  readonly firstLevel: readonly number[];
  readonly secondLevel: readonly number[];
  readonly structures: readonly number[];
  readonly #walkCaches: readonly number[];
  readonly #routes: readonly Route[];
  readonly #lane: number;
  readonly #regions: number | undefined;
  readonly #instructions: number | undefined;
  readonly #wasm: WasmModel;
  readonly #processor: Processor;
  readonly #options: LaneOptions;

  constructor(wasm: WasmModel, processor: Processor, options: LaneOptions) {
    this.#wasm = wasm;
    this.#processor = processor;
    this.#options = options;
    this.#lane = wasm.createLane(
      typeof options.policy === "string" ? PAGE_SIZES.indexOf(options.policy) : SIZE_BY_RULES,
      INCLUSION_CODES[processor.inclusion],
      processor.nextPagePrefetch ? 1 : 0,
      processor.walkCost.memoryCycles,
      options.tricks,
    );
    const { firstLevel, secondLevel } = processor;
    this.firstLevel = firstLevel.map((array, i) => this.#create(`firstLevel[${i}].ways`, array));
    this.secondLevel = secondLevel.map((bank, i) => {
      const isEven = isDealtEvenly(bank, secondLevel);
      return this.#create(`secondLevel[${i}].ways`, bank, isEven);
    });
    this.structures = this.#createStructures();
    this.#walkCaches = options.hasWalkCost ? this.#createWalkCaches() : [];
    this.#routes = PAGE_SIZES.flatMap((size) => {
      return REFERENCE_KINDS.map((kind) => this.#connect(kind, size));
    });
    this.#regions = options.hasRegions ? wasm.tallyRegions(this.#lane) : undefined;
    this.#instructions = options.hasInstructions ? wasm.tallyInstructions(this.#lane) : undefined;
    if (typeof options.policy !== "string") options.policy.forEach((rule) => this.#addRule(rule));
  }

  #addRule(rule: PageRule): void {
    const { first, last } = regionsOf(rule);
    if (first > last) return;
    const availability = Math.ceil(rule.availability * 2 ** 32);
    const delay = rule.delay === Infinity ? -1 : rule.delay;
    const size = PAGE_SIZES.indexOf(rule.pageSize);
    this.#wasm.addRule(this.#lane, first, last, size, availability, delay);
  }

  #create(
    waysOption: string,
    {
      entries,
      ways,
      replacement = "lru",
      indexGroups = 1,
    }: Pick<TlbArray, "entries" | "ways"> & Partial<TlbArray>,
    hasShortTags = true,
  ): number {
    const nr = nrWays({ entries, ways });
    if (nr > WAYS_MAX[replacement]) {
      throw new OptionError(waysOption, `${nr} are more than ${WAYS_MAX[replacement]}`);
    }
    const { randomSeed } = this.#processor;
    return this.#wasm.createArray(
      entries / nr,
      nr,
      indexGroups,
      REPLACEMENT_CODES[replacement],
      randomSeed,
      hasShortTags ? 1 : 0,
      this.#options.tricks,
    );
  }

  #createStructures(): readonly number[] {
    const { structureCaches } = this.#processor;
    return STRUCTURES.filter((name) => structureCaches[name] > 0).map((name) => {
      const entries = structureCaches[name];
      const array = this.#create(`structureCaches.${name}`, { entries, ways: "full" });
      this.#wasm.setStructures(this.#lane, STRUCTURE_LEVELS[name], array);
      return array;
    });
  }

  #createWalkCaches(): readonly number[] {
    return this.#processor.walkCost.caches.map(({ lines, ways, cycles }, i) => {
      const array = this.#create(`walkCost.caches[${i}].ways`, { entries: lines, ways });
      this.#wasm.addWalkCache(this.#lane, array, cycles);
      return array;
    });
  }

  #connect(kind: ReferenceKind, size: PageSize): Route {
    const { firstLevel, secondLevel } = this.#processor;
    const first = firstLevel.findIndex((array) => serves(array, kind, size));
    const banks = secondLevel.flatMap((bank, i) => (serves(bank, kind, size) ? [i] : []));
    const address = this.#wasm.setRoute(
      this.#lane,
      KIND_CODES[kind],
      PAGE_SIZES.indexOf(size),
      this.firstLevel[first] ?? 0,
      ...placeOf(firstLevel[first], size),
      ...placeOf(secondLevel[banks[0]], size),
    );
    for (const i of banks) this.#wasm.addBank(address, this.secondLevel[i]);
    return { kind, pageSize: size, address, first: first === -1 ? undefined : first };
  }

  /** A reference to the page of `size` that the 4K page numbered `page` is in. */
  refer(page: number, kind: ReferenceKind, size: PageSize): void {
    this.#wasm.refer(this.#lane, page, KIND_CODES[kind], PAGE_SIZES.indexOf(size));
  }

  /** Whether such a reference would need no walk. */
  has(page: number, kind: ReferenceKind, size: PageSize): boolean {
    return this.#wasm.has(this.#lane, page, KIND_CODES[kind], PAGE_SIZES.indexOf(size)) !== 0;
  }

  /** Numbers of 4K pages, whose translations of `pcid` leave. */
  dropPages(pcid: number, first: number, last: number): void {
    this.#wasm.dropPages(this.#lane, pcid, first, last);
  }

  /** By kind and page size; those without references are left out. */
  routes(): RouteCounts[] {
    const view = new DataView(this.#wasm.memory.buffer);
    const at = (address: number) => Number(view.getBigUint64(address, true));
    return this.#routes
      .map(({ kind, pageSize, address, first }) => ({
        kind,
        pageSize,
        accesses: at(address + COUNT_LOOKUPS),
        firstLevelMisses: at(address + (first === undefined ? COUNT_LOOKUPS : COUNT_FIRST_MISSES)),
        walks: at(address + COUNT_WALKS),
      }))
      .filter(({ accesses }) => accesses > 0);
  }

  /** Of the regions of 2M that were walked to, by address; undefined: they are not tallied. */
  regions(): RegionCounts[] | undefined {
    if (this.#regions === undefined) return undefined;
    return readRegions(this.#wasm.memory.buffer, this.#regions);
  }

  instructions(): InstructionCounts[] | undefined {
    if (this.#instructions === undefined) return undefined;
    return readInstructions(this.#wasm.memory.buffer, this.#instructions);
  }

  counts(): TlbCounts {
    const view = new DataView(this.#wasm.memory.buffer);
    const at = (address: number) => Number(view.getBigUint64(address, true));
    const sum = (count: number, routes = this.#routes) => {
      return routes.reduce((total, { address }) => total + at(address + count), 0);
    };
    const entryLoads = ENTRY_LEVELS.map((level) => at(this.#lane + COUNT_LOADS + level * 8));
    const secondLevel = this.secondLevel.map((bank) => {
      return { hits: at(bank + COUNT_HITS), misses: at(bank + COUNT_MISSES) };
    });
    const loadsFrom = this.#walkCaches.map((cache) => at(cache + COUNT_HITS));
    return {
      accesses: sum(COUNT_LOOKUPS),
      firstLevel: this.firstLevel.map((_, i) => {
        const routes = this.#routes.filter(({ first }) => first === i);
        const misses = sum(COUNT_FIRST_MISSES, routes);
        return { hits: sum(COUNT_LOOKUPS, routes) - misses, misses };
      }),
      secondLevel,
      walks: sum(COUNT_WALKS),
      prefetches: at(this.#lane + COUNT_PREFETCHES),
      entryLoads: entryLoads as [number, number, number, number],
      loadsFrom: [...loadsFrom, total(entryLoads) - total(loadsFrom)],
      hitCycles: total(
        secondLevel.map(({ hits }, i) => hits * this.#processor.secondLevel[i].hitCycles),
      ),
      walkCycles: at(this.#lane + COUNT_WALK_CYCLES),
    };
  }
}

/** Whether a bank has the same number among as many for all pages that it keeps as one size. */
function isDealtEvenly(bank: TlbArray, banks: readonly TlbArray[]): boolean {
  return PAGE_SIZES.every((kept) => {
    const sizes = bank.pageSizes.filter((size) => keptSize(bank, size) === kept);
    const places = sizes.flatMap((size) => {
      return bank.kinds.map((kind) => {
        const among = banks.filter((other) => serves(other, kind, size));
        return `${among.indexOf(bank)} of ${among.length}`;
      });
    });
    return new Set(places).size <= 1;
  });
}

/** How far the number of a 4K page is shifted to an array's, and what size it is kept as. */
function placeOf(array: TlbArray | undefined, size: PageSize): [shift: number, space: number] {
  if (!array) return [0, 0];
  const kept = keptSize(array, size);
  const coalescedShift = kept === "4K" ? Math.log2(array.coalescedPages) : 0;
  return [PAGE_SHIFT[kept] - PAGE_SHIFT["4K"] + coalescedShift, PAGE_SIZES.indexOf(kept)];
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}
