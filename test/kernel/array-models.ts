/** What the kernel's trees do, done by looking at everything: the oracles of their tests. */
import { PAGE_4K, roundDown, roundUp } from "../../src/address.ts";
import { STACK_GUARD_GAP } from "../../src/kernel/address-space.ts";
import { VM_GROWSDOWN } from "../../src/kernel/vm-flags.ts";

export interface Range {
  readonly start: number;
  readonly end: number;
  readonly flags: number;
}

/** The mappings of an address space, in order. Neighbours of the same flags are one. */
export class ArraySpace {
  ranges: readonly Range[] = [];

  map(added: Range): void {
    const below = this.ranges.find(
      ({ end, flags }) => end === added.start && flags === added.flags,
    );
    const above = this.ranges.find(
      ({ start, flags }) => start === added.end && flags === added.flags,
    );
    const merged = { ...added, start: below?.start ?? added.start, end: above?.end ?? added.end };
    const others = this.ranges.filter((range) => range !== below && range !== above);
    this.ranges = [...others, merged].toSorted((a, b) => a.start - b.start);
  }

  unmap(from: number, to: number): void {
    this.ranges = this.ranges.flatMap((range) =>
      [
        { ...range, end: Math.min(range.end, from) },
        { ...range, start: Math.max(range.start, to) },
      ].filter(({ start, end }) => start < end),
    );
  }

  resize(old: Range, start: number, end: number): void {
    this.ranges = this.ranges.map((range) =>
      range.start === old.start ? { ...range, start, end } : range,
    );
  }

  overlapping(from: number, to: number): Range[] {
    return this.ranges.filter(({ start, end }) => end > from && start < to);
  }

  /** Hole by hole from the top; a stack above one that is large enough lowers the limit for all. */
  findHighest(length: number, alignment: number, low: number, high: number): number | undefined {
    const needed = length + alignment - PAGE_4K;
    let limit = high;
    for (const { start, end, guarded } of this.#holes(low, high).toReversed()) {
      if (Math.min(end, limit) - start < needed) continue;
      limit = Math.min(limit, guarded);
      if (Math.min(end, limit) - start < needed) continue;
      return roundDown(Math.min(end, limit) - length, alignment);
    }
    return undefined;
  }

  findLowest(length: number, alignment: number, low: number, high: number): number | undefined {
    const needed = length + alignment - PAGE_4K;
    for (const { start, end, guarded } of this.#holes(low, high)) {
      const address = roundUp(start, alignment);
      if (end - start >= needed && address + needed <= guarded) return address;
    }
    return undefined;
  }

  /** What is free of [low, high); `guarded`: where the guard gap of a stack right above begins. */
  #holes(low: number, high: number): { start: number; end: number; guarded: number }[] {
    return [...this.ranges, undefined].map((above, i) => ({
      start: Math.max(low, this.ranges[i - 1]?.end ?? low),
      end: Math.min(high, above?.start ?? high),
      guarded: above && above.flags & VM_GROWSDOWN ? above.start - STACK_GUARD_GAP : Infinity,
    }));
  }
}
