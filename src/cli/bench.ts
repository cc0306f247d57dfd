/** `hugewalk bench`: what each page size does to synthetic programs, on several processors. */
import type { Command } from "commander";
import { formatBytes } from "../address.ts";
import { OptionError } from "../errors.ts";
import { LEAST_BYTES, MOST_BYTES, type Program } from "../programs/program.ts";
import { findProgram, PROGRAMS } from "../programs/programs.ts";
import { savedShare } from "../study/answer.ts";
import type { Run, Study } from "../study/result.ts";
import { studyProgram } from "../study/study-program.ts";
import { PAGE_SIZES } from "../tlb/config.ts";
import { tryParseNumber } from "../transcript/numbers.ts";
import { quote } from "../transcript/text.ts";
import { count, figure, percent, percentOf, ratio } from "./numbers.ts";
import { Progress } from "./progress.ts";
import { Output, type Io } from "./streams.ts";
import { tableLines } from "./table.ts";
import { addStudyOptions } from "./tlb-command.ts";
import { csvLines } from "./tlb-csv.ts";
import {
  atUsersRisk,
  namesIn,
  processorsOf,
  type StudyFlags,
  threadsOf,
  wholeNumber,
} from "./tlb.ts";

const HELP = `
Programs:
${PROGRAMS.map(({ name, title }) => `  ${name.padEnd(16)}${title}`).join("\n")}

Examples:
  $ hugewalk bench
  $ hugewalk bench gups --bytes 64M,1G,16G --cpu skylake-sp,zen5
  $ hugewalk bench chase b-tree --csv > table.csv

A program starts with empty TLBs. It refers to its data alone, and repeats itself by its seed.

Exit codes: 0 done, 2 the command line cannot be used, 70 a bug of hugewalk, 130 SIGINT: what was done
until then is told.
`;

interface BenchFlags extends StudyFlags {
  readonly bytes: string;
  readonly references: string;
  readonly seed: string;
}

/** A program with data of a size. */
interface Case {
  readonly program: Program;
  readonly bytes: number;
}

export function addBenchCommand(
  program: Command,
  io: Io,
  setExitCode: (code: number) => void,
): void {
  const command = program
    .command("bench")
    .summary("what each page size does to well-known algorithms, on several CPUs")
    .description("Study what each page size does to the TLB misses of synthetic programs.")
    .argument("[program...]", "some of those below (default: all)");
  addStudyOptions(command)
    .option("--bytes <sizes>", "data of the program, joined by commas", "1G")
    .option("--references <n>", "how many each makes", "4000000")
    .option("--seed <n>", "what chance begins with", "1")
    .addHelpText("after", HELP)
    .action(async (names: readonly string[], flags: BenchFlags) => {
      setExitCode(await runBench(names, flags, io));
    });
}

async function runBench(names: readonly string[], flags: BenchFlags, io: Io): Promise<number> {
  return atUsersRisk(io, async (signal) => {
    const programs =
      names.length === 0 ? PROGRAMS : names.map((name) => findProgram(name, "<program>"));
    const sizes = [...new Set(namesIn(flags.bytes).map(parseSize))];
    if (sizes.length === 0) throw new OptionError("bytes", "none is given");
    const cases = [...new Set(programs)].flatMap((program) => {
      return sizes.map((bytes) => ({ program, bytes }));
    });
    const policies = PAGE_SIZES.map((size) => ({ name: size, policy: size }));
    const processors = await processorsOf(flags, io);
    const nrReferences = wholeNumber("references", flags.references, 1);
    const options = {
      subjects: processors.map((processor) => ({ processor, policies })),
      nrThreads: threadsOf(flags),
      nrReferences,
      seed: wholeNumber("seed", flags.seed, 0),
      hasRegions: false,
      hasInstructions: false,
      signal,
    };
    const progress = new Progress(io.stderr, cases.length * nrReferences);
    const studies: Study[] = [];
    for (const [i, { program, bytes }] of cases.entries()) {
      const name = nameOf({ program, bytes });
      const onProgress = (nr: number): void => {
        progress.show(i * nrReferences + nr, (rate) => `${name}, ${(rate / 1e6).toFixed(1)} M/s`);
      };
      try {
        studies.push(await studyProgram(program, { ...options, bytes, name, onProgress }));
      } finally {
        progress.clear();
      }
      if (signal.aborted) break;
    }
    const output = new Output(io.stdout);
    for (const line of linesOf(studies, flags)) await output.line(line);
    await output.flush();
  });
}

const TERABYTES = /^\d{1,3}t$/i;

function parseSize(text: string): number {
  const bytes = TERABYTES.test(text) ? BigInt(text.slice(0, -1)) << 40n : tryParseNumber(text);
  if (bytes === undefined) {
    throw new OptionError("bytes", `${quote(text)} is no size, as 64M or 1G`);
  }
  if (bytes < LEAST_BYTES || bytes > MOST_BYTES) {
    const [least, most] = [formatBytes(LEAST_BYTES), formatBytes(MOST_BYTES)];
    throw new OptionError("bytes", `${quote(text)} is not from ${least} to ${most}`);
  }
  return Number(bytes);
}

function nameOf({ program, bytes }: Case): string {
  return `${program.name} ${formatBytes(bytes)}`;
}

function* linesOf(studies: readonly Study[], { json, csv }: BenchFlags): Generator<string> {
  if (json) {
    for (const study of studies) yield JSON.stringify(study);
    return;
  }
  if (csv) {
    for (const [i, study] of studies.entries()) yield* [...csvLines(study)].slice(i === 0 ? 0 : 1);
    return;
  }
  yield* answerLines(studies);
  for (const { trace } of studies.filter(({ trace: { isCut } }) => isCut)) {
    const nr = count(trace.references.load + trace.references.store);
    yield `Interrupted: ${trace.name} was ended after ${nr} references.`;
  }
  yield "";
  const sizes = PAGE_SIZES.flatMap((size) => [`${size} miss`, "cycles"]);
  yield* tableLines(["program", "cpu", ...sizes, "2M saves", "1G saves"], studies.flatMap(rowsOf));
  yield "Miss: in both levels, of all accesses; cycles: of page walks, a reference.";
}

/** Which program gains most, and which least. */
function* answerLines(studies: readonly Study[]): Generator<string> {
  const gains = studies.flatMap(({ trace: { name, references }, runs }) => {
    const nrReferences = references.load + references.store;
    return pairsOf(runs).map(({ base, huge }) => {
      return { name, cpu: base.cpu, cycles: (base.walkCycles - huge.walkCycles) / nrReferences };
    });
  });
  if (gains.length === 0) return;
  const sorted = gains.toSorted((a, b) => b.cycles - a.cycles);
  const tell = ({ name, cpu, cycles }: (typeof gains)[number]) =>
    `${name} on ${cpu}, ${figure(cycles)} cycles a reference`;
  const least = sorted.at(-1) ?? sorted[0];
  const rest = sorted.length > 1 ? `; least to ${tell(least)}` : "";
  yield `Pages of 2M give most to ${tell(sorted[0])}${rest}.`;
}

function pairsOf(runs: readonly Run[]): { base: Run; huge: Run }[] {
  return runs.flatMap((base) => {
    if (base.policy !== "4K") return [];
    const huge = runs.find(({ cpu, policy }) => cpu === base.cpu && policy === "2M");
    return huge ? [{ base, huge }] : [];
  });
}

function rowsOf({ trace, runs }: Study): string[][] {
  const nrReferences = trace.references.load + trace.references.store;
  const cpus = [...new Set(runs.map(({ cpu }) => cpu))];
  return cpus.map((cpu) => {
    const own = PAGE_SIZES.map((size) => {
      return runs.find((run) => run.cpu === cpu && run.policy === size);
    });
    const [base, ...huge] = own;
    return [
      trace.name,
      cpu,
      ...own.flatMap((run) => {
        return run
          ? [percentOf(run.walks, run.accesses), ratio(run.walkCycles, nrReferences)]
          : ["-", "-"];
      }),
      ...huge.map((run) => (base && run ? percent(savedShare(base, run)) : "-")),
    ];
  });
}
