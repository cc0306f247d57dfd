/**
 * `hugewalk fuzz`: random scripts, on which the emulator is compared with another kernel, or held
 * to its invariants.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
import { EXIT_AGREES, EXIT_DIFFERS, EXIT_UNUSABLE } from "./exit-code.ts";
import { Progress } from "./progress.ts";
import type { RealKernels } from "./real-kernels.ts";
import { Output, type Io } from "./streams.ts";

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
    return await new Fuzz({ flags, seeds, options, judge, io }).run(abort.signal);
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
  readonly io: Io;
}

class Fuzz {
  readonly #flags: FuzzFlags;
  readonly #out: Output;
  readonly #progress: Progress;
  readonly #options: GenerateOptions;
  readonly #seeds: readonly number[];
  readonly #judge: Judge;

  constructor({ flags, seeds, options, judge, io }: FuzzSetting) {
    this.#flags = flags;
    this.#out = new Output(io.stdout);
    this.#options = options;
    this.#seeds = seeds;
    this.#judge = judge;
    this.#progress = new Progress(io.stderr, seeds.length);
  }

  async run(signal: AbortSignal): Promise<number> {
    const campaign = new Campaign({
      seeds: this.#seeds,
      generate: (seed) => generateScript(seed, this.#options),
      judge: this.#judge,
      budget: SHRINK_BUDGET,
      onProgress: ({ nrScripts, counts }) =>
        this.#progress.show(nrScripts, (rate) => {
          const done = `${nrScripts}/${this.#seeds.length} scripts`;
          return `${done}, ${rate.toFixed(0)}/s, ${counts.size} kinds`;
        }),
      signal,
    });
    for await (const finding of campaign.run()) await this.#tell(finding);
    this.#progress.clear();
    await this.#summarize(campaign);
    await this.#out.flush();
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
    await mkdir(out, { recursive: true });
    const file = join(out, `${kind.replace(/:.*$/s, "")}-${seed}.txt`);
    await writeFile(file, transcript);
    return file;
  }

  async #summarize({ nrScripts, counts }: Campaign): Promise<void> {
    const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
    if (this.#flags.json) {
      const summary = { type: "summary", scripts: nrScripts, faults: Object.fromEntries(sorted) };
      await this.#out.line(JSON.stringify(summary));
      return;
    }
    for (const [kind, count] of sorted) await this.#out.line(`# ${count} × ${kind}`);
    const nrFaulty = sorted.reduce((sum, [, count]) => sum + count, 0);
    await this.#out.line(`# ${nrScripts} scripts, ${nrFaulty} with a fault, ${counts.size} kinds`);
  }
}

function optionsOf(flags: FuzzFlags): GenerateOptions {
  const hasGigantic = flags["1g"] === true;
  const weights = new Map(flags.weights ? parseWeights(flags.weights) : DEFAULT_WEIGHTS);
  // QEMU without KVM loads before it stores: what may be read and not written is faulted in first.
  if (flags.vm !== undefined) weights.set("increment", 0);
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
