/** A study from end to end: a trace's text is read, and work is shared between threads. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "../src/programs/programs.ts";
import { studyProgram } from "../src/study/study-program.ts";
import { PAGE_SIZES } from "../src/tlb/config.ts";
import { findPreset } from "../src/tlb/presets.ts";
import { Trace } from "../src/trace/trace.ts";
import { type Effort, type Timing, WrongResult } from "./measure.ts";
import { type Report, atLeast, formatNumber } from "./report.ts";

const LINES = 2 ** 17;
/** Of the file, which is those lines again and again. */
const REPEATS = 16;
const THREADS = 2;
const CPUS = ["skylake-sp", "broadwell"];

export async function benchStudy(effort: Effort): Promise<Report> {
  const isShort = effort.rounds === 1;
  const nrReferences = isShort ? 200_000 : 32_000_000;
  const lackey: number[] = [];
  const alone: number[] = [];
  const together: number[] = [];
  for (let round = 0; round < effort.rounds; round++) {
    lackey.push(await timeLackey());
    alone.push(await timeStudy(nrReferences, 1));
    together.push(await timeStudy(nrReferences, THREADS));
  }
  const [ofLackey, ofOne, ofTwo] = [lackey, alone, together].map(timing);
  const gain = ofOne.best / ofTwo.best;
  const cell = ({ best, median }: Timing) => `${formatNumber(best)} (${formatNumber(median)})`;
  return {
    title: "Studies, from end to end",
    notes: [
      "ns a reference, best (median); a study is of random references, two CPUs, all page sizes",
      "started threads and compiled modules included; sharing pays on a machine with idle cores",
    ],
    columns: ["", "to one"],
    rows: [
      ["lackey's text, read from a file", cell(ofLackey), ""],
      ["a study by one thread", cell(ofOne), ""],
      [`by ${THREADS}`, cell(ofTwo), `${gain.toFixed(2)}×`],
    ],
    goals: [
      atLeast("lackey's text", 1000 / ofLackey.best, 30, " M/s"),
      ...(availableParallelism() >= THREADS && !isShort
        ? [atLeast(`${THREADS} threads to one`, gain, 1.7, "×")]
        : []),
    ],
  };
}

function timing(samples: readonly number[]): Timing {
  const sorted = samples.toSorted((a, b) => a - b);
  return { best: sorted[0], median: sorted[Math.floor(sorted.length / 2)] };
}

/** As lackey writes it: an instruction, a load, a store, in turns. */
function lackeyText(): string {
  let text = "";
  for (let i = 0; i < LINES; i++) {
    const address = (0x4000000 + i * 8).toString(16).padStart(8, "0");
    text += ["I  ", " L ", " S "][i % 3] + address + ",8\n";
  }
  return text.repeat(REPEATS);
}

async function timeLackey(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "hugewalk-"));
  try {
    const path = join(directory, "lackey");
    writeFileSync(path, lackeyText());
    const start = performance.now();
    let nrReferences = 0;
    for await (const batch of (await Trace.openFile(path)).batches()) ({ nrReferences } = batch);
    if (nrReferences !== LINES * REPEATS) throw new WrongResult(`${nrReferences} lines`);
    return ((performance.now() - start) * 1e6) / nrReferences;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What the first one found. */
let expected: string | undefined;

async function timeStudy(nrReferences: number, nrThreads: number): Promise<number> {
  const policies = PAGE_SIZES.map((size) => ({ name: size, policy: size }));
  const start = performance.now();
  const { runs } = await studyProgram(findProgram("random"), {
    subjects: CPUS.map((name) => ({ processor: findPreset(name).processor, policies })),
    nrThreads,
    bytes: 2 ** 30,
    nrReferences,
    seed: 1,
    name: "random",
    hasRegions: false,
    hasInstructions: false,
  });
  const time = performance.now() - start;
  const found = JSON.stringify(runs);
  expected ??= found;
  if (found !== expected) throw new WrongResult("threads count otherwise");
  return (time * 1e6) / nrReferences;
}
