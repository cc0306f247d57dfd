/**
 * `hugewalk fuzz`: random scripts, on which the emulator is compared with another kernel, or held
 * to its invariants.
 */
import { HugewalkError, InternalError, OptionError } from "../errors.ts";
import { Campaign, type Finding } from "../fuzz/campaign.ts";
import { DEFAULT_OPTIONS, generateScript, type GenerateOptions } from "../fuzz/generate.ts";
import { compareEmulated, InvariantCheck, type Judge } from "../fuzz/judge.ts";
import { HarmlessOnly, RealComparison } from "../fuzz/real.ts";
import { repair } from "../fuzz/shrink.ts";
import { EmulatedSubject } from "../fuzz/subject.ts";
import { DEFAULT_WEIGHTS, parseWeights } from "../fuzz/weights.ts";
import { profileNames } from "../kernel/profile.ts";
import { profileOf, type RealKernel } from "../live/real-kernel.ts";
import { complain, isUsersError } from "./complaint.ts";
import { EXIT_AGREES, EXIT_DIFFERS, EXIT_INTERRUPTED, EXIT_UNUSABLE } from "./exit-code.ts";
import { Progress } from "./progress.ts";
import type { RealKernels } from "./real-kernels.ts";
import { Output, type Io, writeInto } from "./streams.ts";

export interface FuzzFlags {
  readonly seeds: string;
  readonly ops?: string;
  readonly weights?: string;
  readonly kernel?: string;
  readonly against?: string;
  /** The path of an image. */
  readonly vm?: string;
  readonly live?: boolean;
  readonly maxPages?: string;
  readonly nodes?: string;
  readonly "1g"?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

/** Scripts run to shrink one: as many as the emulator runs in some ten seconds. */
const SHRINK_BUDGET = 2000;
/** The same with a real kernel, which runs one or two a second. */
const REAL_SHRINK_BUDGET = 200;

/** Pages of a pool, at most, on this machine's own kernel. */
const LIVE_POOL_PAGES = 64;

/** Runs the scripts, prints what they find, and returns the exit code. */
export async function runFuzz(flags: FuzzFlags, io: Io, real: RealKernels): Promise<number> {
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  process.once("SIGINT", interrupt);
  let kernel: RealKernel | undefined;
  try {
    const seeds = parseSeeds(flags.seeds);
    const options = optionsOf(flags);
    kernel = await openKernel(flags, real);
    const judge = judgeOf(flags, kernel);
    const budget = kernel ? REAL_SHRINK_BUDGET : SHRINK_BUDGET;
    return await new Fuzz({ flags, seeds, options, judge, budget, io }).run(abort);
  } catch (error) {
    if (!isUsersError(error)) throw error;
    await complain(io, error instanceof OptionError ? `--${error.message}` : error.message);
    return EXIT_UNUSABLE;
  } finally {
    await kernel?.close();
    process.off("SIGINT", interrupt);
  }
}

interface FuzzSetting {
  readonly flags: FuzzFlags;
  readonly seeds: readonly number[];
  readonly options: GenerateOptions;
  readonly judge: Judge;
  /** Most scripts that are run to shrink one. */
  readonly budget: number;
  readonly io: Io;
}

class Fuzz {
  readonly #flags: FuzzFlags;
  readonly #out: Output;
  readonly #progress: Progress;
  readonly #options: GenerateOptions;
  readonly #seeds: readonly number[];
  readonly #judge: Judge;
  readonly #budget: number;

  constructor({ flags, seeds, options, judge, budget, io }: FuzzSetting) {
    this.#flags = flags;
    this.#out = new Output(io.stdout);
    this.#options = options;
    this.#seeds = seeds;
    this.#judge = judge;
    this.#budget = budget;
    this.#progress = new Progress(io.stderr, seeds.length);
  }

  /** Until all is done, or `abort` is. */
  async run(abort: AbortController): Promise<number> {
    const { signal } = abort;
    const campaign = new Campaign({
      seeds: this.#seeds,
      generate: (seed) => generateScript(seed, this.#options),
      judge: this.#judge,
      budget: this.#budget,
      onProgress: ({ nrScripts, counts }) =>
        this.#progress.show(nrScripts, (rate) => {
          const done = `${nrScripts}/${this.#seeds.length} scripts`;
          return `${done}, ${rate.toFixed(0)}/s, ${counts.size} kinds`;
        }),
      signal,
    });
    for await (const finding of campaign.run()) {
      await this.#tell(finding);
      if (this.#out.isClosed) abort.abort();
    }
    this.#progress.clear();
    await this.#summarize(campaign, !signal.aborted);
    await this.#out.flush();
    if (signal.aborted && !this.#out.isClosed) return EXIT_INTERRUPTED;
    return campaign.counts.size > 0 ? EXIT_DIFFERS : EXIT_AGREES;
  }

  async #tell(finding: Finding): Promise<void> {
    const { kind, seed } = finding;
    const transcript = await this.#transcriptOf(finding);
    const file = await this.#save(finding, transcript);
    this.#progress.clear();
    if (this.#flags.json) {
      await this.#out.line(JSON.stringify({ type: "finding", kind, seed, file, transcript }));
    } else if (file === undefined) {
      await this.#out.line(transcript);
    } else {
      await this.#out.line(`${file}: ${kind}`);
    }
  }

  /** What it is, the command that finds it again, and the script with what happened. */
  async #transcriptOf({ kind, seed, lines }: Finding): Promise<string> {
    const repaired = repair(lines);
    if (repaired === undefined) throw new InternalError("what is left of a script is one");
    const text = [`# ${kind}`, `# hugewalk fuzz ${commandOf(this.#flags, seed)}`];
    for await (const line of this.#judge.tell(repaired.script)) text.push(line);
    return `${text.join("\n")}\n`;
  }

  async #save({ kind, seed }: Finding, transcript: string): Promise<string | undefined> {
    const { out } = this.#flags;
    if (out === undefined) return undefined;
    return writeInto(out, `${kind.replace(/:.*$/s, "")}-${seed}.txt`, transcript);
  }

  async #summarize({ nrScripts, counts }: Campaign, isComplete: boolean): Promise<void> {
    const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
    if (this.#flags.json) {
      const faults = Object.fromEntries(sorted);
      const summary = { type: "summary", scripts: nrScripts, complete: isComplete, faults };
      await this.#out.line(JSON.stringify(summary));
      return;
    }
    for (const [kind, count] of sorted) await this.#out.line(`# ${count} × ${kind}`);
    const nrFaulty = sorted.reduce((sum, [, count]) => sum + count, 0);
    const all = isComplete ? "" : `of ${this.#seeds.length}, interrupted, `;
    const scripts = `${nrScripts} scripts${isComplete ? "," : ""} ${all}`;
    await this.#out.line(`# ${scripts}${nrFaulty} with a fault, ${counts.size} kinds`);
  }
}

function optionsOf(flags: FuzzFlags): GenerateOptions {
  const hasGigantic = flags["1g"] === true;
  // QEMU without KVM loads before it stores: what may be read and not written is faulted in first.
  const defaults =
    flags.vm === undefined ? DEFAULT_WEIGHTS : new Map([...DEFAULT_WEIGHTS, ["increment", 0]]);
  const weights = flags.weights ? parseWeights(flags.weights, defaults) : defaults;
  return {
    ...DEFAULT_OPTIONS,
    nrOperations: parseCount("ops", flags.ops) ?? DEFAULT_OPTIONS.nrOperations,
    maxPages: parseCount("max-pages", flags.maxPages) ?? DEFAULT_OPTIONS.maxPages,
    nrNodes: parseCount("nodes", flags.nodes) ?? DEFAULT_OPTIONS.nrNodes,
    weights,
    memory: hasGigantic ? "4G" : DEFAULT_OPTIONS.memory,
    hasGigantic,
    isSafe: flags.live === true,
  };
}

/** The kernel that is to be compared, if it is a real one. */
async function openKernel(flags: FuzzFlags, real: RealKernels): Promise<RealKernel | undefined> {
  const { against, vm, live = false } = flags;
  const nrAsked = [against !== undefined, vm !== undefined, live].filter(Boolean).length;
  if (nrAsked > 1) throw new HugewalkError("--against, --vm and --live exclude each other");
  if (live) return real.openLive();
  return vm === undefined ? undefined : real.openVm(await real.readImage(vm));
}

function judgeOf({ kernel: profile, against, live }: FuzzFlags, kernel?: RealKernel): Judge {
  const fitting = kernel ? profileOf(kernel.release) : "fixed";
  const emulator = emulated("kernel", profile ?? fitting);
  if (kernel) {
    const judge = new RealComparison(emulator, kernel);
    return live ? new HarmlessOnly(judge, emulator, kernel, LIVE_POOL_PAGES) : judge;
  }
  if (against === undefined) return new InvariantCheck(emulator);
  return compareEmulated(emulator, emulated("against", against));
}

function emulated(option: string, profile: string): EmulatedSubject {
  if (profileNames.includes(profile)) return new EmulatedSubject(profile);
  throw new OptionError(option, `no profile "${profile}"; there are ${profileNames.join(", ")}`);
}

/** The options that find a seed's fault again. */
function commandOf(flags: FuzzFlags, seed: number): string {
  const words = ["--seeds", `${seed}`];
  const valued = ["ops", "nodes", "weights", "kernel", "against", "vm"] as const;
  for (const name of valued) if (flags[name] !== undefined) words.push(`--${name}`, flags[name]);
  if (flags.maxPages !== undefined) words.push("--max-pages", flags.maxPages);
  if (flags["1g"]) words.push("--1g");
  if (flags.live) words.push("--live");
  return words.join(" ");
}

/** `7`, or `1..1000`. */
function parseSeeds(text: string): readonly number[] {
  const [, from, to = from] = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(text) ?? [];
  const length = Number(to) - Number(from) + 1;
  if (from === undefined || length < 1 || length > 1e7) {
    throw new OptionError("seeds", `"${text}" is not N or N..M`);
  }
  return Array.from({ length }, (_, i) => Number(from) + i);
}

function parseCount(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new OptionError(option, `"${text}" is not a number of 1 to 10000`);
  }
  return number;
}
