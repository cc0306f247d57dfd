/**
 * The fast TLB model against the slow one (test/oracle/tlb-model.ts), which is written after the
 * same words.
 */
import { describe, expect, it } from "vitest";
import {
  KIND_FETCH,
  KIND_READ,
  KIND_WRITE,
  REFERENCE_KIND_SHIFT,
  REFERENCE_SIZE_SHIFT,
} from "../../assembly/layout.ts";
import {
  KIND_CONTROL,
  TRICKS_ALL,
  TRICK_REPEATS,
  TRICK_SIMD,
  TRICK_STAGES,
  TRICK_TABLES,
} from "../../assembly/model/layout.ts";
import { Random } from "../../src/fuzz/random.ts";
import { PAGE_SIZES, type PageSize, type Processor } from "../../src/tlb/config.ts";
import { TlbModel, type TlbModelOptions } from "../../src/tlb/model.ts";
import { TlbModel as SlowModel } from "../oracle/tlb-model.ts";
import { randomProcessor } from "./random-processor.ts";
import { type Access, pagesOf, randomTrace } from "./random-trace.ts";

const PAIRS = 1500;
/** Each with its own random processors and traces, so that they run in turns of some seconds. */
const ROUNDS = 10;
const CODES = { fetch: KIND_FETCH, load: KIND_READ, store: KIND_WRITE } as const;

function wordOf(address: bigint, code: number, nrBytes: number): bigint {
  const size = BigInt(nrBytes - 1) << BigInt(REFERENCE_SIZE_SHIFT);
  return address | (BigInt(code) << BigInt(REFERENCE_KIND_SHIFT)) | size;
}

function fastCounts(
  processor: Processor,
  trace: readonly Access[],
  options: TlbModelOptions = {},
  policies: readonly PageSize[] = PAGE_SIZES,
) {
  const model = new TlbModel(processor, { ...options, policies });
  let used = 0;
  for (const { address, kind, nrBytes, pcid } of trace) {
    if (used === model.batch.length || pcid !== undefined) {
      model.replay(used);
      used = 0;
    }
    if (pcid !== undefined) model.switchTo(pcid);
    model.batch[used++] = wordOf(address, CODES[kind], nrBytes);
  }
  model.replay(used);
  return policies.map((policy) => model.counts(policy));
}

function slowCounts(processor: Processor, trace: readonly Access[], pageSize: PageSize) {
  const model = new SlowModel(processor);
  let current = 0;
  for (const access of trace) {
    current = access.pcid ?? current;
    for (const address of pagesOf(access, pageSize)) {
      model.refer({ address, kind: access.kind, pageSize, pcid: current });
    }
  }
  return model.counts;
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
        const slow = PAGE_SIZES.map((size) => slowCounts(processor, trace, size));
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

  it("passes over controls", () => {
    const model = new TlbModel(randomProcessor(new Random(1)));
    const address = 2n ** 40n;
    const control = wordOf(77n, KIND_CONTROL, 3);
    model.batch.set([control, wordOf(address, KIND_READ, 8), control, control]);
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
