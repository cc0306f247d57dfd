/**
 * Whole campaigns between two emulators: the known defects of real kernels are found by random
 * scripts and shrunk to a few lines, and profile `fixed` has none.
 */
import { describe, expect, test } from "vitest";
import { Campaign, type Finding } from "../../src/fuzz/campaign.ts";
import { DEFAULT_OPTIONS, generateScript } from "../../src/fuzz/generate.ts";
import { compareEmulated, InvariantCheck, type Judge } from "../../src/fuzz/judge.ts";
import { repair } from "../../src/fuzz/shrink.ts";
import { EmulatedSubject } from "../../src/fuzz/subject.ts";
import { parseWeights } from "../../src/fuzz/weights.ts";

/**
 * Private memory and forks, without mremap: no defect can show but that reservations come back
 * twice, and that a robbed child's children are not marked.
 */
const FORKS =
  "all=0,mmap=8,write=20,read=20,fork=15,munmap=3,exit=2,kill=2,nr_hugepages=6,nr_overcommit_hugepages=2";

interface Hunt {
  readonly judge: Judge;
  readonly weights?: string;
  readonly seeds: readonly [from: number, to: number];
}

async function hunt({ judge, weights = FORKS, seeds: [from, to] }: Hunt) {
  const options = { ...DEFAULT_OPTIONS, weights: parseWeights(weights) };
  const campaign = new Campaign({
    seeds: Array.from({ length: to - from + 1 }, (_, i) => from + i),
    generate: (seed) => generateScript(seed, options),
    judge,
    budget: 1000,
  });
  const findings: Finding[] = [];
  for await (const finding of campaign.run()) findings.push(finding);
  return { campaign, findings };
}

function compare(emulator: string, kernel: string): Judge {
  return compareEmulated(new EmulatedSubject(emulator), new EmulatedSubject(kernel));
}

async function tell(judge: Judge, { lines }: Finding): Promise<string> {
  const script = repair(lines)?.script;
  const told: string[] = [];
  if (script) for await (const line of judge.tell(script)) told.push(line);
  return told.join("\n");
}

describe("known defects, found by comparing with `fixed`", () => {
  test("6.18 gives a reservation back twice", { timeout: 60_000 }, async () => {
    const judge = compare("fixed", "6.18");
    const { findings } = await hunt({ judge, seeds: [1, 30] });
    const found = findings.find(({ kind }) => / \/ .* rsvd$/.test(kind));
    expect(found?.lines.length).toBeLessThanOrEqual(12);
    const told = await tell(judge, found ?? findings[0]);
    expect(told).toMatch(/#   6\.18 +=> [^\n]* rsvd=18446744073709551\d{3}$/);
    expect(told).toContain(" fork ");
  });

  test("a robbed child's child reads zeros", { timeout: 60_000 }, async () => {
    const judge = compare("fixed", "6.12");
    const { findings } = await hunt({ judge, seeds: [1, 100] });
    const found = findings.find(({ kind }) =>
      /^(?:read: SIGBUS ADRERR \/ N|write: SIGBUS ADRERR \/ ok)/.test(kind),
    );
    expect(found?.lines.length).toBeLessThanOrEqual(12);
    const told = await tell(judge, found ?? findings[0]);
    expect(told).toMatch(/#   fixed +=> SIGBUS ADRERR ;\n#   6\.12 +=> (?:0|ok) ;/);
    expect(told.match(/ fork /g)?.length).toBe(2);
  });
});

test("a kind of fault is shrunk once, and counted", { timeout: 60_000 }, async () => {
  const { campaign, findings } = await hunt({ judge: compare("fixed", "6.18"), seeds: [1, 30] });
  expect(new Set(findings.map(({ kind }) => kind)).size).toBe(findings.length);
  expect([...campaign.counts.keys()]).toEqual(findings.map(({ kind }) => kind));
  expect(Math.max(...campaign.counts.values())).toBeGreaterThan(1);
  expect(campaign.nrScripts).toBe(30);
});

describe("invariants", () => {
  test("none breaks on `fixed`", { timeout: 60_000 }, async () => {
    const judge = new InvariantCheck(new EmulatedSubject("fixed"));
    const weights = "mount=0";
    expect((await hunt({ judge, weights, seeds: [1, 100] })).findings).toEqual([]);
  });

  test("on 6.18 the pool's counters do", { timeout: 60_000 }, async () => {
    const judge = new InvariantCheck(new EmulatedSubject("6.18"));
    const { findings } = await hunt({ judge, seeds: [1, 20] });
    expect(findings[0].kind).toContain("N <= R <= F <= T");
    expect(findings[0].lines.length).toBeLessThanOrEqual(8);
    expect(await tell(judge, findings[0])).toMatch(/\n#   - pool of 2097152: .*$/);
  });
});
