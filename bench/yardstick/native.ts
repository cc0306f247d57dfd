/** Compiles C yardsticks and runs them. Without a C compiler there is nothing to compare with. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Pages } from "../addresses.ts";
import { type Foreign, type Timing, WrongResult } from "../measure.ts";

export interface NativeTimings {
  readonly walk: Timing;
  readonly hit: Timing;
}

/** Where sources are, seen from the built bench or from the bench's source. */
const ROOMS = ["../../../bench/yardstick/", "./"];
// `native` instead of `x86-64-v2` gains 2 to 4 %, but wasm code is made for any processor, too.
const FLAG_SETS = [
  ["-O3", "-march=x86-64-v2"],
  ["-O3", "-msse4.2"],
];

/** Seconds that a batch of both kinds takes, roughly. */
const SECONDS_A_BATCH = 0.001;

/** Runs the program in turn with the cases of `measure`, and keeps one of its timings. */
export function foreignOf(
  native: NativeYardstick,
  all: readonly Pages[],
  select: (timings: NativeTimings) => Timing,
  nameOf: (pages: Pages) => string,
): Foreign {
  return ({ seconds }) => {
    const nrBatches = Math.max(5, Math.round(seconds / SECONDS_A_BATCH));
    return new Map(all.map((pages) => [nameOf(pages), select(native.run(pages, nrBatches))]));
  };
}

/** A compiled program, and how it was compiled. */
export interface Compiled {
  readonly program: string;
  readonly description: string;
}

/** Compiles `name`.c, or says why it cannot. The program lasts as long as the process. */
export function compile(name: string): Compiled | string {
  const compiler = process.env.CC ?? "cc";
  const source = ROOMS.map((room) =>
    fileURLToPath(new URL(`${room}${name}.c`, import.meta.url)),
  ).find(existsSync);
  if (!source) return `C is skipped: ${name}.c is not there`;
  const directory = mkdtempSync(join(tmpdir(), "hugewalk-bench-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const program = join(directory, name);
  for (const flags of FLAG_SETS) {
    try {
      execFileSync(compiler, [...flags, "-o", program, source], { stdio: "ignore" });
      return { program, description: `C: ${compiler} ${flags.join(" ")}` };
    } catch {
      // The next set of flags may be understood.
    }
  }
  return `C is skipped: no compiler (${compiler})`;
}

export class NativeYardstick {
  readonly description: string;
  readonly #program: string;

  private constructor({ program, description }: Compiled) {
    this.#program = program;
    this.description = description;
  }

  /** The program, or why there is none. */
  static build(): NativeYardstick | string {
    const compiled = compile("walk");
    return typeof compiled === "string" ? compiled : new NativeYardstick(compiled);
  }

  /** Runs `nrBatches` batches of each kind. */
  run({ level, count }: Pages, nrBatches: number): NativeTimings {
    try {
      const args = [count, level, nrBatches].map(String);
      return JSON.parse(execFileSync(this.#program, args, { encoding: "utf8" })) as NativeTimings;
    } catch (error) {
      throw new WrongResult(`walk.c: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
