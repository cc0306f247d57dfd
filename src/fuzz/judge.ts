/**
 * What is wrong with a script: the first line on which the emulator and the kernel differ, or after
 * which an invariant of the emulator does not hold.
 */
import pc from "picocolors";
import { compareRuns, type ComparedLine } from "../transcript/compare.ts";
import { printCompared } from "../transcript/print-compared.ts";
import { printTranscript } from "../transcript/print.ts";
import { type LineRecord, runScript } from "../transcript/run.ts";
import type { OperationLine, Script } from "../transcript/script.ts";
import type { EmulatedSubject } from "./subject.ts";

export interface Fault {
  /**
   * Faults of one kind have, most likely, one cause: it is the operation and what came of it,
   * without numbers.
   */
  readonly kind: string;
  readonly line: OperationLine;
}

export interface Judge {
  /** The first fault of a script; undefined: there is none. */
  fault(script: Script): Promise<Fault | undefined>;
  /** The script as a transcript, up to its first fault, with what is wrong there as comments. */
  tell(script: Script): AsyncGenerator<string>;
}

const COLORLESS = { colors: pc.createColors(false) };
const THROWN = "throws ";

/** A script on two kernels, up to the first line on which they differ. */
export type Compare = (script: Script) => AsyncGenerator<ComparedLine>;

/** Looks for differences between the emulator and another kernel. */
export class Comparison implements Judge {
  readonly #names: readonly string[];
  readonly #compare: Compare;

  /** `names`: of the emulator and of the kernel. */
  constructor(names: readonly [string, string], compare: Compare) {
    this.#names = names;
    this.#compare = compare;
  }

  async fault(script: Script): Promise<Fault | undefined> {
    for await (const compared of this.#compare(script)) {
      if (compared.differs) return { kind: kindOf(compared), line: compared.line };
    }
    return undefined;
  }

  tell(script: Script): AsyncGenerator<string> {
    return printCompared(script, this.#compare(script), this.#names, COLORLESS);
  }
}

/** Compares the emulator with itself under another profile. */
export function compareEmulated(emulator: EmulatedSubject, kernel: EmulatedSubject): Comparison {
  return new Comparison([emulator.name, kernel.name], async function* (script) {
    const runs = [emulator, kernel].map((subject) => runUntilThrown(script, subject));
    for await (const compared of compareRuns(runs)) {
      yield compared;
      if (compared.differs) return;
    }
  });
}

/** Looks at the emulator's invariants after every line. */
export class InvariantCheck implements Judge {
  readonly #emulator: EmulatedSubject;

  constructor(emulator: EmulatedSubject) {
    this.#emulator = emulator;
  }

  async fault(script: Script): Promise<Fault | undefined> {
    for await (const { line, events } of this.#run(script)) {
      if (events.length > 0)
        return { kind: `${line.spec.name}: ${withoutNumbers(events[0])}`, line };
    }
    return undefined;
  }

  tell(script: Script): AsyncGenerator<string> {
    return printTranscript(script, this.#run(script), COLORLESS);
  }

  /** What does not hold after a line are its events. */
  async *#run(script: Script): AsyncGenerator<LineRecord> {
    for await (const record of runUntilThrown(script, this.#emulator)) {
      const isThrown = record.result.startsWith(THROWN);
      const events = isThrown ? [record.result] : this.#emulator.broken();
      yield { ...record, events };
      if (events.length > 0) return;
    }
  }
}

/** The run; a line on which the subject throws is the last, with what it throws as its result. */
async function* runUntilThrown(
  script: Script,
  subject: EmulatedSubject,
): AsyncGenerator<LineRecord> {
  const driver = subject.boot(script.machine);
  let nrLines = 0;
  try {
    for await (const record of runScript(script, driver)) {
      nrLines++;
      yield record;
    }
  } catch (error) {
    yield thrown(script.operations[nrLines], error);
  }
}

/** What is recorded of a line that made the emulator throw. */
export function thrown(line: OperationLine, error: unknown): LineRecord {
  return { line, result: `${THROWN}${error}`, changes: new Map(), differs: true, events: [] };
}

/** `munmap: ok / ok rsvd`: behind a result are the counters that changed as the other's did not. */
function kindOf({ line, records }: ComparedLine): string {
  if (line.spec.name === "pagemap") return "pagemap: pages";
  const results = records.map(({ result, changes }) => {
    const isOwn = ([name, value]: [string, bigint]): boolean =>
      records.some((other) => other.changes.get(name) !== value);
    const counters = [...changes].filter(isOwn).map(([name]) => name);
    return [withoutNumbers(result), ...counters].join(" ");
  });
  return `${line.spec.name}: ${results.join(" / ")}`;
}

function withoutNumbers(result: string): string {
  return result.replace(/0x[0-9a-f]+|\b\d+\b/g, "N");
}
