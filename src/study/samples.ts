/** Samples by region of 2M. They tell where a program is, and nothing of what TLBs miss. */
import { PAGE_SHIFT } from "../tlb/config.ts";
import type { ReferenceCounts } from "../tlb/counts.ts";
import {
  addressHigh,
  KIND_CONTROL,
  KIND_FETCH,
  KIND_READ,
  KIND_WRITE,
  kindOfHigh,
} from "../trace/reference.ts";
import type { SampledRegion } from "./result.ts";

const REGION_BYTES = 2 ** PAGE_SHIFT["2M"];
const KIND_NAMES = { [KIND_FETCH]: "fetch", [KIND_READ]: "load", [KIND_WRITE]: "store" } as const;

export class SampleCounter {
  readonly #references: { -readonly [kind in keyof ReferenceCounts]: number } = {
    fetch: 0,
    load: 0,
    store: 0,
  };
  readonly #counts = new Map<number, number>();

  count(words: BigUint64Array): void {
    const halves = new Uint32Array(words.buffer, words.byteOffset, 2 * words.length);
    for (let i = 0; i < words.length; i++) {
      const high = halves[2 * i + 1];
      const kind = kindOfHigh(high);
      if (kind === KIND_CONTROL) continue;
      this.#references[KIND_NAMES[kind as keyof typeof KIND_NAMES]]++;
      const address = (addressHigh(high) % 2 ** 16) * 2 ** 32 + halves[2 * i];
      const region = Math.floor(address / REGION_BYTES);
      this.#counts.set(region, (this.#counts.get(region) ?? 0) + 1);
    }
  }

  get references(): ReferenceCounts {
    return this.#references;
  }

  /** By address. */
  regions(): SampledRegion[] {
    return [...this.#counts]
      .map(([region, count]): SampledRegion => [region * REGION_BYTES, count])
      .toSorted(([a], [b]) => a - b);
  }
}
