/** Studies that were made apart, put together: of each trace all runs, as if made in one. */
import { HugewalkError } from "../errors.ts";
import { quote } from "../transcript/text.ts";
import { type Run, type Study, STUDY_VERSION, type TraceFacts } from "./result.ts";

/** The studies in a text, one JSON object or one on each line. Throws `HugewalkError`. */
export function parseStudies(text: string, name: string): Study[] {
  const whole = tryParse(text);
  if (whole !== undefined) return [checkStudy(whole, name)];
  const studies = text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const value = tryParse(line);
    if (value === undefined) throw new HugewalkError(`${name}:${i + 1}: no JSON`);
    return [checkStudy(value, `${name}:${i + 1}`)];
  });
  if (studies.length === 0) throw new HugewalkError(`${name}: no study`);
  return studies;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checkStudy(value: unknown, place: string): Study {
  const study = value as Partial<Study> | null;
  if (typeof study !== "object" || study === null || study.type !== "study") {
    throw new HugewalkError(`${place}: no study of hugewalk tlb --json`);
  }
  if (study.version !== STUDY_VERSION) {
    const version = JSON.stringify(study.version);
    throw new HugewalkError(`${place}: version ${version}; this hugewalk has ${STUDY_VERSION}`);
  }
  if (!isTrace(study.trace) || !Array.isArray(study.runs) || !study.runs.every(isRun)) {
    throw new HugewalkError(`${place}: a study that is not whole`);
  }
  return study as Study;
}

function isTrace(trace: TraceFacts | undefined): boolean {
  const { fetch, load, store } = trace?.references ?? {};
  return typeof trace?.name === "string" && areNumbers([fetch, load, store]);
}

function isRun(run: Partial<Run> | null): boolean {
  if (!run || typeof run.cpu !== "string" || typeof run.policy !== "string") return false;
  const { accesses, walks, prefetches, walkCycles, hitCycles, walkers } = run;
  return (
    areNumbers([accesses, walks, prefetches, walkCycles, hitCycles, walkers]) &&
    [run.firstLevel, run.secondLevel, run.entryLoads, run.routes].every(Array.isArray)
  );
}

function areNumbers(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === "number");
}

/**
 * One study a trace, in the order in which they come. Throws `HugewalkError` where two say different
 * things of the same run, or traces of one name are not the same.
 */
export function mergeStudies(studies: readonly Study[]): Study[] {
  const merged = new Map<string, Study>();
  for (const study of studies) {
    const known = merged.get(study.trace.name);
    merged.set(study.trace.name, known ? mergeTwo(known, study) : study);
  }
  return [...merged.values()];
}

function mergeTwo(a: Study, b: Study): Study {
  if (JSON.stringify(a.trace) !== JSON.stringify(b.trace)) {
    throw new HugewalkError(`two different traces are called ${quote(a.trace.name)}`);
  }
  const runs = [...a.runs];
  for (const run of b.runs) {
    const known = runs.find(({ cpu, policy }) => cpu === run.cpu && policy === run.policy);
    if (!known) runs.push(run);
    else if (JSON.stringify(known) !== JSON.stringify(run)) {
      const what = `${run.cpu}, ${run.policy}, of ${quote(a.trace.name)}`;
      throw new HugewalkError(`two different results for ${what}`);
    }
  }
  const { curves = b.curves, samples = b.samples } = a;
  return { ...a, runs, ...(curves && { curves }), ...(samples && { samples }) };
}
