/** A model that finds no memory says so, and is no crash. */
import { expect, test } from "vitest";
import { encodeReference } from "../../src/hardware/access-kind.ts";
import { TlbModel } from "../../src/tlb/model.ts";
import { findPreset } from "../../src/tlb/presets.ts";

const { processor } = findPreset("skylake-sp");

test("for a processor that is too large", () => {
  const cache = { name: "L", lines: 2 ** 20, ways: 16, cycles: 1 };
  const caches = Array.from({ length: 32 }, (_, i) => ({ ...cache, name: `L${i}` }));
  const large = { ...processor, walkCost: { ...processor.walkCost, caches } };
  const policies = Array.from({ length: 16 }, () => []);
  expect(() => new TlbModel(large, { policies })).toThrow(/^all arrays need more than the 2 GiB/);
});

test("for tallies of more regions than it can keep", () => {
  const model = new TlbModel(processor, { hasRegions: true, hasWalkCost: false });
  let region = 0;
  const replayMany = () => {
    for (;;) {
      for (let i = 0; i < model.batch.length; i++) {
        model.batch[i] = encodeReference((region++ % 2 ** 26) * 2 ** 21, "read", 1);
      }
      model.replay(model.batch.length);
    }
  };
  expect(replayMany).toThrow(
    /^tallies of so many regions or instructions need more than the 2 GiB/,
  );
  expect(region).toBeGreaterThan(2 ** 20);
});
