/** Studies that were made apart, put together: of each trace all runs, as if made in one. */
import { isDeepStrictEqual } from "node:util";
import { HugewalkError } from "../errors.ts";
import { quote } from "../transcript/text.ts";
import { isWhole } from "./check-study.ts";
import { type Run, type Study, STUDY_VERSION } from "./result.ts";

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
  if (!isWhole(study)) throw new HugewalkError(`${place}: a study that is not whole`);
  return study;
}

/**
 * One study a trace, in the order in which they come; runs by processor, then by policy, each in
 * that order. Throws `HugewalkError` where two say different things of the same run, or traces of
 * one name are not the same.
 */
export function mergeStudies(studies: readonly Study[]): Study[] {
  const merged = new Map<string, Study>();
  for (const study of studies) {
    const known = merged.get(study.trace.name);
    merged.set(study.trace.name, known ? mergeTwo(known, study) : study);
  }
  return [...merged.values()].map((study) => ({ ...study, runs: inOrder(study.runs) }));
}

function mergeTwo(a: Study, b: Study): Study {
  const trace = quote(a.trace.name);
  if (!isDeepStrictEqual(a.trace, b.trace)) {
    throw new HugewalkError(`two different traces are called ${trace}`);
  }
  const runs = [...a.runs];
  for (const run of b.runs) {
    const at = runs.findIndex(({ cpu, policy }) => cpu === run.cpu && policy === run.policy);
    if (at === -1) runs.push(run);
    else runs[at] = unite(runs[at], run, `${run.cpu}, ${run.policy}, of ${trace}`);
  }
  return { ...unite(a, { ...b, runs: a.runs }, trace), runs };
}

/** What either has; what both have has to be the same. */
function unite<T extends Run | Study>(a: T, b: T, what: string): T {
  for (const key of Object.keys(a) as (keyof T)[]) {
    if (b[key] === undefined || isDeepStrictEqual(a[key], b[key])) continue;
    throw new HugewalkError(`two different results (${String(key)}) for ${what}`);
  }
  return { ...a, ...b };
}

/** Processors and policies in the order in which they come. */
function inOrder(runs: readonly Run[]): Run[] {
  const cpus = [...new Set(runs.map(({ cpu }) => cpu))];
  const policies = [...new Set(runs.map(({ policy }) => policy))];
  const placeOf = ({ cpu, policy }: Run) =>
    cpus.indexOf(cpu) * policies.length + policies.indexOf(policy);
  return runs.toSorted((a, b) => placeOf(a) - placeOf(b));
}
