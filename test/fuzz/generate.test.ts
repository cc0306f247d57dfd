/** The generator: the same seed, the same script; every script is one. */
import { describe, expect, test } from "vitest";
import { DEFAULT_OPTIONS, generateScript } from "../../src/fuzz/generate.ts";
import { Random } from "../../src/fuzz/random.ts";
import { DEFAULT_WEIGHTS, parseWeights } from "../../src/fuzz/weights.ts";
import { OPERATIONS } from "../../src/transcript/grammar.ts";
import { parseTranscript } from "../../src/transcript/parse.ts";

function opsOf(lines: readonly string[]): string[] {
  return lines.slice(1).map((line) => line.split(" ")[1]);
}

describe("random numbers", () => {
  test("by seed, evenly, as weights say", () => {
    const draw = (seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: 8 }, () => random.below(1000));
    };
    expect(draw(5)).toEqual(draw(5));
    expect(new Set([1, 2, 3, 4, 2 ** 32 + 1].map((seed) => `${draw(seed)}`)).size).toBe(5);
    const random = new Random(1);
    const drawn = Array.from({ length: 9000 }, () =>
      random.weighted([
        ["a", 2],
        ["b", 0],
        ["c", 1],
      ]),
    );
    expect(drawn.filter((key) => key === "a").length / 9000).toBeCloseTo(2 / 3, 1);
    expect(drawn).not.toContain("b");
    expect(random.weighted([["a", 0]])).toBeUndefined();
  });
});

describe("scripts", () => {
  test("the same seed gives the same script, another one another", () => {
    const text = (seed: number) => generateScript(seed, DEFAULT_OPTIONS).join("\n");
    expect(text(7)).toBe(text(7));
    expect(text(7)).not.toBe(text(8));
  });

  test("what is generated can be read, and has every operation", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const lines = generateScript(seed, { ...DEFAULT_OPTIONS, hasGigantic: seed % 2 === 0 });
      const { errors } = parseTranscript(lines.join("\n"), "random");
      expect(errors?.map(({ message }) => message)).toBeUndefined();
      for (const op of opsOf(lines)) seen.add(op);
    }
    expect([...DEFAULT_WEIGHTS.keys()].filter((op) => !seen.has(op))).toEqual([]);
  });

  test("there is a weight for every operation of the language", () => {
    const ops = [...OPERATIONS.process.keys(), ...OPERATIONS.host.keys()];
    expect([...DEFAULT_WEIGHTS.keys()].toSorted()).toEqual(ops.toSorted());
  });

  test("weights", () => {
    const weights = parseWeights("all=0,mmap=1,write=2.5");
    const lines = generateScript(1, { ...DEFAULT_OPTIONS, weights });
    const ops = new Set(opsOf(lines).slice(2, -3));
    expect(
      [...ops].filter((op) => !/^(mmap|write|signals|nr_overcommit_hugepages)$/.test(op)),
    ).toEqual([]);
    expect(() => parseWeights("mmap")).toThrow('"mmap" is not OPERATION=NUMBER');
    expect(() => parseWeights("map=1")).toThrow('no operation "map"');
  });

  test("safe ones do not mremap private huge memory or poison pages", () => {
    const weights = parseWeights("mremap=30,madvise=30");
    for (let seed = 0; seed < 100; seed++) {
      const text = generateScript(seed, { ...DEFAULT_OPTIONS, weights, isSafe: true }).join("\n");
      const isPrivateHuge = new Set(text.match(/(?<=mmap )\w+(?= \S+ \S+ private,anon,huge)/g));
      const moved = text.match(/(?<=mremap \w+ )\w+/g) ?? [];
      expect(moved.filter((name) => isPrivateHuge.has(name))).toEqual([]);
      expect(text).not.toMatch(/hwpoison|soft_offline/);
    }
  });
});
