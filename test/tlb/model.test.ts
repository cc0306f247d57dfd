/**
 * The fast TLB model against the slow one (test/oracle/tlb-model.ts), which is written after the
 * same words.
 */
import { describe, expect, it } from "vitest";
import { KIND_READ, REFERENCE_KIND_SHIFT } from "../../assembly/layout.ts";
import {
  KIND_CONTROL,
  TRICKS_ALL,
  TRICK_REPEATS,
  TRICK_SIMD,
  TRICK_STAGES,
  TRICK_TABLES,
} from "../../assembly/model/layout.ts";
import { Random } from "../../src/fuzz/random.ts";
import { ADDRESS_BITS, PAGE_SIZES, type PageSize, type Processor } from "../../src/tlb/config.ts";
import { TlbModel, type TlbModelOptions } from "../../src/tlb/model.ts";
import { TlbModel as SlowModel } from "../oracle/tlb-model.ts";
import { replayFast, replaySlow } from "./both-models.ts";
import { randomProcessor } from "./random-processor.ts";
import { type Step, randomTrace } from "./random-trace.ts";
import { smallProcessor } from "./small-processor.ts";

const PAIRS = 1500;
/** Each with its own random processors and traces, so that they run in turns of some seconds. */
const ROUNDS = 10;

function fastCounts(
  processor: Processor,
  trace: readonly Step[],
  options: TlbModelOptions = {},
  policies: readonly PageSize[] = PAGE_SIZES,
) {
  const model = replayFast(processor, trace, { ...options, policies });
  return policies.map((policy) => model.counts(policy));
}

describe("the fast TLB model", () => {
  for (let round = 0; round < ROUNDS; round++) {
    it(`counts what the slow one counts, ${round + 1} of ${ROUNDS}`, () => {
      for (let pair = 0; pair < PAIRS / ROUNDS; pair++) {
        const seed = round * PAIRS + pair;
        const random = new Random(seed);
        const processor = randomProcessor(random);
        const trace = randomTrace(random);
        const fast = fastCounts(processor, trace);
        const slow = PAGE_SIZES.map((size) => replaySlow(processor, trace, size).tlbs.counts);
        expect(fast, `seed ${seed}: ${JSON.stringify(processor)}`).toEqual(slow);
      }
    });
  }

  it.each([
    ["repeats", TRICK_REPEATS],
    ["SIMD", TRICK_SIMD],
    ["tables", TRICK_TABLES],
    ["stages", TRICK_STAGES],
    ["any of them", TRICKS_ALL],
  ])("counts the same without %s", (_, trick) => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Random(seed);
      const processor = randomProcessor(random);
      const trace = randomTrace(random);
      expect(fastCounts(processor, trace, { tricks: TRICKS_ALL & ~trick })).toEqual(
        fastCounts(processor, trace),
      );
    }
  });

  it("counts references to pages of any size, one by one", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed);
      const processor = randomProcessor(random);
      const fast = new TlbModel(processor, { policies: ["4K"] });
      const slow = new SlowModel(processor);
      let pcid = 0;
      for (const step of randomTrace(random)) {
        if (step.does === "switch") fast.switchTo((pcid = step.pcid));
        if (step.does !== "access") continue;
        const { kind } = step;
        const address = Number(BigInt.asUintN(ADDRESS_BITS, step.address));
        const pageSize = random.pick(PAGE_SIZES);
        fast.refer(address, kind, pageSize);
        slow.refer({ address, kind, pageSize, pcid });
      }
      expect(fast.counts("4K"), `seed ${seed}`).toEqual(slow.counts);
      expect(fast.routes("4K"), `seed ${seed}`).toEqual(slow.routes);
    }
  });

  it("tells pages of two sizes apart that a bank keeps as one, among others for each", () => {
    const bank = { hitCycles: 1, entries: 16, ways: 4, keptAs: { "1G": "2M" } };
    const processor = smallProcessor({
      first: { entries: 1, ways: 1, pageSizes: ["4K", "2M", "1G"] },
      processor: {
        secondLevel: [
          { ...bank, name: "C", pageSizes: ["1G"] },
          { ...bank, name: "A", pageSizes: ["2M", "1G"] },
          { ...bank, name: "B", pageSizes: ["2M"], keptAs: {} },
        ],
      },
    });
    const random = new Random(5);
    const fast = new TlbModel(processor, { policies: ["4K"] });
    const slow = new SlowModel(processor);
    for (let i = 0; i < 400; i++) {
      const address = random.below(20) * 2 ** 21;
      const pageSize = random.pick(["2M", "1G"] as const);
      fast.refer(address, "load", pageSize);
      slow.refer({ address, kind: "load", pageSize });
    }
    expect(fast.counts("4K")).toEqual(slow.counts);
  });

  it("passes over controls", () => {
    const model = new TlbModel(randomProcessor(new Random(1)));
    const control = (3n << 60n) | (BigInt(KIND_CONTROL) << BigInt(REFERENCE_KIND_SHIFT)) | 77n;
    const reference = (2n ** 40n) | (BigInt(KIND_READ) << BigInt(REFERENCE_KIND_SHIFT));
    model.batch.set([control, reference, control, control]);
    model.replay(4);
    expect(model.counts("4K").accesses).toBe(1);
  });

  it("counts a size alone as it counts it among others", () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = new Random(seed);
      const processor = randomProcessor(random);
      const trace = randomTrace(random);
      const all = fastCounts(processor, trace);
      const alone = PAGE_SIZES.flatMap((size) => fastCounts(processor, trace, {}, [size]));
      expect(alone).toEqual(all);
    }
  });
});
