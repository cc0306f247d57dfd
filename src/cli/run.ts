/**
 * `hugewalk run`: runs transcripts on the emulated kernel and compares.
 */
import pc from "picocolors";
import { PAGE_1G, PAGE_2M } from "../address.ts";
import { HugewalkError, InputError, OptionError, ResourceError } from "../errors.ts";
import type { Driver } from "../transcript/driver.ts";
import { fileToJson, lineToJson, summaryToJson } from "../transcript/json.ts";
import { parseTranscript } from "../transcript/parse.ts";
import { formatSummary, printTranscript } from "../transcript/print.ts";
import { runScript, type LineRecord } from "../transcript/run.ts";
import type { MachineHeader, MachineKey, Script } from "../transcript/script.ts";
import { addTallies, NOTHING_RUN, tallyOf, type Tally } from "../transcript/tally.ts";
import { decodeTranscript, onOneLine, quote } from "../transcript/text.ts";
import type { Emulator } from "./emulator.ts";
import { EXIT_AGREES, EXIT_DIFFERS, EXIT_UNUSABLE } from "./exit-code.ts";
import { hasColor, inputName, Output, readInput, type Io } from "./streams.ts";

const DEFAULT_MEMORY_BYTES = 4 * 2 ** 30;

/** The header's key for what an `OptionError` of the driver's configuration names. */
const KEYS_OF_OPTIONS: Readonly<Record<string, MachineKey>> = {
  kernel: "kernel",
  ramBytes: "memory",
  cpu: "cpu",
  cpus: "cpus",
  hugePages: "hugepages",
};

export interface RunFlags {
  readonly kernel?: string;
  readonly explain?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Runs the files and returns the exit code. Throws what is not the user's doing. */
export async function runFiles(
  paths: readonly string[],
  flags: RunFlags,
  io: Io,
  emulator: Emulator,
): Promise<number> {
  const errors: string[] = [];
  if (flags.kernel !== undefined && !emulator.profileNames.includes(flags.kernel)) {
    errors.push(`--kernel: ${unknownKernel(flags.kernel, emulator)}`);
  }
  const inputs = paths.filter((path, i) => path !== "-" || paths.indexOf(path) === i);
  if (inputs.length < paths.length) errors.push("-: standard input can be read only once");
  const scripts = await readScripts(inputs, io, errors);
  if (flags.kernel === undefined) {
    for (const { machine } of scripts) {
      const place = machine.places.get("kernel");
      if (place === undefined || emulator.profileNames.includes(machine.kernel ?? "")) continue;
      errors.push(new InputError(place, unknownKernel(machine.kernel ?? "", emulator)).message);
    }
  }
  if (errors.length > 0) {
    await complain(io, ...errors);
    return EXIT_UNUSABLE;
  }
  const batch = new Batch(flags, io, emulator);
  try {
    return await batch.runAll(scripts);
  } catch (error) {
    if (!isUsersError(error)) throw error;
    await complain(io, batch.describe(error));
    return EXIT_UNUSABLE;
  }
}

/** One line on standard error for each message. */
export async function complain(io: Io, ...messages: readonly string[]): Promise<void> {
  for (const message of messages) {
    await new Promise<void>((resolve) => {
      io.stderr.write(`hugewalk: ${onOneLine(message)}\n`, () => resolve());
    });
  }
}

async function readScripts(
  paths: readonly string[],
  io: Io,
  errors: string[],
): Promise<readonly Script[]> {
  const scripts: Script[] = [];
  for (const path of paths) {
    const name = inputName(path);
    try {
      const parsed = parseTranscript(decodeTranscript(await readInput(path, io), name), name);
      if (parsed.script !== undefined) {
        scripts.push(parsed.script);
      } else {
        errors.push(...parsed.errors.map((error) => error.message));
        if (parsed.isCut) errors.push(`${name}: there may be more errors`);
      }
    } catch (error) {
      if (!(error instanceof HugewalkError)) throw error;
      errors.push(error.message);
    }
  }
  return scripts;
}

function unknownKernel(name: string, { profileNames }: Emulator): string {
  return `unknown kernel ${quote(name)}; one of ${profileNames.join(" ")}`;
}

function isUsersError(error: unknown): error is HugewalkError {
  return (
    error instanceof OptionError ||
    error instanceof ResourceError ||
    error instanceof InputError ||
    (error instanceof Error && error.constructor === HugewalkError)
  );
}

/** The files of one command, one after the other. */
class Batch {
  readonly #flags: RunFlags;
  readonly #emulator: Emulator;
  readonly #out: Output;
  readonly #colors: ReturnType<typeof pc.createColors>;
  /** What an error of the driver is about: a file, or a line of it. */
  #place = "";

  constructor(flags: RunFlags, io: Io, emulator: Emulator) {
    this.#flags = flags;
    this.#emulator = emulator;
    this.#out = new Output(io.stdout);
    this.#colors = pc.createColors(hasColor(io));
  }

  async runAll(scripts: readonly Script[]): Promise<number> {
    if (scripts.length > 1) this.#checkMachines(scripts);
    let total = NOTHING_RUN;
    for (const script of scripts) {
      const tally = await this.#run(script, scripts.length > 1);
      total = addTallies(total, tally);
    }
    if (this.#flags.json) await this.#out.line(summaryToJson(scripts.length, total));
    else if (scripts.length > 1) await this.#out.line(formatSummary(total, scripts.length));
    await this.#out.flush();
    return total.nrDiffering > 0 ? EXIT_DIFFERS : EXIT_AGREES;
  }

  /** The message; what the driver throws names no place of its own. */
  describe(error: HugewalkError): string {
    const isDrivers = error instanceof OptionError || error instanceof ResourceError;
    return isDrivers ? `${this.#place}: ${error.message}` : error.message;
  }

  async #run(script: Script, isOneOfSeveral: boolean): Promise<Tally> {
    const { json, quiet } = this.#flags;
    const kernel = this.#kernelOf(script.machine);
    const events: string[] = [];
    this.#place = script.file;
    const driver = this.#createDriver(script, events);
    let tally = NOTHING_RUN;
    const count = (record: LineRecord) => {
      tally = addTallies(tally, tallyOf(record));
      this.#place = describePlace(script, tally.nrLines);
    };
    this.#place = describePlace(script, 0);
    const records = watch(runScript(script, driver, { takeEvents: () => events.splice(0) }), count);
    if (json) {
      for await (const record of records) {
        if (!quiet || record.differs) await this.#out.line(lineToJson(record));
      }
      await this.#out.line(fileToJson(script.file, kernel, tally));
    } else {
      const title = `# ${onOneLine(script.file)}`;
      if (isOneOfSeveral) await this.#out.line(this.#colors.bold(title));
      const options = {
        colors: this.#colors,
        onlyDiffering: quiet,
        kernel: this.#flags.kernel,
      };
      for await (const text of printTranscript(script, records, options)) {
        await this.#out.line(text);
      }
      await this.#out.line(formatSummary(tally));
    }
    return tally;
  }

  /** A machine that cannot be is found before anything runs. */
  #checkMachines(scripts: readonly Script[]): void {
    const checked = new Set<string>();
    for (const script of scripts) {
      const { memoryBytes, cpu, nrCpus, nrHugePages, nrHugePages1G } = script.machine;
      const machine = JSON.stringify([memoryBytes, cpu, nrCpus, nrHugePages, nrHugePages1G]);
      if (checked.has(machine)) continue;
      checked.add(machine);
      this.#place = script.file;
      this.#createDriver(script, []);
    }
  }

  #createDriver({ machine }: Script, events: string[]): Driver {
    const config = {
      kernel: this.#kernelOf(machine),
      memoryBytes: machine.memoryBytes ?? DEFAULT_MEMORY_BYTES,
      cpu: machine.cpu,
      nrCpus: machine.nrCpus ?? 1,
      hugePages: poolsOf(machine),
    };
    const onEvent = this.#flags.explain ? (line: string) => events.push(line) : undefined;
    try {
      return this.#emulator.createEmulatedDriver(config, onEvent);
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      const key = KEYS_OF_OPTIONS[error.option];
      const place = key && machine.places.get(key);
      throw place === undefined ? error : new InputError(place, `${key}: ${error.reason}`);
    }
  }

  #kernelOf(machine: MachineHeader): string {
    return this.#flags.kernel ?? machine.kernel ?? this.#emulator.defaultProfile;
  }
}

function poolsOf({ nrHugePages, nrHugePages1G }: MachineHeader): ReadonlyMap<number, number> {
  const pools = new Map<number, number>();
  if (nrHugePages !== undefined) pools.set(PAGE_2M, nrHugePages);
  if (nrHugePages1G !== undefined) pools.set(PAGE_1G, nrHugePages1G);
  return pools;
}

/** The place of the operation of this index. */
function describePlace({ file, operations }: Script, index: number): string {
  const place = operations[index]?.place;
  return place === undefined ? file : `${file}:${place.line}:${place.column}`;
}

/** The records, each seen by `see` first. */
async function* watch(
  records: AsyncIterable<LineRecord>,
  see: (record: LineRecord) => void,
): AsyncGenerator<LineRecord> {
  for await (const record of records) {
    see(record);
    yield record;
  }
}
