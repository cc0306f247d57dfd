/**
 * Random scripts against the invariants, and against what memory must hold. On `fixed` nothing
 * breaks; on the real kernels' profiles their known defects are found, which proves that the checks
 * can fail.
 */
import { describe, expect, test } from "vitest";
import { EmulatedDriver } from "../../src/emulated/driver.ts";
import { DEFAULT_OPTIONS, generateScript } from "../../src/fuzz/generate.ts";
import { repair, shrink } from "../../src/fuzz/shrink.ts";
import { parseWeights } from "../../src/fuzz/weights.ts";
import { type StaleUse, createKernel, createMachine } from "../../src/index.ts";
import { brokenInvariants } from "../../src/kernel/invariants.ts";
import { runScript } from "../../src/transcript/run.ts";
import type { Script } from "../../src/transcript/script.ts";
import { ValueModel } from "./value-model.ts";

const NR_SCRIPTS = Number(process.env["HUGEWALK_SCRIPTS"] ?? 3_000);

/** What the model of memory's values follows. */
const OPTIONS = {
  ...DEFAULT_OPTIONS,
  nrOperations: 50,
  maxPages: 2,
  weights: parseWeights(
    "all=0,mmap=12,write=30,read=24,fork=10,munmap=5,madvise=5,mprotect=2,mremap=3,mlock=2," +
      "exit=2,kill=2,exec=1,signals=1,nr_hugepages=5,nr_overcommit_hugepages=2",
  ),
};
const OTHER_ADVICE = / madvise \S+ \S+ (?!dontneed$)/;

const machine = createMachine({ ramBytes: 256 * 2 ** 20, linearBytes: 320 * 2 ** 20, cpus: 2 });

/** Collects uses of translations that the kernel should have invalidated. */
function watchForStale(isWatched: boolean): string[] {
  const stale: string[] = [];
  const report = ({ address, cpu, change }: StaleUse): void => {
    stale.push(`CPU ${cpu} uses a stale translation of 0x${address.toString(16)}: ${change}`);
  };
  machine.detectStale(isWatched ? report : undefined);
  return stale;
}

/** Runs a script; the first line after which something does not hold, with what. */
async function firstBroken(
  script: Script,
  profile: string,
  isWatched: boolean,
): Promise<{ after: number; broken: string } | undefined> {
  machine.reset();
  const stale = watchForStale(isWatched);
  const kernel = createKernel({ profile, machine });
  const model = new ValueModel(new EmulatedDriver(kernel));
  for await (const { line, result } of runScript(script, model)) {
    const broken = [...model.broken, ...brokenInvariants(kernel.state), ...stale];
    if (broken.length > 0) {
      return { after: line.place.line, broken: `=> ${result}: ${broken.join("; ")}` };
    }
  }
  return undefined;
}

function linesOf(seed: number): readonly string[] {
  return generateScript(seed, OPTIONS).filter((line) => !OTHER_ADVICE.test(line));
}

/** The first seed whose script breaks something, with the script made small; undefined: none. */
async function findBreaking(profile: string, nrSeeds: number) {
  for (let seed = 1; seed <= nrSeeds; seed++) {
    // The detector makes a script slower: one in four.
    const isWatched = seed % 4 === 0;
    const lines = linesOf(seed);
    const script = repair(lines)?.script;
    const found = script && (await firstBroken(script, profile, isWatched));
    if (!found) continue;
    const fails = async (smaller: Script) =>
      (await firstBroken(smaller, profile, isWatched)) !== undefined;
    const shrunk = await shrink(lines.slice(0, found.after), { fails, budget: 1000 });
    const last = repair(shrunk)?.script;
    const broken = (last && (await firstBroken(last, profile, isWatched)))?.broken ?? "";
    return { seed, lines: shrunk, broken };
  }
  return undefined;
}

describe("random scripts", () => {
  test("profile fixed breaks no invariant", { timeout: 600_000 }, async () => {
    expect(await findBreaking("fixed", NR_SCRIPTS)).toBeUndefined();
  });

  test("on 6.18 a reservation is given back twice", { timeout: 600_000 }, async () => {
    const found = await findBreaking("6.18", 1000);
    if (process.env["SHOW"]) console.log(found);
    expect(found?.broken).toContain("0 <= R <= F <= T");
    // A pool, a mapping, an access, a fork, an unmapping of some kind.
    expect(found?.lines.length).toBeLessThanOrEqual(6);
  });
});
