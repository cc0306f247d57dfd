/**
 * Whole campaigns between two emulators: the known defects of real kernels are found by random
 * scripts and shrunk to a few lines, and profile `fixed` has none.
 */
import { describe, expect, test } from "vitest";
import { Campaign, type Finding } from "../../src/fuzz/campaign.ts";
import { DEFAULT_OPTIONS, generateScript } from "../../src/fuzz/generate.ts";
import { Comparison, InvariantCheck, type Judge } from "../../src/fuzz/judge.ts";
import { isSafe, SafeScriptsOnly } from "../../src/fuzz/safety.ts";
import { repair } from "../../src/fuzz/shrink.ts";
import { EmulatedSubject } from "../../src/fuzz/subject.ts";
import { parseWeights } from "../../src/fuzz/weights.ts";
import { parseTranscript } from "../../src/transcript/parse.ts";
import type { Script } from "../../src/transcript/script.ts";

/** Private memory and forks, without mremap: no defect but D1 and D2 can show. */
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
  return new Comparison(new EmulatedSubject(emulator), new EmulatedSubject(kernel));
}

async function tell(judge: Judge, { lines }: Finding): Promise<string> {
  const script = repair(lines)?.script;
  const told: string[] = [];
  if (script) for await (const line of judge.tell(script)) told.push(line);
  return told.join("\n");
}

function scriptOf(text: string): Script {
  const { script, errors } = parseTranscript(text, "test");
  if (!script) throw errors[0];
  return script;
}

describe("known defects, found by comparing with `fixed`", () => {
  test("D1: 6.18 gives a reservation back twice", { timeout: 60_000 }, async () => {
    const judge = compare("fixed", "6.18");
    const { findings } = await hunt({ judge, seeds: [1, 30] });
    const found = findings.find(({ kind }) => / \/ .* rsvd$/.test(kind));
    expect(found?.lines.length).toBeLessThanOrEqual(12);
    const told = await tell(judge, found ?? findings[0]);
    expect(told).toMatch(/#   6\.18 +=> [^\n]* rsvd=18446744073709551\d{3}$/);
    expect(told).toContain(" fork ");
  });

  test("D2: a robbed child's child reads zeros", { timeout: 60_000 }, async () => {
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

describe("scripts that harm a kernel for good", () => {
  const emulator = new EmulatedSubject("6.18");
  const MAPPED = "host nr_hugepages 2\nP signals catch\nP mmap a 2h rw private,anon,huge\n";

  test.each([
    { text: `${MAPPED}P mremap b a 1h 1h maymove fixed at=0x1000000000`, safe: false },
    { text: `${MAPPED}P fork C\nC mremap b a+1h 1h 1h maymove`, safe: false },
    {
      text: `${MAPPED}P munmap a 2h\nP mremap b a 1h 1h maymove fixed at=0x1000000000`,
      safe: true,
    },
    { text: "P mmap a 1h rw private,anon\nP mremap b a 1h 2h maymove", safe: true },
    { text: "P mmap a 1h rw shared,anon,huge,noreserve\nP mremap b a 1h 1h maymove", safe: true },
  ])("$text: $safe", async ({ text, safe }) => {
    expect(await isSafe(scriptOf(text), emulator)).toBe(safe);
  });

  test("are not judged", async () => {
    const judge = new SafeScriptsOnly(compare("fixed", "6.18"), emulator);
    const lost = "P mremap b a 1h 1h maymove fixed at=0x1000000000\nP exit";
    expect(await judge.fault(scriptOf(`${MAPPED}${lost}`))).toBeUndefined();
    const twice = "P write a 1\nP fork C\nP exit";
    expect(await judge.fault(scriptOf(`${MAPPED}${twice}`))).toMatchObject({
      kind: "exit: exited N rsvd / exited N rsvd",
    });
  });

  test("are not generated when they should be safe", async () => {
    const options = { ...DEFAULT_OPTIONS, weights: parseWeights("mremap=20") };
    const isSafeSeed = (seed: number, isToBe: boolean) => {
      const lines = generateScript(seed, { ...options, isSafe: isToBe });
      return isSafe(scriptOf(lines.join("\n")), emulator);
    };
    let nrSafe = 0;
    for (let seed = 1; seed <= 30; seed++) {
      if (await isSafeSeed(seed, true)) nrSafe++;
    }
    // A name may be mapped again at an address that a script chose.
    expect(nrSafe).toBeGreaterThan(20);
  });
});
