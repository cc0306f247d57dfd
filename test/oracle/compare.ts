/**
 * Runs a subject through a space of scenes and collects what differs from the oracle.
 */
import {
  describeControls,
  describeEntries,
  describeOutcome,
  describeVerdict,
  judge,
  type Judgement,
  type Outcome,
  type Scene,
  type Subject,
} from "./scene.ts";
import type { Verdict } from "./manual.ts";

const PAGE_BYTES = [0, 2 ** 12, 2 ** 21, 2 ** 30];

/** A numbered set of scenes: `at(index)` for every index below `size`. */
export interface Space {
  readonly name: string;
  readonly size: number;
  /** The scenes of one case: the second, if any, follows the first with nothing invalidated between. */
  at(index: number): readonly Scene[];
}

export interface Report {
  readonly name: string;
  cases: number;
  failures: number;
  milliseconds: number;
  /** The first few failures, readable. */
  readonly shown: string[];
  /** How often each kind of verdict came up: a sweep that never faults proves nothing. */
  readonly verdicts: Record<
    "translated" | "not-present" | "reserved" | "protection" | "general-protection",
    number
  >;
}

export interface SweepOptions {
  /** Runs every `stride`th case, from `offset`. */
  readonly stride?: number;
  readonly offset?: number;
  /** Failures to print; the sweep stops there unless `needsTotal`. */
  readonly shownAtMost?: number;
  readonly needsTotal?: boolean;
}

export function sweep(subject: Subject, space: Space, options: SweepOptions = {}): Report {
  const { stride = 1, offset = 0, shownAtMost = 5, needsTotal = false } = options;
  const verdicts = {
    translated: 0,
    "not-present": 0,
    reserved: 0,
    protection: 0,
    "general-protection": 0,
  };
  const report: Report = {
    name: space.name,
    cases: 0,
    failures: 0,
    milliseconds: 0,
    shown: [],
    verdicts,
  };
  const start = performance.now();
  for (let index = offset; index < space.size; index += stride) {
    const scenes = space.at(index);
    report.cases++;
    const difference = compare(subject, scenes, verdicts);
    if (difference === undefined) continue;
    report.failures++;
    if (report.shown.length < shownAtMost)
      report.shown.push(`${space.name}, case ${index}: ${difference}`);
    else if (!needsTotal) break;
  }
  report.milliseconds = performance.now() - start;
  return report;
}

export function describeReport(report: Report): string {
  const seconds = (report.milliseconds / 1000).toFixed(1);
  const kinds = Object.entries(report.verdicts).map(([kind, count]) => `${kind} ${count}`);
  return `${report.name}: ${report.cases} cases, ${report.failures} failures, ${seconds} s (${kinds.join(", ")})`;
}

function compare(
  subject: Subject,
  scenes: readonly Scene[],
  verdicts: Report["verdicts"],
): string | undefined {
  let entries = scenes[0].entries;
  subject.place(scenes[0]);
  for (const given of scenes) {
    const scene = given.entries === entries ? given : { ...given, entries };
    const judgement = judge(scene);
    verdicts[kindOf(judgement.verdict)]++;
    const difference = compareOne(subject, scene, judgement);
    if (difference !== undefined) return difference;
    entries = judgement.entries;
  }
  return undefined;
}

function kindOf({ fault }: Verdict): keyof Report["verdicts"] {
  if (fault === undefined) return "translated";
  if (fault.vector === 13) return "general-protection";
  if (fault.level === undefined) return "protection";
  return (fault.errorCode & 1) === 0 ? "not-present" : "reserved";
}

function compareOne(subject: Subject, scene: Scene, judgement: Judgement): string | undefined {
  const { verdict } = judgement;
  const probed = subject.probe(scene);
  if (!agrees(probed, verdict)) return explain("probe", scene, judgement, probed);
  if (!sameEntries(subject.entries(scene), scene.entries)) {
    return explain(
      "probe, which must change no entry",
      scene,
      judgement,
      probed,
      subject.entries(scene),
    );
  }

  const outcome = subject.access(scene);
  const after = subject.entries(scene);
  if (!agrees(outcome, verdict)) return explain("access", scene, judgement, outcome, after);
  if (!sameEntries(after, judgement.entries))
    return explain("entries after", scene, judgement, outcome, after);
  if (verdict.fault !== undefined) return undefined;

  // The accessed and dirty flags are set now: by cache or by walk, the same access changes nothing more.
  const again = subject.access(scene);
  const afterAgain = subject.entries(scene);
  if (!agrees(again, verdict) || !sameEntries(afterAgain, judgement.entries)) {
    return explain("the same access again", scene, judgement, again, afterAgain);
  }
  return undefined;
}

function agrees(outcome: Outcome, { fault, physicalAddress, pageLevel }: Verdict): boolean {
  if (fault === undefined) {
    return (
      outcome.vector === 0 &&
      outcome.physicalAddress === Number(physicalAddress) &&
      (outcome.pageBytes === 0 || outcome.pageBytes === PAGE_BYTES[pageLevel!])
    );
  }
  if (outcome.vector !== fault.vector || outcome.errorCode !== fault.errorCode) return false;
  if (fault.vector === 13) return true;
  if (outcome.cr2 !== fault.cr2) return false;
  // Which entry is to blame for a denied access is nobody's rule; which one ended the translation is.
  if (fault.level === undefined || outcome.level === 0) return true;
  return outcome.level === fault.level && outcome.entryAddress === Number(fault.entryAddress);
}

function sameEntries(got: readonly bigint[], expected: readonly bigint[]): boolean {
  return (
    got[0] === expected[0] &&
    got[1] === expected[1] &&
    got[2] === expected[2] &&
    got[3] === expected[3]
  );
}

function explain(
  what: string,
  scene: Scene,
  judgement: Judgement,
  outcome: Outcome,
  after?: readonly bigint[],
): string {
  const { place } = scene;
  return [
    what,
    `  ${describeControls(scene)}`,
    `  before    ${describeEntries(place, scene.entries)}`,
    `  expected  ${describeVerdict(judgement.verdict)}`,
    `  got       ${describeOutcome(outcome)}`,
    `  expected  ${describeEntries(place, judgement.entries)}`,
    ...(after ? [`  got       ${describeEntries(place, after)}`] : []),
  ].join("\n");
}
