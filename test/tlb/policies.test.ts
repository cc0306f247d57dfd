/** Pages by rules, and tallies: the fast TLB model against the slow one, and by hand. */
import { describe, expect, it } from "vitest";
import { TRICKS_ALL } from "../../assembly/model/layout.ts";
import { Random } from "../../src/fuzz/random.ts";
import { PAGE_SIZES } from "../../src/tlb/config.ts";
import type { TlbModelOptions } from "../../src/tlb/model.ts";
import { outcomeOf, replayFast, replaySlow, slowOutcomeOf } from "./both-models.ts";
import { randomPolicy } from "./random-policy.ts";
import { randomProcessor } from "./random-processor.ts";
import { randomTrace } from "./random-trace.ts";

const PAIRS = 1000;
const ROUNDS = 10;

describe("a policy of rules", () => {
  for (let round = 0; round < ROUNDS; round++) {
    it(`counts what the slow model counts, ${round + 1} of ${ROUNDS}`, () => {
      for (let seed = round; seed < PAIRS; seed += ROUNDS) {
        const random = new Random(seed);
        const processor = randomProcessor(random);
        const trace = randomTrace(random, 400);
        const policies = [
          randomPolicy(random, trace),
          randomPolicy(random, trace),
          random.pick(PAGE_SIZES),
        ];
        const tallies = { hasRegions: random.chance(50), hasInstructions: random.chance(50) };
        const slow = policies.map((policy) => {
          return slowOutcomeOf(replaySlow(processor, trace, policy), tallies);
        });
        for (const tricks of [TRICKS_ALL, 0, random.below(TRICKS_ALL)]) {
          const options: TlbModelOptions = { policies, tricks, ...tallies };
          const model = replayFast(processor, trace, options);
          const fast = policies.map((policy) => outcomeOf(model, policy));
          expect(fast, `seed ${seed}, tricks ${tricks}`).toEqual(slow);
        }
      }
    });
  }
});
