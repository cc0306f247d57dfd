/** Runs a subject through a space of cases and collects what differs from the oracle. */
import {
  describeAccess,
  describeEntries,
  describeOutcome,
  describeProcessor,
  describeVerdict,
} from "./describe.ts";
import { PAGE_BYTES } from "./entry.ts";
import { newVerdict, translate, type Verdict } from "./manual.ts";
import { accessOf, type Access, type Processor } from "./processor.ts";
import { memoryTypeOf, PF_PK } from "./rights.ts";
import {
  clearEntries,
  holdsEntries,
  newMemory,
  newScene,
  sameEntries,
  storeEntries,
  type Place,
  type Scene,
} from "./scene.ts";
import { newOutcome, type Outcome, type Subject } from "./subject.ts";

/** A numbered set of cases. */
export interface Space {
  readonly name: string;
  readonly size: number;
  /**
   * Makes `scene` the case of this number; whatever it leaves alone is as the case before had it.
   */
  fill(index: number, scene: Scene): void;
}

export const VERDICT_KINDS = [
  "translated",
  "not-present",
  "reserved",
  "denied",
  "denied by key",
  "#GP",
  "#SS",
] as const;
export type VerdictKind = (typeof VERDICT_KINDS)[number];

export interface Report {
  readonly name: string;
  cases: number;
  failures: number;
  milliseconds: number;
  /** The first few failures, readable. */
  readonly shown: string[];
  /** How often each kind of verdict came up: a sweep that never faults proves nothing. */
  readonly verdicts: Record<VerdictKind, number>;
}

export interface SweepOptions {
  /** Runs every `stride`th case, from `from` to before `to`. */
  readonly stride?: number;
  readonly from?: number;
  readonly to?: number;
  /** Failures to print. */
  readonly shownAtMost?: number;
}

export function newReport(name: string): Report {
  return {
    name,
    cases: 0,
    failures: 0,
    milliseconds: 0,
    shown: [],
    verdicts: {
      translated: 0,
      "not-present": 0,
      reserved: 0,
      denied: 0,
      "denied by key": 0,
      "#GP": 0,
      "#SS": 0,
    },
  };
}

export function sweep(subject: Subject, space: Space, options: SweepOptions = {}): Report {
  const { stride = 1, from = stride >> 1, to = space.size, shownAtMost = 5 } = options;
  const report = newReport(space.name);
  const comparison = new Comparison(subject, report.verdicts);
  const scene = newScene(accessOf("read", 0, 0n));
  const start = performance.now();
  for (let index = from; index < to; index += stride) {
    space.fill(index, scene);
    report.cases++;
    const difference = comparison.run(scene);
    if (difference === undefined) continue;
    report.failures++;
    if (report.shown.length < shownAtMost) {
      report.shown.push(`${space.name}, case ${index}: ${difference}`);
    }
  }
  report.milliseconds = performance.now() - start;
  return report;
}

export function kindOf({ vector, errorCode, level }: Verdict): VerdictKind {
  if (vector === 0) return "translated";
  if (vector !== 14) return vector === 12 ? "#SS" : "#GP";
  if (level === 0) return (errorCode & PF_PK) !== 0 ? "denied by key" : "denied";
  return (errorCode & 1) === 0 ? "not-present" : "reserved";
}

/** Holds a subject and the oracle's own memory side by side. */
class Comparison {
  readonly #subject: Subject;
  readonly #memory = newMemory();
  readonly #verdict = newVerdict();
  readonly #outcome = newOutcome();
  readonly #verdicts: Report["verdicts"];
  #place: Place | undefined;

  constructor(subject: Subject, verdicts: Report["verdicts"]) {
    this.#subject = subject;
    this.#verdicts = verdicts;
    subject.words.fill(0);
  }

  run(scene: Scene): string | undefined {
    const subject = this.#subject;
    const { words } = this.#memory;
    const { place, entries, processor, before, access } = scene;
    if (this.#place !== place) {
      if (this.#place !== undefined) {
        clearEntries(words, this.#place);
        clearEntries(subject.words, this.#place);
      }
      this.#place = place;
    }
    storeEntries(words, place, entries);
    storeEntries(subject.words, place, entries);
    subject.configure(processor);
    subject.flush();
    if (before !== undefined) {
      const difference = this.#accessBoth(scene, before, "the access before");
      if (difference !== undefined) return difference;
    }
    subject.probe(access, this.#outcome);
    const probeChangedNothing =
      before === undefined
        ? holdsEntries(subject.words, place, entries)
        : sameEntries(subject.words, words, place);
    if (!probeChangedNothing) return this.#explain(scene, access, "a probe must change no entry");
    translate(processor, this.#memory, access, this.#verdict);
    this.#verdicts[kindOf(this.#verdict)]++;
    if (!agrees(this.#outcome, this.#verdict)) return this.#explain(scene, access, "probe");
    if (!describesAlike(this.#outcome, this.#verdict, processor)) {
      return this.#explain(scene, access, "what a probe tells");
    }
    subject.access(access, this.#outcome);
    return this.#compareAccess(scene, access, "access");
  }

  #accessBoth(scene: Scene, access: Access, what: string): string | undefined {
    translate(scene.processor, this.#memory, access, this.#verdict);
    this.#subject.access(access, this.#outcome);
    return this.#compareAccess(scene, access, what);
  }

  #compareAccess(scene: Scene, access: Access, what: string): string | undefined {
    if (!agrees(this.#outcome, this.#verdict)) return this.#explain(scene, access, what);
    if (sameEntries(this.#subject.words, this.#memory.words, scene.place)) return undefined;
    return this.#explain(scene, access, `entries after ${what}`);
  }

  #explain(scene: Scene, access: Access, what: string): string {
    const { place, processor, entries, before } = scene;
    const given = newMemory().words;
    storeEntries(given, place, entries);
    return [
      what,
      `  ${describeAccess(access)}; ${describeProcessor(processor)}`,
      ...(before === undefined ? [] : [`  after     ${describeAccess(before)}`]),
      `  before    ${describeEntries(given, place)}`,
      `  expected  ${describeVerdict(this.#verdict, processor)}`,
      `  got       ${describeOutcome(this.#outcome)}`,
      `  expected  ${describeEntries(this.#memory.words, place)}`,
      `  got       ${describeEntries(this.#subject.words, place)}`,
    ].join("\n");
  }
}

/** Whether an access or a probe came out as the manual says. */
export function agrees(outcome: Outcome, verdict: Verdict): boolean {
  if (outcome.vector !== verdict.vector) return false;
  if (verdict.vector === 0) return outcome.physicalAddress === verdict.physicalAddress;
  if (outcome.errorCode !== verdict.errorCode) return false;
  if (verdict.vector !== 14) return true;
  const { fault } = outcome;
  if (fault === undefined) return false;
  if (fault.address !== cr2Of(verdict)) return false;
  // Which entry is to blame for a denied access is nobody's rule; which one ended the translation
  // is.
  if (verdict.level === 0) return true;
  return fault.level === verdict.level && fault.entryAddress === verdict.entryAddress;
}

let lastHigh = 0;
let lastLow = 0;
let lastCr2 = 0n;

/** CR2 as one value; kept, as a run of cases most often has the same. */
function cr2Of({ cr2High, cr2Low }: Verdict): bigint {
  if (cr2High !== lastHigh || cr2Low !== lastLow) {
    lastCr2 = (BigInt(cr2High) << 32n) | BigInt(cr2Low);
    lastHigh = cr2High;
    lastLow = cr2Low;
  }
  return lastCr2;
}

/** Whether what a probe tells of a translation is so. */
function describesAlike(outcome: Outcome, verdict: Verdict, processor: Processor): boolean {
  if (verdict.vector !== 0) return true;
  const told = outcome.translation;
  return (
    told !== undefined &&
    told.level === verdict.pageLevel &&
    told.pageBytes === PAGE_BYTES[verdict.pageLevel] &&
    told.writable === verdict.isWritable &&
    told.user === verdict.isUser &&
    told.executable === !verdict.isExecuteDisabled &&
    told.dirty === verdict.isDirty &&
    told.global === verdict.isGlobal &&
    told.shadowStack === verdict.isShadowStack &&
    told.protectionKey === verdict.protectionKey &&
    told.patIndex === verdict.patIndex &&
    told.memoryType === memoryTypeOf(processor.pat, verdict.patIndex)
  );
}
