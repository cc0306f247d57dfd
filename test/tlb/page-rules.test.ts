/** The sentences of `PageRule` (src/tlb/page-policy.ts), one by one, by hand. */
import { describe, expect, test } from "vitest";
import { encodeReference } from "../../src/hardware/access-kind.ts";
import { PAGE_SIZES } from "../../src/tlb/config.ts";
import { TlbModel } from "../../src/tlb/model.ts";
import { ALL_ADDRESSES, type PagePolicy, type PageRule } from "../../src/tlb/page-policy.ts";
import { WordBuffer } from "../../src/trace/word-buffer.ts";
import { PAGE_BYTES } from "../oracle/tlb-array.ts";
import { append } from "./both-models.ts";
import { type Parts, smallProcessor } from "./small-processor.ts";

const REGION = PAGE_BYTES["2M"];
const GIB = PAGE_BYTES["1G"];

function rule(rest: Partial<PageRule> = {}): PageRule {
  return { ...ALL_ADDRESSES, pageSize: "2M", availability: 1, delay: Infinity, ...rest };
}

function wordsTo(addresses: readonly number[]): BigUint64Array {
  return BigUint64Array.from(addresses.map((address) => encodeReference(address, "read", 1)));
}

function createModel(policy: PagePolicy, parts?: Parts): TlbModel {
  return new TlbModel(smallProcessor(parts), { policies: [policy] });
}

/** References to pages of each size so far. */
function accessesOf(model: TlbModel, policy: PagePolicy): string {
  const routes = model.routes(policy);
  return PAGE_SIZES.map((size) => {
    const ofSize = routes.filter(({ pageSize }) => pageSize === size);
    return `${size}:${ofSize.reduce((sum, { accesses }) => sum + accesses, 0)}`;
  }).join(" ");
}

/** The sizes of the pages that are referred to, one after another. */
function sizesOf(policy: PagePolicy, addresses: readonly number[]): string {
  const model = createModel(policy);
  let before = accessesOf(model, policy).split(" ");
  return addresses
    .map((address) => {
      model.replayWords(wordsTo([address]));
      const after = accessesOf(model, policy).split(" ");
      const size = PAGE_SIZES.find((_, i) => after[i] !== before[i]);
      before = after;
      return size;
    })
    .join(" ");
}

describe("which rule counts", () => {
  const [first, second, third, fourth] = [0, 1, 2, 3].map((n) => n * REGION);

  test("without any, pages are of 4K", () => {
    expect(sizesOf([], [0, GIB])).toBe("4K 4K");
  });

  test.each<[what: string, from: number, to: number, sizes: string]>([
    ["a range of whole regions", second, fourth, "4K 2M 2M 4K"],
    ["one that begins a byte late", second + 1, fourth, "4K 4K 2M 4K"],
    ["one that ends a byte early", second, fourth - 1, "4K 2M 4K 4K"],
    ["one that reaches a byte over both ends", second - 1, fourth + 1, "4K 2M 2M 4K"],
    ["one that holds no whole region", second + 1, fourth - 1, "4K 4K 4K 4K"],
  ])("%s", (_, from, to, sizes) => {
    const firsts = [first, second, third, fourth];
    expect(sizesOf([rule({ from, to })], firsts)).toBe(sizes);
    expect(
      sizesOf(
        [rule({ from, to })],
        firsts.map((at) => at + REGION - 1),
      ),
    ).toBe(sizes);
  });

  test("the first one in whose range the page lies", () => {
    const none = rule({ from: second, to: third, availability: 0 });
    expect(sizesOf([none, rule()], [first, second, third])).toBe("2M 4K 2M");
    expect(sizesOf([rule(), none], [first, second, third])).toBe("2M 2M 2M");
  });

  test("what sticks out is left to further rules", () => {
    const large = rule({ from: GIB / 2, to: 2.5 * GIB, pageSize: "1G" });
    const addresses = [0, GIB - 1, GIB, 2 * GIB - 1, 2 * GIB, 3 * GIB];
    expect(sizesOf([large], addresses)).toBe("4K 4K 1G 1G 4K 4K");
    const rest = rule({ from: 0, to: 3 * GIB });
    expect(sizesOf([large, rest], addresses)).toBe("2M 2M 1G 1G 2M 4K");
  });

  test("a page of 1G is not laid over what an earlier rule is for", () => {
    const one = rule({ from: GIB + REGION, to: GIB + 2 * REGION });
    const all = rule({ pageSize: "1G" });
    const addresses = [0, GIB, GIB + REGION, GIB + 2 * REGION, 2 * GIB];
    expect(sizesOf([one, all], addresses)).toBe("1G 4K 2M 4K 1G");
    expect(sizesOf([one, all, rule()], addresses)).toBe("1G 2M 2M 2M 1G");
    expect(sizesOf([all, one], addresses)).toBe("1G 1G 1G 1G 1G");
  });

  test("the last page of the 48 bits is one like others", () => {
    const last = ALL_ADDRESSES.to - 1;
    expect(sizesOf([rule()], [last])).toBe("2M");
    expect(sizesOf([rule({ pageSize: "1G" })], [last])).toBe("1G");
    expect(sizesOf([rule({ to: last })], [last])).toBe("4K");
  });
});

describe("availability", () => {
  const NR_REGIONS = 10_000;
  const regions = Array.from({ length: NR_REGIONS }, (_, n) => 2 ** 40 + n * REGION);
  const hugeOf = (availability: number, addresses = regions) => {
    const sizes = sizesOf([rule({ availability })], addresses).split(" ");
    return addresses.filter((_, i) => sizes[i] === "2M");
  };

  test.each([0.01, 0.5, 0.9])("%d of all regions, within four standard deviations", (share) => {
    const deviation = Math.sqrt(NR_REGIONS * share * (1 - share));
    expect(Math.abs(hugeOf(share).length - NR_REGIONS * share)).toBeLessThan(4 * deviation);
  });

  test("0 and 1 are none and all", () => {
    expect(hugeOf(0)).toEqual([]);
    expect(hugeOf(1)).toEqual(regions);
  });

  test("addresses alone decide: not the order of references, and more has what less has", () => {
    const half = hugeOf(0.5);
    expect(hugeOf(0.5, regions.toReversed())).toEqual(half.toReversed());
    const third = hugeOf(0.3);
    expect(half).toEqual(expect.arrayContaining(third));
  });
});

describe("delay", () => {
  const late = (delay: number) => [rule({ availability: 0, delay })];

  test("counts references of the trace, whatever they are to, from the first one to the region", () => {
    const others = [GIB, 2 * GIB, 3 * GIB, 4 * GIB];
    expect(sizesOf(late(5), [GIB, 0, ...others, REGION - 1])).toBe("4K 4K 4K 4K 4K 4K 2M");
    expect(sizesOf(late(6), [GIB, 0, ...others, REGION - 1])).toBe("4K 4K 4K 4K 4K 4K 4K");
    expect(sizesOf(late(6), [0, ...others, GIB, 0, 0])).toBe("4K 4K 4K 4K 4K 4K 2M 2M");
  });

  test("of 0 is over at the first one", () => {
    expect(sizesOf(late(0), [0, 0])).toBe("2M 2M");
  });

  test("infinite, is never over", () => {
    expect(
      sizesOf(
        late(Infinity),
        Array.from({ length: 9 }, () => 0),
      ),
    ).not.toContain("2M");
  });

  test.each([1, 2, 999, 1000, 1001, 3000])("of %d ends within a run to one page", (delay) => {
    const policy = late(delay);
    const model = createModel(policy);
    model.replayWords(wordsTo(Array.from({ length: 3001 }, () => 8)));
    expect(accessesOf(model, policy)).toBe(`4K:${delay} 2M:${3001 - delay} 1G:0`);
  });

  test("an access to several pages is one reference", () => {
    const policy = late(2);
    const model = createModel(policy);
    const buffer = new WordBuffer();
    const wide = { address: BigInt(REGION - 4096), kind: "load", nrBytes: 8192 } as const;
    for (let n = 0; n < 3; n++) append(buffer, wide);
    model.replayWords(buffer.words);
    // The last one finds both regions collapsed; by pages it would have been the one before it.
    expect(accessesOf(model, policy)).toBe("4K:4 2M:2 1G:0");
    expect(model.references()).toEqual({ fetch: 0, load: 3, store: 0 });
  });

  test("a reference whose page is told is none", () => {
    const policy = late(2);
    const model = createModel(policy);
    const replay = () => model.replayWords(wordsTo([0]));
    model.refer(0, "load", "4K");
    replay();
    for (let n = 0; n < 5; n++) model.refer(0, "load", "4K");
    replay();
    expect(accessesOf(model, policy)).toBe("4K:8 2M:0 1G:0");
    replay();
    expect(accessesOf(model, policy)).toBe("4K:8 2M:1 1G:0");
    expect(model.references()).toEqual({ fetch: 0, load: 3, store: 0 });
  });
});

describe("what a collapse takes away", () => {
  const policy = [rule({ availability: 0, delay: 3 })];
  const structureCaches = { pml4: 4, pdpt: 4, pd: 4, pcids: 4 };
  const walksOf = (model: TlbModel) => model.counts(policy).walks;

  test("translations of 4K, even where the page is kept as such pieces", () => {
    const keptAs = { "2M": "4K" };
    const model = createModel(policy, { first: { keptAs }, second: { keptAs } });
    model.replayWords(wordsTo([0, 0, 0]));
    expect(walksOf(model)).toBe(1);
    model.replayWords(wordsTo([0]));
    expect(walksOf(model)).toBe(2);
    model.replayWords(wordsTo([0]));
    expect(walksOf(model)).toBe(2);
  });

  test("those of other PCIDs", () => {
    const parts = { keptAs: { "2M": "4K" }, pcids: 2 };
    const model = createModel(policy, { first: parts, second: parts });
    model.switchTo(1);
    model.replayWords(wordsTo([0]));
    model.switchTo(0);
    model.replayWords(wordsTo([0, 0, 0]));
    expect(walksOf(model)).toBe(3);
    model.switchTo(1);
    model.replayWords(wordsTo([0]));
    expect(walksOf(model)).toBe(4);
  });

  test("what structure caches have, of other regions too", () => {
    const model = createModel(policy, { processor: { structureCaches } });
    model.replayWords(wordsTo([0, GIB, 0, 0]));
    const { entryLoads } = model.counts(policy);
    expect(entryLoads).toEqual([2, 3, 3, 2]);
    model.replayWords(wordsTo([GIB + 4096]));
    // GIB is 2M of late, too: its PDE, and its PDPTE and PML4E once more.
    expect(model.counts(policy).entryLoads).toEqual([2, 4, 4, 3]);
  });

  test("no translation of another region", () => {
    const ofOne = [rule({ to: REGION, availability: 0, delay: 3 })];
    const model = createModel(ofOne);
    model.replayWords(wordsTo([0, REGION, 0, 0, REGION]));
    expect(model.counts(ofOne).walks).toBe(3);
  });
});
