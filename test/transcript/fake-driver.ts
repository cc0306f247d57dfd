/**
 * Drivers that do as they are told: no kernel is behind them.
 */
import type { Counters, Driver, Outcome } from "../../src/transcript/driver.ts";
import type { HostOperation, PagemapEntry, ProcessOperation } from "../../src/transcript/driver.ts";
import { parseTranscript } from "../../src/transcript/parse.ts";
import type { OperationLine, Script } from "../../src/transcript/script.ts";

/** What one call does. */
export interface Step extends Outcome {
  /** The counters it sets. */
  readonly counters?: Readonly<Record<string, bigint | number>>;
  /** The frames that are freed. */
  readonly dies?: readonly number[];
  readonly throws?: Error;
  readonly events?: readonly string[];
}

type Call = { readonly actor: string; readonly operation: ProcessOperation | HostOperation };

/** Answers the calls with the steps, one after the other, and writes the calls down. */
export class FakeDriver implements Driver {
  readonly calls: Call[] = [];
  readonly #steps: Step[];
  readonly #onEvent: (line: string) => void;
  readonly #dead = new Set<number>();
  readonly #counters: Map<string, bigint>;

  constructor(
    steps: readonly Step[],
    {
      onEvent = () => {},
      has1G = false,
    }: { onEvent?: (line: string) => void; has1G?: boolean } = {},
  ) {
    this.#steps = [...steps];
    this.#onEvent = onEvent;
    const names = ["total", "free", "rsvd", "surp"];
    const all = has1G ? [...names, ...names.map((name) => `1G.${name}`)] : names;
    this.#counters = new Map(all.map((name) => [name, 0n]));
  }

  isFrameAlive(frame: number): boolean {
    return !this.#dead.has(frame);
  }

  counters(): Counters {
    return this.#counters;
  }

  process(actor: string, operation: ProcessOperation): Outcome {
    return this.#answer({ actor, operation });
  }

  async host(operation: HostOperation): Promise<Outcome> {
    return this.#answer({ actor: "host", operation });
  }

  #answer(call: Call): Outcome {
    this.calls.push(call);
    const step = this.#steps.shift() ?? { result: "ok" };
    for (const line of step.events ?? []) this.#onEvent(line);
    if (step.throws !== undefined) throw step.throws;
    for (const [name, value] of Object.entries(step.counters ?? {})) {
      this.#counters.set(name, BigInt(value));
    }
    for (const frame of step.dies ?? []) this.#dead.add(frame);
    const { result, bound, pagemap } = step;
    return { result, bound, pagemap };
  }
}

/** The script of a text that is known to be one. */
export function scriptOf(text: string, file = "test.txt"): Script {
  const { script, errors } = parseTranscript(text, file);
  if (script === undefined) throw new Error(errors.map((error) => error.message).join("\n"));
  return script;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The steps that make every expectation of a script come true. */
export function stepsFor(script: Script): Step[] {
  return script.operations.filter((line) => line.spec.name !== "let").map(stepFor);
}

function stepFor({ spec, expectation }: OperationLine, index: number): Step {
  const result = expectation?.result ?? "ok";
  const counters = Object.fromEntries(expectation?.counters ?? []);
  const pagemap = expectation?.pages?.map((page): PagemapEntry => {
    return page && { frame: page.label, backing: page.backing, sharing: page.sharing };
  });
  const isBinding = spec.parameters.some(({ label }) => label === "NAME");
  const bound = isBinding && result.startsWith("ok") ? 0x7f0000000000 - index * 2 ** 32 : undefined;
  return { result: pagemap === undefined ? result : "", bound, pagemap, counters };
}

/** The names of the recordings under `test/recorded`. */
export const RECORDINGS = ["6.1", "6.12", "6.18"].flatMap((kernel) =>
  ["01-basic-private", "02-cow-steal", "03-fork", "04-unmapped", "12-pool", "18-misc"].map(
    (name) => `${kernel}/${name}.txt`,
  ),
);

export function recordingUrl(name: string): URL {
  return new URL(`../recorded/${name}`, import.meta.url);
}
