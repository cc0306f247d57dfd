/**
 * Runs a script against a driver, a line at a time, and compares what happens with what the
 * script expects.
 */
import type { Counters, Driver, Outcome } from "./driver.ts";
import { Labels } from "./labels.ts";
import { resolveAddress, resolveHost, resolveProcess, UnboundName } from "./resolve.ts";
import type { Expectation, OperationLine, Script } from "./script.ts";
import type { TlbCost } from "./tlb-cost.ts";

export interface LineRecord {
  readonly line: OperationLine;
  /** As the language writes it, labels of frames included. */
  readonly result: string;
  /** The counters that changed, with their new values, in the driver's order. */
  readonly changes: ReadonlyMap<string, bigint>;
  /** Whether anything that was asserted does not hold. */
  readonly differs: boolean;
  /** Of an access that a signal ended: si_addr less the operation's address. */
  readonly faultOffset?: number;
  /** What `takeEvents` gave for this line. */
  readonly events: readonly string[];
  /** What it cost in TLBs; undefined: the driver does not measure that. */
  readonly tlb?: TlbCost;
}

export interface RunOptions {
  /** What happened inside the driver since the last call. */
  readonly takeEvents?: () => readonly string[];
}

/** One record for every operation of the script, in order. What the driver throws goes through. */
export async function* runScript(
  script: Script,
  driver: Driver,
  options: RunOptions = {},
): AsyncGenerator<LineRecord> {
  const runner = new Runner(script, driver);
  const takeEvents = options.takeEvents ?? (() => []);
  let before: Counters = new Map(driver.counters());
  for (const line of script.operations) {
    const outcome = await runner.run(line);
    const after: Counters = new Map(driver.counters());
    const changes = new Map([...after].filter(([name, value]) => before.get(name) !== value));
    before = after;
    const { result, agrees } = runner.compare(line, outcome);
    const differs = !agrees || !countersAgree(changes, line.expectation);
    const { faultOffset } = outcome;
    const tlb = driver.tlbs?.take();
    yield { line, result, changes, differs, faultOffset, events: [...takeEvents()], tlb };
  }
}

/** Whether a counter is printed and compared only where an expectation names it. */
export function isOnlyWhereNamed(counter: string): boolean {
  return counter.endsWith(".surp");
}

function countersAgree(
  changes: ReadonlyMap<string, bigint>,
  expectation: Expectation | undefined,
): boolean {
  const expected = expectation?.counters;
  if (expected === undefined) return true;
  const hasAll = [...expected].every(([name, value]) => changes.get(name) === value);
  return (
    hasAll && [...changes.keys()].every((name) => isOnlyWhereNamed(name) || expected.has(name))
  );
}

class Runner {
  readonly #driver: Driver;
  readonly #labels: Labels;
  readonly #names = new Map<string, Map<string, number>>();

  constructor(script: Script, driver: Driver) {
    this.#driver = driver;
    const pages = script.operations.flatMap((line) => line.expectation?.pages ?? []);
    const labels = pages.flatMap((page) => (page === undefined ? [] : [page.label]));
    this.#labels = new Labels((frame) => driver.isFrameAlive(frame), labels);
  }

  async run(line: OperationLine): Promise<Outcome> {
    if (line.spec.role === "host") return this.#driver.host(resolveHost(line));
    const names = this.#namesOf(line.actor);
    try {
      if (line.spec.name === "let") return this.#bind(line, resolveAddress(line, names));
      const operation = resolveProcess(line, names);
      const outcome = await this.#driver.process(line.actor, operation);
      if (operation.op === "fork" && outcome.result === "ok") {
        this.#names.set(operation.child, new Map(names));
      }
      return outcome.bound === undefined ? outcome : this.#bind(line, outcome.bound, outcome);
    } catch (error) {
      if (error instanceof UnboundName) return { result: "unbound" };
      throw error;
    }
  }

  /** The result with its labels, and whether it is the expected one. */
  compare(line: OperationLine, outcome: Outcome): { result: string; agrees: boolean } {
    const { expectation } = line;
    if (outcome.pagemap === undefined) {
      const { result } = outcome;
      return { result, agrees: expectation === undefined || expectation.result === result };
    }
    const { text, agrees } = this.#labels.label(outcome.pagemap, expectation?.pages);
    return { result: text, agrees: expectation === undefined || agrees };
  }

  #bind(line: OperationLine, address: number, outcome: Outcome = { result: "ok" }): Outcome {
    const name = line.args.get("NAME");
    if (name?.kind === "word") this.#namesOf(line.actor).set(name.word, address);
    return outcome;
  }

  #namesOf(actor: string): Map<string, number> {
    let names = this.#names.get(actor);
    if (names === undefined) this.#names.set(actor, (names = new Map<string, number>()));
    return names;
  }
}
