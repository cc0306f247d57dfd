/** Which page is where: what a kernel decides, and a lane of the model is told. */
import { RULES_MAX } from "../../assembly/model/layout.ts";
import { OptionError } from "../errors.ts";
import { ADDRESS_BITS, PAGE_SHIFT, PAGE_SIZES, type PageSize } from "./config.ts";

/** All pages have one size, or rules say; a page that no rule gives is one of 4K. */
export type PagePolicy = PageSize | readonly PageRule[];

/**
 * Pages of `pageSize` for a range of addresses. Of an address the first rule counts in whose range
 * its page of that size lies as a whole, without a region of 2M of which a rule before it counts:
 * what sticks out at the ends, or is divided, is left to further rules.
 *
 * - Of the pages of that size a share of `availability` is there at once. Which these are is decided
 *   by their addresses alone: those for which the 32 bits of `draw()` in assembly/model/rules.ts, on
 *   the number of a page's first region of 2M, are below `availability` × 2^32.
 * - A region that got none is of 4K pages, until a reference to it that comes `delay` references of
 *   the trace, whatever they are to, or more after the first one to it (0: that one already). For
 *   this one it becomes a page of 2M: before it is looked up, what translates any of the region
 *   leaves the TLBs, and the structure caches are emptied, of all PCIDs, as when khugepaged has
 *   collapsed it (mm/khugepaged.c:collapse_huge_page()).
 * - A reference that touches several pages is one, and comes to all of them at once.
 */
export interface PageRule {
  /** Addresses; `to` is the first one behind the range. */
  readonly from: number;
  readonly to: number;
  readonly pageSize: "2M" | "1G";
  /** From 0 to 1; for 1G it is 1. */
  readonly availability: number;
  /** References; Infinity: never. For 1G it is that. */
  readonly delay: number;
}

export const ALL_ADDRESSES = { from: 0, to: 2 ** ADDRESS_BITS } as const;

/** Throws `OptionError`. */
export function checkPolicy(policy: PagePolicy): void {
  if (typeof policy === "string") {
    if (!PAGE_SIZES.includes(policy)) throw new OptionError("policy", `no page size: ${policy}`);
    return;
  }
  if (policy.length > RULES_MAX) throw new OptionError("policy", `more than ${RULES_MAX} rules`);
  for (const [i, rule] of policy.entries()) {
    const reason = whatIsWrong(rule);
    if (reason !== undefined) throw new OptionError(`policy[${i}]`, reason);
  }
}

function whatIsWrong({ from, to, pageSize, availability, delay }: PageRule): string | undefined {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to > ALL_ADDRESSES.to) {
    return `no range of 48-bit addresses: ${from} to ${to}`;
  }
  if (from >= to) return `an empty range: ${from} to ${to}`;
  if (pageSize !== "2M" && pageSize !== "1G") return `no size of huge pages: ${pageSize}`;
  if (!(availability >= 0 && availability <= 1)) return `availability ${availability}: 0 to 1`;
  if (delay !== Infinity && !(Number.isInteger(delay) && delay >= 0 && delay <= 2 ** 52)) {
    return `delay ${delay}: a number of references`;
  }
  if (pageSize === "1G" && (availability !== 1 || delay !== Infinity)) {
    return "pages of 1G are there at once, or not at all";
  }
  return undefined;
}

/** The regions of 2M that lie in a range as a whole; none if `first` is above `last`. */
export function regionsOf({ from, to }: Pick<PageRule, "from" | "to">): {
  first: number;
  last: number;
} {
  const bytes = 2 ** PAGE_SHIFT["2M"];
  return { first: Math.ceil(from / bytes), last: Math.floor(to / bytes) - 1 };
}
