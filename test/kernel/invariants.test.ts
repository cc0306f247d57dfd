/**
 * Random scripts against the invariants. On `fixed` none breaks; on the real kernels' profiles
 * their known defects are found, which proves that the checks can fail.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type StaleUse, createKernel, createMachine } from "../../src/index.ts";
import { brokenInvariants } from "../../src/kernel/invariants.ts";
import { EmulatedDriver } from "../../src/emulated/driver.ts";
import { parseTranscript } from "../../src/transcript/parse.ts";
import { runScript } from "../../src/transcript/run.ts";
import { choices, scriptOf } from "./random-script.ts";
import { ValueModel } from "./value-model.ts";

const NR_SCRIPTS = Number(process.env["HUGEWALK_SCRIPTS"] ?? 10_000);

const machine = createMachine({ ramBytes: 64 * 2 ** 20, linearBytes: 96 * 2 ** 20, cpus: 2 });

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
  text: string,
  kernelName: string,
  isWatched = true,
): Promise<string | undefined> {
  const { script, errors } = parseTranscript(text, "random");
  if (!script) throw new Error(`${errors[0].message}\n${text}`);
  machine.reset();
  const stale = watchForStale(isWatched);
  const kernel = createKernel({ profile: kernelName, machine });
  const model = new ValueModel(new EmulatedDriver(kernel));
  for await (const { line, result } of runScript(script, model)) {
    const broken = [...model.broken, ...brokenInvariants(kernel.state), ...stale];
    if (broken.length > 0) return `after "${line.text} => ${result}": ${broken.join("; ")}`;
  }
  return undefined;
}

function randomScripts(kernel: string, maxLength: number) {
  return fc.asyncProperty(choices(maxLength), async (list) => {
    // The detector makes a script slower: one in four.
    const broken = await firstBroken(scriptOf(list, kernel), kernel, list.length % 4 === 0);
    if (broken) throw new Error(broken);
  });
}

/** The shortest script found that breaks something, and what. */
async function findBreaking(kernel: string): Promise<{ text: string; broken: string }> {
  const found = await fc.check(randomScripts(kernel, 40), { numRuns: 3000, seed: 1 });
  const list = found.counterexample?.[0] ?? [];
  const text = scriptOf(list, kernel);
  return { text, broken: (await firstBroken(text, kernel)) ?? "" };
}

describe("random scripts", () => {
  test("profile fixed breaks no invariant", { timeout: 600_000 }, async () => {
    const result = await fc.check(randomScripts("fixed", 60), { numRuns: NR_SCRIPTS, seed: 20 });
    const list = result.counterexample?.[0] ?? [];
    expect(result.failed, `${result.errorInstance}\n${scriptOf(list, "fixed")}`).toBe(false);
    expect(result.numRuns).toBe(NR_SCRIPTS);
  });

  test("on 6.18 a reservation is given back twice", { timeout: 600_000 }, async () => {
    const { text, broken } = await findBreaking("6.18");
    if (process.env["SHOW"]) console.log(text, broken);
    expect(broken).toContain("0 <= R <= F <= T");
    // machine, pool, signals; mmap, write, fork, an unmapping of some kind.
    expect(text.split("\n").findIndex((line) => line.includes("host kill"))).toBeLessThan(9);
  });
});
