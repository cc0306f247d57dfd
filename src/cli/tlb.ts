/** `hugewalk tlb`: a trace through the TLBs of processors, with pages of several sizes. */
import { availableParallelism } from "node:os";
import { LANES_MAX } from "../../assembly/model/layout.ts";
import { HugewalkError, OptionError } from "../errors.ts";
import { unlessAborted } from "../study/interrupt.ts";
import { type Mapping, parseMaps } from "../study/mappings.ts";
import { parsePolicy } from "../study/policy.ts";
import type { Study } from "../study/result.ts";
import { studyTrace, type TraceStudyOptions } from "../study/study-trace.ts";
import type { Processor } from "../tlb/config.ts";
import { TlbModel } from "../tlb/model.ts";
import { parseProcessor } from "../tlb/parse.ts";
import { findPreset, PRESETS } from "../tlb/presets.ts";
import type { Trace } from "../trace/trace.ts";
import { quote } from "../transcript/text.ts";
import { atPlace, complain, isUsersError } from "./complaint.ts";
import { EXIT_AGREES, EXIT_UNUSABLE, exitCodeOfSignal } from "./exit-code.ts";
import { Progress } from "./progress.ts";
import { inputName, Output, readInput, type Io } from "./streams.ts";
import { csvLines } from "./tlb-csv.ts";
import { reportLines } from "./tlb-report.ts";
import { openTrace, tellBroken, type TraceFlags } from "./traces.ts";

export interface ReportFlags {
  readonly top: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

export interface StudyFlags {
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly cpu?: string;
  readonly cpuFile?: string;
  readonly threads?: string;
}

/** What of a trace is studied, and how. */
export interface ViewFlags extends StudyFlags, ReportFlags {
  readonly policy: string;
  readonly maps?: string;
  readonly interval?: string;
  readonly instructions?: boolean;
  readonly curves?: boolean;
  readonly regions: boolean;
  readonly skip: string;
  readonly references?: string;
}

export const DEFAULT_CPUS = "skylake-sp,sapphire-rapids,zen4";

export interface TlbFlags extends ViewFlags, TraceFlags {}

/** Studies the trace at a path, or `-`, prints what it finds, and returns the exit code. */
export async function studyFile(path: string, flags: TlbFlags, io: Io): Promise<number> {
  return atUsersRisk(io, async (signal) => {
    const view = await prepareView(flags, io);
    const trace = await unlessAborted(openTrace(path, flags, io), signal);
    if (!trace) return;
    const progress = new Progress(io.stderr, trace.totalBytes);
    const study = await studyWithProgress(trace, view, signal, progress);
    await tellBroken(trace, io);
    if (!signal.aborted) checkReferences(study);
    await printStudy(study, flags, view, io.stdout);
  });
}

/** Throws `HugewalkError`. */
function checkReferences({ trace }: Study): void {
  const { fetch, load, store } = trace.references;
  if (fetch + load + store > 0) return;
  const behind = trace.nrSkipped > 0 ? ` behind the first ${trace.nrSkipped}` : "";
  throw new HugewalkError(`${trace.name}: no references${behind}`);
}

/** What flags ask for, read and judged before anything runs. */
export interface View {
  readonly mappings: readonly Mapping[] | undefined;
  readonly options: TraceStudyOptions;
}

/** Throws `HugewalkError`. */
export async function prepareView(flags: ViewFlags, io: Io): Promise<View> {
  const mappings = await readMaps(flags.maps, io);
  wholeNumber("top", flags.top, 0);
  return { mappings, options: await optionsOf(flags, mappings, io) };
}

/** What is the user's to mend is said in one line. Returns the exit code. */
export async function atUsersRisk(
  io: Io,
  act: (signal: AbortSignal) => Promise<void>,
  interruptions: readonly NodeJS.Signals[] = ["SIGINT"],
): Promise<number> {
  const abort = new AbortController();
  let exitCode: number = EXIT_AGREES;
  const interrupt = (signal: NodeJS.Signals): void => {
    exitCode = exitCodeOfSignal(signal);
    abort.abort();
  };
  for (const signal of interruptions) process.once(signal, interrupt);
  try {
    await act(abort.signal);
    return exitCode;
  } catch (error) {
    if (!isUsersError(error)) throw error;
    await complain(io, error instanceof OptionError ? optionLine(error) : error.message);
    return abort.signal.aborted ? exitCode : EXIT_UNUSABLE;
  } finally {
    for (const signal of interruptions) process.off(signal, interrupt);
  }
}

function optionLine({ message }: OptionError): string {
  return /^(--|<)/.test(message) ? message : `--${message}`;
}

async function readMaps(path: string | undefined, io: Io): Promise<Mapping[] | undefined> {
  if (path === undefined) return undefined;
  return parseMaps(await readText(path, io), inputName(path));
}

async function readText(path: string, io: Io): Promise<string> {
  return new TextDecoder().decode(await readInput(path, io));
}

async function optionsOf(
  flags: ViewFlags,
  mappings: readonly Mapping[] | undefined,
  io: Io,
): Promise<TraceStudyOptions> {
  const processors = await processorsOf(flags, io);
  const names = namesIn(flags.policy);
  const context = { mappings, read: (path: string) => readText(path, io) };
  const policies = await Promise.all(names.map((name) => parsePolicy(name, context)));
  if (policies.length === 0) throw new OptionError("policy", "none is given");
  if (policies.length > LANES_MAX) {
    throw new OptionError("policy", `${policies.length} are more than ${LANES_MAX}`);
  }
  return {
    subjects: processors.map((processor) => ({ processor, policies })),
    nrThreads: threadsOf(flags),
    nrSkipped: wholeNumber("skip", flags.skip, 0),
    limit: tryWholeNumber("references", flags.references, 1) ?? Infinity,
    interval: tryWholeNumber("interval", flags.interval, 1),
    hasRegions: flags.regions,
    hasInstructions: flags.instructions ?? false,
    hasCurves: flags.curves ?? false,
  };
}

/** Throws `HugewalkError`. */
export async function processorsOf(flags: StudyFlags, io: Io): Promise<Processor[]> {
  const own = flags.cpuFile === undefined ? [] : [await readProcessor(flags.cpuFile, io)];
  const { cpu = own.length > 0 ? "" : DEFAULT_CPUS } = flags;
  const known = cpu === "all" ? PRESETS : namesIn(cpu).map((name) => findPreset(name));
  const processors = [...own, ...known.map(({ processor }) => processor)];
  if (processors.length === 0) throw new OptionError("cpu", "none is given");
  const twice = processors.find(({ name }, i) => {
    return processors.findIndex((other) => other.name === name) !== i;
  });
  if (twice) throw new OptionError("cpu", `two are called ${quote(twice.name)}`);
  return processors;
}

/** What is joined by commas, each once. */
export function namesIn(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  return [...new Set(names)].filter((name) => name !== "");
}

/** What the file says is judged here, so that no thread has to. */
async function readProcessor(path: string, io: Io): Promise<Processor> {
  const text = await readText(path, io);
  const name = inputName(path);
  try {
    const processor = parseProcessor(text, name);
    checkModel(processor, name);
    return processor;
  } catch (error) {
    throw error instanceof OptionError ? new HugewalkError(error.message) : error;
  }
}

/** Whether the model has room for it. */
function checkModel(processor: Processor, name: string): void {
  try {
    void new TlbModel(processor, { policies: ["4K"] });
  } catch (error) {
    throw atPlace(error, name);
  }
}

export function threadsOf({ threads }: StudyFlags): number {
  return tryWholeNumber("threads", threads, 1) ?? availableParallelism();
}

/** Undefined if it is not given. Throws `OptionError`. */
function tryWholeNumber(
  option: string,
  text: string | undefined,
  least: number,
): number | undefined {
  return text === undefined ? undefined : wholeNumber(option, text, least);
}

/** Throws `OptionError`. */
export function wholeNumber(option: string, text: string, least: number): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || n < least || n > Number.MAX_SAFE_INTEGER) {
    throw new OptionError(option, `${quote(text)} is no whole number from ${least} on`);
  }
  return n;
}

export async function studyWithProgress(
  trace: Trace,
  { options }: View,
  signal: AbortSignal,
  progress?: Progress,
): Promise<Study> {
  try {
    return await studyTrace(trace, {
      ...options,
      signal,
      onProgress: (nrReferences) => {
        progress?.show(trace.nrBytes, (bytesPerSecond) => {
          const rate = (nrReferences / trace.nrBytes) * bytesPerSecond;
          const million = (n: number) => (n / 1e6).toFixed(1);
          return `${million(nrReferences)} M references, ${million(rate)} M/s`;
        });
      },
    });
  } finally {
    progress?.clear();
  }
}

export async function printStudy(
  study: Study,
  flags: ReportFlags,
  { mappings }: Pick<View, "mappings">,
  stream: NodeJS.WritableStream,
): Promise<void> {
  const output = new Output(stream);
  for (const line of linesOf(study, flags, mappings)) await output.line(line);
  await output.flush();
}

function linesOf(
  study: Study,
  { top, json, csv }: ReportFlags,
  mappings: readonly Mapping[] | undefined,
): Iterable<string> {
  if (json) return [JSON.stringify(study)];
  if (csv) return csvLines(study);
  return reportLines(study, { top: wholeNumber("top", top, 0), mappings });
}
