/** `TlbModel.has` says whether a reference would need a walk, and changes nothing. */
import { expect, test } from "vitest";
import { Random } from "../../src/fuzz/random.ts";
import { PAGE_SIZES, REFERENCE_KINDS } from "../../src/tlb/config.ts";
import { TlbModel } from "../../src/tlb/model.ts";
import { randomProcessor } from "./random-processor.ts";

test("it has what needs no walk", () => {
  const nrOf = { has: 0, hasNot: 0 };
  for (let seed = 1; seed <= 100; seed++) {
    const random = new Random(seed);
    const processor = randomProcessor(random);
    const asked = new TlbModel(processor, { policies: ["4K"] });
    const notAsked = new TlbModel(processor, { policies: ["4K"] });
    let walks = 0;
    for (let step = 0; step < 300; step++) {
      if (random.chance(5)) {
        const pcid = random.below(4);
        for (const model of [asked, notAsked]) model.switchTo(pcid);
      }
      const pageSize = random.pick(PAGE_SIZES);
      const kind = random.pick(REFERENCE_KINDS);
      const address = random.below(40) * 2 ** random.pick([12, 21, 30]);
      const has = asked.has("4K", address, kind, pageSize);
      for (const model of [asked, notAsked]) model.refer(address, kind, pageSize);
      const counts = asked.counts("4K");
      expect(counts).toEqual(notAsked.counts("4K"));
      expect(counts.walks === walks).toBe(has);
      nrOf[has ? "has" : "hasNot"]++;
      ({ walks } = counts);
    }
  }
  expect(Math.min(nrOf.has, nrOf.hasNot)).toBeGreaterThan(1000);
});
