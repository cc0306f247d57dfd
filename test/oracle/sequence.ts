/**
 * Runs sequences: an access, a change of the tables, instructions that invalidate or do not, an
 * access, and that access again. Every access must come out in one of the ways the manual allows.
 */
import { allowedOutcomes, type AllowedOutcome } from "./allowed.ts";
import { Caches, type Instruction } from "./caches.ts";
import { agrees, kindOf, newReport, type Report, type SweepOptions } from "./compare.ts";
import {
  describeAccess,
  describeOutcome,
  describeProcessor,
  describeVerdict,
  hex,
} from "./describe.ts";
import type { Access, Processor } from "./processor.ts";
import { newMemory } from "./scene.ts";
import { newOutcome, type Subject } from "./subject.ts";
import type { TrackedEntries } from "./tracked.ts";

/** How the CPU stands when a sequence begins. */
export interface Context {
  /** CR4.PGE. */
  readonly pge: boolean;
  /** CR4.PCIDE; without it `pcid` is 0. */
  readonly pcide: boolean;
  readonly pcid: number;
}

export interface SequenceSubject extends Subject {
  /** Sets registers, CR4.PGE, CR4.PCIDE and CR3, and drops every cached translation. */
  begin(processor: Processor, context: Context): void;
  execute(instruction: Instruction): void;
}

/** Software's store of one entry, in halves. */
export interface Store {
  readonly at: number;
  readonly low: number;
  readonly high: number;
}

interface Sequence {
  readonly processor: Processor;
  /** The registers from the change on. */
  readonly processorAfter: Processor;
  readonly context: Context;
  /** Every address an entry may lie at, and the entries at first. */
  readonly tracked: TrackedEntries;
  readonly tables: Uint32Array;
  readonly first: Access;
  readonly firstLinear: bigint;
  readonly change: Store | undefined;
  readonly instructions: readonly Instruction[];
  readonly second: Access;
  readonly secondLinear: bigint;
}

export interface SequenceSpace {
  readonly name: string;
  readonly size: number;
  at(index: number): Sequence;
}

export interface SequenceReport extends Report {
  /** How often what the subject did was no walk's outcome: a sweep without any proves nothing. */
  stale: number;
}

export function sweepSequences(
  subject: SequenceSubject,
  space: SequenceSpace,
  options: SweepOptions = {},
): SequenceReport {
  const { stride = 1, from = stride >> 1, to = space.size, shownAtMost = 5 } = options;
  const report: SequenceReport = { ...newReport(space.name), stale: 0 };
  const runner = new Runner(subject, report);
  const start = performance.now();
  for (let index = from; index < to; index += stride) {
    report.cases++;
    const difference = runner.run(space.at(index));
    if (difference === undefined) continue;
    report.failures++;
    if (report.shown.length < shownAtMost) {
      report.shown.push(`${space.name}, case ${index}: ${difference}`);
    }
  }
  report.milliseconds = performance.now() - start;
  return report;
}

class Runner {
  readonly #subject: SequenceSubject;
  readonly #report: SequenceReport;
  readonly #memory = newMemory();
  readonly #caches = new Caches();
  readonly #outcome = newOutcome();
  #tracked: TrackedEntries | undefined;

  constructor(subject: SequenceSubject, report: SequenceReport) {
    this.#subject = subject;
    this.#report = report;
    subject.words.fill(0);
  }

  run(sequence: Sequence): string | undefined {
    this.#begin(sequence);
    const { processor, processorAfter, first, firstLinear, second, secondLinear } = sequence;
    const wrong = this.#access(sequence, processor, first, firstLinear);
    if (wrong !== undefined) return this.#explain(sequence, "the first access", first, wrong);
    if (sequence.change !== undefined) {
      store(this.#memory.words, sequence.change);
      store(this.#subject.words, sequence.change);
    }
    this.#subject.configure(processorAfter);
    for (const instruction of sequence.instructions) {
      this.#subject.execute(instruction);
      this.#caches.execute(instruction);
    }
    for (const what of ["the second access", "the second access again"]) {
      const wrong = this.#access(sequence, processorAfter, second, secondLinear);
      if (wrong !== undefined) return this.#explain(sequence, what, second, wrong);
    }
    return undefined;
  }

  #begin({ processor, context, tracked, tables }: Sequence): void {
    const caches = this.#caches;
    if (this.#tracked !== tracked) {
      this.#tracked?.clear(this.#memory.words);
      this.#tracked?.clear(this.#subject.words);
      this.#tracked = tracked;
    }
    tracked.place(this.#memory.words, tables);
    tracked.place(this.#subject.words, tables);
    caches.clear();
    caches.pcid = context.pcid;
    caches.hasGlobalPages = context.pge;
    this.#subject.begin(processor, context);
  }

  /** What would have been allowed, if what the subject did is not. */
  #access(
    { tracked }: Sequence,
    processor: Processor,
    access: Access,
    linear: bigint,
  ): AllowedOutcome[] | undefined {
    const { words } = this.#memory;
    const allowed = allowedOutcomes(processor, this.#memory, access, linear, this.#caches, tracked);
    this.#subject.access(access, this.#outcome);
    let done: AllowedOutcome | undefined;
    let isWalk = false;
    for (const outcome of allowed) {
      if (!agrees(this.#outcome, outcome.verdict)) continue;
      if (!tracked.holds(this.#subject.words, outcome.after, words)) continue;
      done ??= outcome;
      if (outcome.by === "walk") isWalk = true;
      if (outcome.verdict.vector !== 0 || outcome.by === "TLB") continue;
      this.#caches.fill(linear, access, outcome.verdict, outcome.used);
    }
    if (done === undefined) return allowed;
    this.#report.verdicts[kindOf(done.verdict)]++;
    if (!isWalk) this.#report.stale++;
    tracked.restore(words, done.after);
    if (done.verdict.vector === 14) this.#caches.pageFault(linear);
    return undefined;
  }

  #explain(
    sequence: Sequence,
    what: string,
    access: Access,
    allowed: readonly AllowedOutcome[],
  ): string {
    const { processor, processorAfter, tracked, change, instructions } = sequence;
    const tables = newMemory().words;
    tracked.place(tables, sequence.tables);
    const entries = (words: Uint32Array): string =>
      tracked
        .load(words)
        .map(([at, entry]) => `${hex(at)}: ${hex(entry)}`)
        .join("  ");
    const after = (outcome: AllowedOutcome): string => {
      const words = this.#memory.words.slice();
      tracked.restore(words, outcome.after);
      return entries(words);
    };
    return [
      `${what}: ${describeAccess(access)}; ${describeProcessor(processor)}`,
      ...(processorAfter === processor ? [] : [`  then      ${describeProcessor(processorAfter)}`]),
      `  context   ${JSON.stringify(sequence.context)}`,
      `  tables    ${entries(tables)}`,
      `  first     ${describeAccess(sequence.first)}`,
      `  change    ${change === undefined ? "none" : `${hex(change.at)}: ${hex(change.high * 2 ** 32 + change.low)}`}`,
      `  between   ${instructions.map(describeInstruction).join(", ") || "nothing"}`,
      ...allowed.flatMap((outcome) => [
        `  allowed   by ${outcome.by}: ${describeVerdict(outcome.verdict, processor)}`,
        `            ${after(outcome)}`,
      ]),
      `  got       ${describeOutcome(this.#outcome)}`,
      `            ${entries(this.#subject.words)}`,
    ].join("\n");
  }
}

function store(words: Uint32Array, { at, low, high }: Store): void {
  words[at / 4] = low;
  words[at / 4 + 1] = high;
}

function describeInstruction(instruction: Instruction): string {
  switch (instruction.name) {
    case "INVLPG":
      return `INVLPG ${hex(instruction.linear)}`;
    case "INVPCID":
      return `INVPCID ${instruction.type}, PCID ${instruction.pcid}, ${hex(instruction.linear)}`;
    case "CR3":
      return `CR3 with PCID ${instruction.pcid}${instruction.keeps ? " and bit 63" : ""}`;
    case "PGE":
      return "CR4.PGE toggled";
  }
}
