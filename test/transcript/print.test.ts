/**
 * A run's output: for people, as a transcript that can be run again, and as JSON.
 */
import { readFileSync } from "node:fs";
import pc from "picocolors";
import { describe, expect, test } from "vitest";
import { fileToJson, lineToJson, summaryToJson } from "../../src/transcript/json.ts";
import { formatSummary, printTranscript, type PrintOptions } from "../../src/transcript/print.ts";
import { runScript } from "../../src/transcript/run.ts";
import {
  collect,
  FakeDriver,
  RECORDINGS,
  recordingUrl,
  scriptOf,
  stepsFor,
  type Step,
} from "./fake-driver.ts";

const PLAIN = pc.createColors(false);

async function print(
  text: string,
  steps: readonly Step[],
  options: Partial<PrintOptions> = {},
): Promise<string> {
  const pending: string[] = [];
  const driver = new FakeDriver(steps, { onEvent: (line) => pending.push(line), has1G: true });
  const script = scriptOf(text);
  const records = runScript(script, driver, { takeEvents: () => pending.splice(0) });
  const lines = await collect(printTranscript(script, records, { colors: PLAIN, ...options }));
  return lines.map((line) => `${line}\n`).join("");
}

test.each(RECORDINGS)("%s, when all is as recorded, prints itself", async (name) => {
  const text = readFileSync(recordingUrl(name), "utf8");
  const printed = await print(text, stepsFor(scriptOf(text)));
  const complete = text.replace(/^((?!#|machine ).*[^ ]) *$/gm, (line) => {
    return line.includes("=>") ? line : `${line.padEnd(52)} => ok ;`;
  });
  expect(printed).toBe(complete);
});

const STEPS: Step[] = [
  { result: "ok", counters: { total: 2, free: 2 } },
  { result: "ok", bound: 4096, counters: { rsvd: 1 }, events: ["reserve 1", "a\nb\u001b[0m"] },
  { result: "", pagemap: [{ frame: 9, backing: "anon", sharing: "exclusive" }, undefined] },
  { result: "SIGBUS ADRERR", counters: { free: 1, "1G.surp": 1 } },
];
const TEXT = `# a title

host   nr_hugepages 2   # two of them
  A mmap a 1h rw private,anon,huge,noreserve,populate,locked => ENOMEM ;  # none left
A pagemap a 2 => [#4 anon exclusive] [-]
# in between
A read a => 0 ; free=0 1G.surp=1
# the end
`;
const PRINTED = `# a title

host   nr_hugepages 2                                => ok ; total=2 free=2  # two of them
  A mmap a 1h rw private,anon,huge,noreserve,populate,locked => ok ; rsvd=1  # none left
#   expected: ENOMEM ;
#   - reserve 1
#   - a
#   - b\\u001b[0m
A pagemap a 2                                        => [#4 anon exclusive] [-] ;
# in between
A read a                                             => SIGBUS ADRERR ; free=1 1G.surp=1
#   expected: 0 ; free=0 1G.surp=1
# the end
`;

test("a run prints what was observed, and below it what was expected if that differs", async () => {
  expect(await print(TEXT, STEPS)).toBe(PRINTED);
});

test("what a run prints runs again, to the same", async () => {
  const summary = "# 4 lines, 3 asserted, 2 differ\n";
  const again = await print(PRINTED + summary, STEPS);
  expect(again).toBe(PRINTED.replace(/#   expected.*\n/g, ""));
  expect(await print(again, STEPS)).toBe(again);
});

test("only a run's own notes are replaced", async () => {
  const text = "#   expected: of you\nA exec\n#    - a list\n#   - of mine\n# 1 line\n";
  expect(await print(text, [])).toBe(`#   expected: of you
A exec                                               => ok ;
#    - a list
#   - of mine
# 1 line
`);
});

test("a counter that is shown only where it is named", async () => {
  const steps = [{ result: "ok", counters: { "1G.surp": 1, "1G.free": 1, surp: 1 } }];
  expect(await print("A exec", steps)).toMatch(/=> ok ; surp=1 1G.free=1\n$/);
});

test("only the lines that differ", async () => {
  expect(await print(TEXT, STEPS, { onlyDiffering: true, kernel: "6.1" })).toBe(`# test.txt:4
  A mmap a 1h rw private,anon,huge,noreserve,populate,locked => ok ; rsvd=1  # none left
#   expected: ENOMEM ;
#   - reserve 1
#   - a
#   - b\\u001b[0m
# test.txt:7
A read a                                             => SIGBUS ADRERR ; free=1 1G.surp=1
#   expected: 0 ; free=0 1G.surp=1
`);
});

test("another kernel than the header's is written into it", async () => {
  const options = { kernel: "6.1" };
  const exec = `${"A exec".padEnd(52)} => ok ;\n`;
  expect(await print("# x\nmachine kernel=6.18 cpus=1 # old\nA exec", [], options)).toBe(
    `# x\nmachine kernel=6.1 cpus=1 # old\n${exec}`,
  );
  expect(await print("machine cpus=1\nA exec", [], options)).toBe(
    `machine kernel=6.1\nmachine cpus=1\n${exec}`,
  );
});

test("colours set off a line that differs, and change nothing else", async () => {
  const colored = await print(TEXT, STEPS, { colors: pc.createColors(true) });
  const escape = "\u001b";
  expect(colored).toContain(`${escape}[31m=> SIGBUS ADRERR ; free=1 1G.surp=1${escape}[39m`);
  expect(colored).toContain(" => [#4 anon exclusive] [-] ;\n");
  expect(colored.replaceAll(new RegExp(`${escape}\\[[0-9]+m`, "g"), "")).toBe(PRINTED);
});

test("summaries", () => {
  const tally = { nrLines: 1, nrAsserted: 1, nrDiffering: 0 };
  expect(formatSummary(tally)).toBe("# 1 line, 1 asserted, 0 differ");
  expect(formatSummary({ ...tally, nrLines: 5 }, 2)).toBe(
    "# 2 files, 5 lines, 1 asserted, 0 differ",
  );
});

describe("JSON", () => {
  test("a line", async () => {
    const pending: string[] = [];
    const onEvent = (line: string) => pending.push(line);
    const driver = new FakeDriver(STEPS, { onEvent });
    const takeEvents = () => pending.splice(0);
    const records = await collect(runScript(scriptOf(TEXT), driver, { takeEvents }));
    const objects = records.map((record) => JSON.parse(lineToJson(record)));
    expect(objects.slice(0, 2)).toEqual([
      {
        type: "line",
        file: "test.txt",
        line: 3,
        actor: "host",
        operation: "nr_hugepages",
        text: "host   nr_hugepages 2",
        result: "ok",
        counters: { total: "2", free: "2" },
        differs: false,
        expected: null,
        events: [],
      },
      {
        type: "line",
        file: "test.txt",
        line: 4,
        actor: "A",
        operation: "mmap",
        text: "A mmap a 1h rw private,anon,huge,noreserve,populate,locked",
        result: "ok",
        counters: { rsvd: "1" },
        differs: true,
        expected: { result: "ENOMEM", counters: {} },
        events: ["reserve 1", "a\nb\u001b[0m"],
      },
    ]);
    expect(objects[2].expected).toEqual({ result: "[#4 anon exclusive] [-]", counters: null });
    expect(objects[3].expected.counters).toEqual({ free: "0", "1G.surp": "1" });
  });

  test("counters keep 64 bits", async () => {
    const steps = [{ result: "ok", counters: { rsvd: 2n ** 64n - 1n } }];
    const [record] = await collect(runScript(scriptOf("A exec"), new FakeDriver(steps)));
    expect(lineToJson(record)).toContain('"counters":{"rsvd":"18446744073709551615"}');
  });

  test("a file and the summary", () => {
    const tally = { nrLines: 4, nrAsserted: 3, nrDiffering: 2 };
    expect(fileToJson("a.txt", "6.1", tally)).toBe(
      '{"type":"file","file":"a.txt","kernel":"6.1","lines":4,"asserted":3,"differ":2}',
    );
    expect(summaryToJson(2, tally)).toBe(
      '{"type":"summary","files":2,"lines":4,"asserted":3,"differ":2}',
    );
  });
});
