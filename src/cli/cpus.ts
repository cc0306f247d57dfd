/**
 * `hugewalk cpus`: the processors whose TLBs hugewalk knows, or one of them with all that its
 * numbers rest on. The text is Markdown: docs/cpus.md is the output without a name.
 */
import type { Command } from "commander";
import type { ReferenceKind, TlbArray } from "../tlb/config.ts";
import { claimOn, factsOf, SOURCES, type Claim, type Confidence } from "../tlb/evidence.ts";
import { parseProcessor } from "../tlb/parse.ts";
import { findPreset, PRESETS, type Preset } from "../tlb/presets.ts";
import { complain, isUsersError } from "./complaint.ts";
import { EXIT_AGREES, EXIT_UNUSABLE } from "./exit-code.ts";
import { inputName, Output, readInput, type Io } from "./streams.ts";
import { tableLines } from "./table.ts";

const HEAD = `# Processors
The TLBs that hugewalk knows, as \`hugewalk cpus\` prints them: entries × ways and page sizes of each
array. \`~\`: published, but simplified here or measured by others; \`?\`: a likely value. Policies,
structure caches and costs of a walk, and what every number rests on: \`hugewalk cpus NAME\`.
`;

const HELP = `
Examples:
  $ hugewalk cpus
  $ hugewalk cpus skylake-sp
  $ hugewalk cpus zen4 --json | jq .processor > mine.json     to change it
  $ hugewalk cpus --cpu-file mine.json                        to check it
`;

interface CpusFlags {
  readonly json?: boolean;
  readonly cpuFile?: string;
}

export function addCpusCommand(program: Command, io: Io, setExitCode: (code: number) => void) {
  program
    .command("cpus")
    .summary("print the processors whose TLBs are known")
    .description("Print the processors whose TLBs are known, or one with sources.")
    .argument("[name]", "one of them: all its numbers, and what they rest on")
    .option("--cpu-file <file>", "a processor of your own, in JSON; - is standard input")
    .option("--json", "print one JSON object a processor")
    .addHelpText("after", HELP)
    .action(async (name: string | undefined, flags: CpusFlags) => {
      setExitCode(await printCpus(name, flags, io));
    });
}

async function printCpus(name: string | undefined, flags: CpusFlags, io: Io): Promise<number> {
  const output = new Output(io.stdout);
  try {
    const chosen = await choose(name, flags, io);
    for (const line of linesOf(chosen, flags)) await output.line(line);
    await output.flush();
    return EXIT_AGREES;
  } catch (error) {
    if (!isUsersError(error)) throw error;
    await complain(io, error.message);
    return EXIT_UNUSABLE;
  }
}

/** Undefined: all that are known. */
async function choose(
  name: string | undefined,
  { cpuFile }: CpusFlags,
  io: Io,
): Promise<Preset | undefined> {
  if (cpuFile === undefined) return name === undefined ? undefined : findPreset(name, "name");
  const title = inputName(cpuFile);
  const text = new TextDecoder().decode(await readInput(cpuFile, io));
  return { title, processor: parseProcessor(text, title), claims: [] };
}

function linesOf(chosen: Preset | undefined, { json }: CpusFlags): Iterable<string> {
  if (json) return (chosen ? [chosen] : PRESETS).map(jsonLine);
  return chosen ? detailLines(chosen) : overviewLines();
}

function jsonLine({ title, processor, claims }: Preset): string {
  const facts = factsOf(processor).map((fact) => {
    const claim = claimOn(fact.path, claims);
    const source = claim && SOURCES[claim.source];
    return { ...fact, confidence: claim?.confidence, source, note: claim?.note };
  });
  return JSON.stringify({ type: "cpu", name: processor.name, title, processor, facts });
}

function* overviewLines(): Generator<string> {
  yield* HEAD.split("\n");
  const head = ["name", "loads and stores", "fetches", "second level", "hit, cycles", "walkers"];
  yield* tableLines(head, PRESETS.map(overviewCells));
  yield "";
  for (const { processor, title } of PRESETS) yield `- \`${processor.name}\`: ${title}`;
}

const MARKS: Readonly<Record<Confidence, string>> = { high: "", medium: "~", unknown: "?" };

function overviewCells({ processor, claims }: Preset): string[] {
  const { name, firstLevel, secondLevel, walkers } = processor;
  /** Of several numbers, how sure the least sure one is. */
  const mark = (...paths: readonly string[][]) => {
    const found = paths.map((path) => claimOn(path, claims)?.confidence);
    return MARKS[(["unknown", "medium"] as const).find((c) => found.includes(c)) ?? "high"];
  };
  const words = (level: string, arrays: readonly TlbArray[], kindWord: KindWord) =>
    arrays
      .map((array) => {
        const path = [level, array.name];
        const size = sizeWord(array) + mark([...path, "entries"], [...path, "ways"]);
        return [...kindWord(array.kinds), size, pagesWord(array)].join(" ");
      })
      .join(", ");
  const isForFetches = ({ kinds }: TlbArray) => kinds.includes("fetch");
  const [{ hitCycles, name: bank }] = secondLevel;
  return [
    name,
    words(
      "firstLevel",
      firstLevel.filter((array) => !isForFetches(array)),
      loadOrStore,
    ),
    words("firstLevel", firstLevel.filter(isForFetches), () => []),
    words("secondLevel", secondLevel, codeOrData),
    hitCycles + mark(["secondLevel", bank, "hitCycles"]),
    walkers + mark(["walkers"]),
  ];
}

/** At most one word for the kinds an array serves. */
type KindWord = (kinds: readonly ReferenceKind[]) => readonly string[];

const loadOrStore: KindWord = (kinds) => (kinds.length === 1 ? kinds : []);

const codeOrData: KindWord = (kinds) => {
  if (kinds.length === 3) return [];
  return kinds.includes("fetch") ? ["code"] : ["data"];
};

function sizeWord({ entries, ways }: TlbArray): string {
  return ways === "full" ? `${entries} full` : `${entries}×${ways}`;
}

function pagesWord({ pageSizes, keptAs }: TlbArray): string {
  const whole = pageSizes.filter((size) => keptAs[size] === undefined).join("+");
  return (
    whole +
    Object.entries(keptAs)
      .map(([size, kept]) => ` (${size} as ${kept})`)
      .join("")
  );
}

/** What stands together in a line: facts of one part that rest on the same. */
interface FactGroup {
  readonly part: string;
  readonly claim: Claim | undefined;
  readonly words: string[];
}

function* detailLines({ title, processor, claims }: Preset): Generator<string> {
  yield `# ${processor.name}`;
  yield title;
  yield "";
  const groups = new Map<string, FactGroup>();
  for (const fact of factsOf(processor)) {
    const claim = claimOn(fact.path, claims);
    const part = fact.path.slice(0, -1).join(" ") || "processor";
    const key = JSON.stringify([part, claim?.confidence, claim?.source, claim?.note]);
    const group = groups.get(key) ?? { part, claim, words: [] };
    groups.set(key, group);
    group.words.push(`${fact.path.at(-1)} ${fact.value}`);
  }
  const all = [...groups.values()];
  const notes = [...new Set(all.flatMap(({ claim }) => claim?.note ?? []))];
  const body = all.map(({ part, claim, words }) => {
    const mark = claim?.note ? ` (${notes.indexOf(claim.note) + 1})` : "";
    return [part, words.join(", "), claim?.confidence ?? "-", (claim?.source ?? "-") + mark];
  });
  // Of a file's numbers nobody knows what they rest on.
  const nrColumns = claims.length === 0 ? 2 : 4;
  const rows = [["part", "what", "sure", "source"], ...body].map((row) => row.slice(0, nrColumns));
  yield* tableLines(rows[0], rows.slice(1));
  if (notes.length > 0) yield "";
  for (const [i, note] of notes.entries()) yield `${i + 1}. ${note}`;
  const sources = new Set(all.flatMap(({ claim }) => claim?.source ?? []));
  if (sources.size > 0) yield "";
  for (const source of sources) yield `- ${source}: ${SOURCES[source]}`;
}
