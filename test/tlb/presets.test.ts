/**
 * The processors that hugewalk knows make sense, and each of their numbers says what it rests on.
 */
import { describe, expect, test } from "vitest";
import { checkProcessor } from "../../src/tlb/check.ts";
import { nrWays } from "../../src/tlb/config.ts";
import { claimOn, factsOf } from "../../src/tlb/evidence.ts";
import { findPreset, PRESETS } from "../../src/tlb/presets.ts";

describe.each(PRESETS.map((preset) => ({ ...preset, name: preset.processor.name })))(
  "$name",
  ({ processor, claims }) => {
    test("is valid", () => checkProcessor(processor));

    test("every number rests on a claim, and every claim is about some", () => {
      const facts = factsOf(processor);
      expect(facts.filter(({ path }) => claimOn(path, claims) === undefined)).toEqual([]);
      const idle = claims.filter((claim) => facts.every(({ path }) => !claimOn(path, [claim])));
      expect(idle.map(({ about }) => about).filter((about) => !about.endsWith(".keptAs"))).toEqual(
        [],
      );
    });
  },
);

test("no two have the same name", () => {
  const names = PRESETS.map(({ processor }) => processor.name);
  expect(new Set(names).size).toBe(names.length);
});

test("the index of Skylake's STLB is folded from groups of 7 bits", () => {
  const [bank] = findPreset("skylake-sp").processor.secondLevel;
  expect(Math.log2(bank.entries / nrWays(bank))).toBe(7);
  expect(bank).toMatchObject({ indexGroups: 2, replacement: "mru3-plru", pcids: 4 });
});
