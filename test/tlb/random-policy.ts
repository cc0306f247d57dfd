/** Random policies, whose rules are about addresses of a trace. */
import type { Random } from "../../src/fuzz/random.ts";
import { ADDRESS_BITS, PAGE_SHIFT } from "../../src/tlb/config.ts";
import { ALL_ADDRESSES, type PagePolicy, type PageRule } from "../../src/tlb/page-policy.ts";
import type { Step } from "./random-trace.ts";

export function randomPolicy(random: Random, trace: readonly Step[]): PagePolicy {
  const addresses = trace.flatMap((step) => {
    return step.does === "access" ? [Number(BigInt.asUintN(ADDRESS_BITS, step.address))] : [];
  });
  return Array.from({ length: random.below(5) }, (): PageRule => {
    const pageSize = random.chance(75) ? "2M" : "1G";
    const pageBytes = 2 ** PAGE_SHIFT[pageSize];
    const range = random.chance(25)
      ? ALL_ADDRESSES
      : rangeAround(random, random.pick(addresses), pageBytes);
    if (pageSize === "1G") return { ...range, pageSize, availability: 1, delay: Infinity };
    const availability = random.pick([0, 0, 0.3, 0.5, 1]);
    return { ...range, pageSize, availability, delay: random.pick([Infinity, 0, 1, 7, 60, 300]) };
  });
}

/** Some pages before and behind an address, aligned or not. */
function rangeAround(random: Random, address: number, pageBytes: number) {
  const unit = random.pick([1, 4096, pageBytes]);
  const ofPages = () => random.below(3 * pageBytes);
  const from = Math.floor((address - ofPages()) / unit) * unit;
  const to = Math.ceil((address + 1 + ofPages()) / unit) * unit;
  return { from: Math.max(from, 0), to: Math.min(to, ALL_ADDRESSES.to) };
}
