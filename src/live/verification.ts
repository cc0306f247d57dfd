/** One transcript's verification: on the real kernel, on the emulator, line by line. */
import type { Driver } from "../transcript/driver.ts";
import type { LineRecord } from "../transcript/run.ts";
import type { Script } from "../transcript/script.ts";
import { compareWith, isUnavailable, runAll, type VerifiedLine } from "./compare.ts";
import { losePages } from "./lost-pages.ts";
import type { RealKernel } from "./real-kernel.ts";

export interface Verification {
  readonly lines: readonly VerifiedLine[];
  /** The line for which the kernel lacks something; what follows it was not compared. */
  readonly unavailable?: LineRecord;
  /** A line that the kernel carried out in two ways, when it was asked twice. */
  readonly unsteady?: VerifiedLine;
}

/**
 * Runs a script on both. Where they differ the real kernel is asked again, and believed when it
 * says the same twice.
 */
export async function verifyScript(
  script: Script,
  kernel: RealKernel,
  createEmulated: () => Driver,
): Promise<Verification> {
  const compare = async (records: readonly LineRecord[]) =>
    collect(compareWith(script, records, await losePages(createEmulated(), kernel.lostPages)));
  const first = await runAll(script, await kernel.driver(script.machine));
  const verification = await compare(first);
  if (!verification.lines.some(({ differs }) => differs)) return verification;
  const again = await kernel.driver(script.machine);
  const twice: VerifiedLine[] = [];
  for await (const line of compareWith(script, first, again)) twice.push(line);
  const unsteady = twice.find(({ differs }) => differs);
  if (!unsteady) return verification;
  return { ...(await compare(twice.map(({ other }) => other))), unsteady };
}

async function collect(compared: AsyncIterable<VerifiedLine>): Promise<Verification> {
  const lines: VerifiedLine[] = [];
  for await (const line of compared) {
    if (isUnavailable(line)) return { lines, unavailable: line.real };
    lines.push(line);
  }
  return { lines };
}

export interface Recording {
  readonly records: readonly LineRecord[];
  /** A line that the kernel carried out in two ways, so that it is no recording. */
  readonly unsteady?: VerifiedLine;
}

/** What the kernel does, twice. */
export async function recordScript(script: Script, kernel: RealKernel): Promise<Recording> {
  const records = await runAll(script, await kernel.driver(script.machine));
  const again = await kernel.driver(script.machine);
  for await (const line of compareWith(script, records, again)) {
    if (line.differs) return { records, unsteady: line };
  }
  return { records };
}
