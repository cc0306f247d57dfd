/** Transcripts: parsing, and running against the emulated kernel with every line asserted. */
import { createEmulatedDriver } from "../src/emulated/driver.ts";
import { parseTranscript } from "../src/transcript/parse.ts";
import { runScript } from "../src/transcript/run.ts";
import type { Script } from "../src/transcript/script.ts";
import { type Case, type Effort, WrongResult, measure } from "./measure.ts";
import { type Report, formatNumber, timingOf } from "./report.ts";

const HEAD = `machine memory=1G
host   nr_hugepages 8                  => ok ; total=8 free=8
parent mmap a 4h rw private,anon,huge  => ok ; rsvd=4
parent write a 1                       => ok ; free=7 rsvd=3
`;
const EPISODE = `parent fork child  => ok ;
child  read a      => 1 ;
child  write a 2   => ok ; free=6
parent read a      => 1 ;
child  exit        => exited 0 ; free=7
parent wait child  => exited 0 ;
`;
const NR_EPISODES = 300;
const NR_LINES = 3 + 6 * NR_EPISODES;
const TEXT = HEAD + EPISODE.repeat(NR_EPISODES);
const MACHINE = { kernel: "6.18", memoryBytes: 2 ** 30, nrCpus: 1 };

export async function benchTranscript(effort: Effort): Promise<Report> {
  const cases = [parseCase(), runCase()];
  const timings = await measure("transcript", cases, effort);
  return {
    title: "Transcripts (fork, copy-on-write, exit, again and again)",
    notes: ["lines a second, best (median)"],
    columns: ["lines/s"],
    rows: cases.map(({ name }) => {
      const { best, median } = timingOf(timings, name);
      return [name, `${formatNumber(1e9 / best)} (${formatNumber(1e9 / median)})`];
    }),
    goals: [],
  };
}

function parse(): Script {
  const { script, errors } = parseTranscript(TEXT, "bench.txt");
  if (!script) throw new WrongResult(errors[0].message);
  return script;
}

function parseCase(): Case {
  let nrOperations = 0;
  return {
    name: "parse",
    items: NR_LINES,
    run() {
      nrOperations = parse().operations.length;
    },
    check: () => expectLines("parse", nrOperations),
  };
}

function runCase(): Case {
  const script = parse();
  let nrAgreeing = 0;
  return {
    name: "run and compare",
    items: NR_LINES,
    async run() {
      nrAgreeing = 0;
      const driver = createEmulatedDriver(MACHINE);
      for await (const { differs } of runScript(script, driver)) if (!differs) nrAgreeing++;
    },
    check: () => expectLines("run", nrAgreeing),
  };
}

function expectLines(name: string, nrLines: number): void {
  if (nrLines !== NR_LINES) throw new WrongResult(`${name}: ${nrLines} of ${NR_LINES} lines`);
}
