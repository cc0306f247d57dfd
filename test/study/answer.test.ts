/** Whether larger pages help, on runs made by hand. */
import { describe, expect, test } from "vitest";
import { answer } from "../../src/study/answer.ts";
import type { Run } from "../../src/study/result.ts";
import { runWith, studyWith } from "./runs.ts";

function run(policy: string, walkCycles: number, fields: Partial<Run> = {}): Run {
  return runWith({ policy, walkCycles, ...fields });
}

test("shares and cycles, over processors and from all walkers busy to one", () => {
  const two = { cpu: "two", walkers: 2 };
  const study = studyWith([
    run("4K", 10_000),
    run("2M", 1000),
    run("1G", 0),
    run("4K", 20_000, two),
    run("2M", 10_000, two),
  ]);
  const saving2M = {
    policy: "2M",
    share: { least: 0.5, most: 0.9 },
    cycles: { least: 5000, most: 10_000 },
  };
  expect(answer(study)).toEqual({
    unit: "references",
    base: { least: 10_000, most: 20_000 },
    cpus: ["small", "two"],
    best: saving2M,
    worth: "certain",
    savings: [
      saving2M,
      { policy: "1G", share: { least: 1, most: 1 }, cycles: { least: 10_000, most: 10_000 } },
    ],
  });
});

test("a fetch is an instruction", () => {
  const references = { fetch: 4000, load: 1, store: 1 };
  const found = answer(studyWith([run("4K", 400), run("2M", 0)], { references }));
  expect(found?.unit).toBe("instructions");
  expect(found?.base).toEqual({ least: 100, most: 100 });
});

describe("worth, by what the best policy saves of cycles in 1,000 references", () => {
  test.each([
    { base: 100, huge: { "2M": 0 }, best: "2M", worth: "certain" },
    { base: 100, huge: { "2M": 90 }, best: "2M", worth: "certain" },
    { base: 100, huge: { "2M": 91 }, best: "2M", worth: "hardly" },
    { base: 9, huge: { "2M": 0 }, best: "2M", worth: "hardly" },
    { base: 100, huge: { "2M": 120 }, best: "2M", worth: "hardly" },
    { base: 0, huge: { "2M": 0 }, best: "2M", worth: "hardly" },
    { base: 100, huge: { "2M": 50, "1G": 0 }, best: "2M", worth: "certain" },
    { base: 100, huge: { "2M": 99, "1G": 0 }, best: "1G", worth: "certain" },
    { base: 100, huge: { thp: 80, "hugetlb:a": 70 }, best: "hugetlb:a", worth: "certain" },
  ])("$base, $huge: $worth", ({ base, huge, best, worth }) => {
    const runs = Object.entries(huge).map(([policy, cycles]) => run(policy, cycles));
    const found = answer(studyWith([run("4K", base), ...runs]));
    expect([found?.best.policy, found?.worth]).toEqual([best, worth]);
  });

  test("possible: not if walks overlap", () => {
    const walkers = { walkers: 4 };
    const found = answer(studyWith([run("4K", 20, walkers), run("2M", 0, walkers)]));
    expect(found?.worth).toBe("possible");
  });
});

test.each([
  { runs: [run("4K", 5)] },
  { runs: [run("2M", 5), run("1G", 5)] },
  { runs: [run("4K", 5), run("2M", 5, { cpu: "other" })] },
  { runs: [] },
])("nothing to compare: $runs", ({ runs }) => {
  expect(answer(studyWith(runs))).toBeUndefined();
});

test("no references", () => {
  const references = { fetch: 0, load: 0, store: 0 };
  expect(answer(studyWith([run("4K", 0), run("2M", 0)], { references }))).toBeUndefined();
});
