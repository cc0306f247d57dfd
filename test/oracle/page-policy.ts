/** Which page is where, written after what `src/tlb/page-policy.ts` says and nothing else, slowly. */
import type { PageSize } from "../../src/tlb/config.ts";
import type { PagePolicy, PageRule } from "../../src/tlb/page-policy.ts";
import { PAGE_BYTES } from "./tlb-array.ts";

/** Regions of 2M that a page of 1G has. */
const REGIONS_1G = PAGE_BYTES["1G"] / PAGE_BYTES["2M"];

export interface FoundPage {
  readonly pageSize: PageSize;
  /** Whether it became a page of 2M for this reference. */
  readonly hasCollapsed: boolean;
}

export class PagesModel {
  readonly #policy: PagePolicy;
  /** By the number of a region of 2M: the time of the first reference to it. */
  readonly #firstTimes = new Map<number, number>();
  readonly #collapsed = new Set<number>();
  /** By the number of a page of 1G. */
  readonly #rules = new Map<number, readonly (PageRule | undefined)[]>();

  constructor(policy: PagePolicy) {
    this.#policy = policy;
  }

  /** The page of `at`, for a reference before which the trace has made `time` others. */
  refer(at: number, time: number): FoundPage {
    if (typeof this.#policy === "string") return { pageSize: this.#policy, hasCollapsed: false };
    const region = Math.floor(at / PAGE_BYTES["2M"]);
    const firstTime = this.#firstTimes.get(region) ?? time;
    this.#firstTimes.set(region, firstTime);

    const rule = this.#ruleOf(region, this.#policy);
    if (!rule) return { pageSize: "4K", hasCollapsed: false };
    if (isThereAtOnce(at, rule)) return { pageSize: rule.pageSize, hasCollapsed: false };
    if (time < firstTime + rule.delay) return { pageSize: "4K", hasCollapsed: false };
    const hasCollapsed = !this.#collapsed.has(region);
    this.#collapsed.add(region);
    return { pageSize: "2M", hasCollapsed };
  }

  #ruleOf(region: number, rules: readonly PageRule[]): PageRule | undefined {
    const page1G = Math.floor(region / REGIONS_1G);
    const known = this.#rules.get(page1G) ?? rulesIn(page1G * REGIONS_1G, rules);
    this.#rules.set(page1G, known);
    return known[region % REGIONS_1G];
  }
}

/** Which rule counts for each of the 512 regions from `start` on: rules take what is left, in turn. */
function rulesIn(start: number, rules: readonly PageRule[]): (PageRule | undefined)[] {
  const taken: (PageRule | undefined)[] = Array.from({ length: REGIONS_1G }, () => undefined);
  for (const rule of rules) {
    const nrRegions = PAGE_BYTES[rule.pageSize] / PAGE_BYTES["2M"];
    for (let first = 0; first < REGIONS_1G; first += nrRegions) {
      const from = (start + first) * PAGE_BYTES["2M"];
      const isWithin = from >= rule.from && from + PAGE_BYTES[rule.pageSize] <= rule.to;
      if (!isWithin || taken.slice(first, first + nrRegions).some(Boolean)) continue;
      taken.fill(rule, first, first + nrRegions);
    }
  }
  return taken;
}

function isThereAtOnce(at: number, { pageSize, availability }: PageRule): boolean {
  return draw(startOfPage(at, pageSize) / PAGE_BYTES["2M"]) < availability * 2 ** 32;
}

function startOfPage(at: number, pageSize: PageSize): number {
  return at - (at % PAGE_BYTES[pageSize]);
}

/** murmur3's last steps, on a 32-bit number: each step can be undone, so none is drawn twice. */
function draw(region: number): number {
  let x = (region + 0x9e3779b9) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}
