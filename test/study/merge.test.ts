/** Studies made apart are one again, and what cannot be is told in a line. */
import { describe, expect, test } from "vitest";
import { mergeStudies, parseStudies } from "../../src/study/merge.ts";
import { STUDY_VERSION, type Study } from "../../src/study/result.ts";
import { type StudyOptions, StudyRunner, type Subject } from "../../src/study/study.ts";
import { findPreset } from "../../src/tlb/presets.ts";
import { smallProcessor } from "../tlb/small-processor.ts";
import { runWith, studyWith } from "./runs.ts";
import { randomWords } from "./words.ts";

const WORDS = randomWords(5, 2000);
const POLICIES = (["4K", "2M", "1G"] as const).map((size) => ({ name: size, policy: size }));
const ALL: readonly Subject[] = [smallProcessor(), findPreset("skylake-sp").processor].map(
  (processor) => ({ processor, policies: POLICIES }),
);

function study(subjects: readonly Subject[], options: Partial<StudyOptions> = {}): Study {
  const runner = new StudyRunner(subjects, {
    hasRegions: true,
    hasInstructions: true,
    interval: 300,
    ...options,
  });
  runner.feed(WORDS);
  const runs = runner.finish();
  return studyWith(runs, { references: runner.references() });
}

/** As it is after it was written and read. */
function written(...studies: readonly Study[]): Study[] {
  return parseStudies(studies.map((each) => `${JSON.stringify(each)}\n`).join(""), "file");
}

describe("made apart", () => {
  const together = study(ALL);

  test("by processor and policy", () => {
    const parts = ALL.flatMap(({ processor, policies }) => {
      return policies.map((policy) => study([{ processor, policies: [policy] }]));
    });
    expect(mergeStudies(written(...parts))).toEqual([together]);
  });

  test("by policy first: the order is that of processors", () => {
    const parts = POLICIES.map((policy) => {
      return study(ALL.map((subject) => ({ ...subject, policies: [policy] })));
    });
    expect(mergeStudies(written(...parts))).toEqual([together]);
  });

  test("overlapping, and the same twice", () => {
    expect(mergeStudies(written(together, study([ALL[1]]), together))).toEqual([together]);
  });

  test("with more or less told of them", () => {
    const less = study(ALL, { hasRegions: false, interval: undefined });
    expect(mergeStudies(written(less, together))).toEqual([together]);
    expect(mergeStudies(written(together, less))).toEqual([together]);
  });

  test("the order of fields is nothing", () => {
    const turned = JSON.parse(JSON.stringify(together), (_, value) => {
      const isPlain = typeof value === "object" && value !== null && !Array.isArray(value);
      return isPlain ? Object.fromEntries(Object.entries(value).toReversed()) : value;
    });
    expect(mergeStudies([together, turned])).toEqual([together]);
  });
});

test("several traces, in the order in which they come", () => {
  const [a, b] = [studyWith([runWith({})], { name: "a" }), studyWith([], { name: "b" })];
  const more = studyWith([runWith({ policy: "2M" })], { name: "b" });
  expect(mergeStudies([b, a, more])).toEqual([more, a]);
});

test("samples are those of either", () => {
  const samples = [[0, 1]] as const;
  const plain = studyWith([]);
  expect(mergeStudies([plain, { ...plain, samples }])).toEqual([{ ...plain, samples }]);
});

describe("contradictions", () => {
  const run = runWith({ walks: 5, intervals: [] });
  test.each([
    {
      others: [studyWith([runWith({ walks: 6 })])],
      message: 'two different results (walks) for small, 4K, of "trace"',
    },
    {
      others: [
        studyWith([
          runWith({
            walks: 5,
            intervals: [{ references: 1, firstLevelMisses: 0, walks: 0, walkCycles: 0 }],
          }),
        ]),
      ],
      message: 'two different results (intervals) for small, 4K, of "trace"',
    },
    {
      others: [studyWith([], { references: { fetch: 0, load: 1001, store: 0 } })],
      message: 'two different traces are called "trace"',
    },
    {
      others: [studyWith([], { isCut: true })],
      message: 'two different traces are called "trace"',
    },
    {
      others: [
        { ...studyWith([]), samples: [[0, 1]] as const },
        { ...studyWith([]), samples: [[0, 2]] as const },
      ],
      message: 'two different results (samples) for "trace"',
    },
  ])("$message", ({ others, message }) => {
    expect(() => mergeStudies([studyWith([run]), ...others])).toThrow(
      new RegExp(`^${message.replaceAll(/[()]/g, String.raw`\$&`)}$`),
    );
  });
});

describe("what is no study", () => {
  const good = studyWith([runWith({})]);
  const text = JSON.stringify(good);
  const withRun = (fields: object) =>
    JSON.stringify({ ...good, runs: [{ ...good.runs[0], ...fields }] });
  const withTrace = (fields: object) =>
    JSON.stringify({ ...good, trace: { ...good.trace, ...fields } });
  const NOT_WHOLE = "f: a study that is not whole";

  test.each([
    { text: "", message: "f: no study" },
    { text: "\n \n", message: "f: no study" },
    { text: "\0\x01ELF", message: "f:1: no JSON" },
    { text: `${text}\n\n{"type":`, message: "f:3: no JSON" },
    { text: text.slice(0, -1), message: "f:1: no JSON" },
    { text: "null", message: "f: no study of hugewalk tlb --json" },
    { text: "7", message: "f: no study of hugewalk tlb --json" },
    { text: "[]", message: "f: no study of hugewalk tlb --json" },
    { text: `[${text}]`, message: "f: no study of hugewalk tlb --json" },
    { text: '{"type":"cpu"}', message: "f: no study of hugewalk tlb --json" },
    { text: `${text}\n{}`, message: "f:2: no study of hugewalk tlb --json" },
    {
      text: text.replace('"version":1', '"version":2'),
      message: `f: version 2; this hugewalk has ${STUDY_VERSION}`,
    },
    {
      text: text.replace('"version":1,', ""),
      message: `f: version undefined; this hugewalk has ${STUDY_VERSION}`,
    },
    { text: '{"type":"study","version":1}', message: NOT_WHOLE },
    { text: JSON.stringify({ ...good, runs: {} }), message: NOT_WHOLE },
    { text: JSON.stringify({ ...good, runs: [null] }), message: NOT_WHOLE },
    { text: JSON.stringify({ ...good, samples: [[1]] }), message: NOT_WHOLE },
    { text: JSON.stringify({ ...good, curves: [{}] }), message: NOT_WHOLE },
    { text: withTrace({ name: 7 }), message: NOT_WHOLE },
    { text: withTrace({ references: null }), message: NOT_WHOLE },
    { text: withTrace({ references: { fetch: 0, load: -1, store: 0 } }), message: NOT_WHOLE },
    { text: withRun({ walks: "many" }), message: NOT_WHOLE },
    { text: withRun({ walks: 1.5 }), message: NOT_WHOLE },
    { text: withRun({ walkers: 0 }), message: NOT_WHOLE },
    { text: withRun({ firstLevel: [null] }), message: NOT_WHOLE },
    { text: withRun({ entryLoads: [1, 2, 3] }), message: NOT_WHOLE },
    { text: withRun({ names: undefined }), message: NOT_WHOLE },
    { text: withRun({ routes: [{ kind: "read" }] }), message: NOT_WHOLE },
    { text: withRun({ intervals: [{ references: 0 }] }), message: NOT_WHOLE },
    { text: withRun({ regions: [[0, 1, 2]] }), message: NOT_WHOLE },
    { text: withRun({ instructions: "none" }), message: NOT_WHOLE },
  ])("$text: $message", ({ text, message }) => {
    expect(() => parseStudies(text, "f")).toThrow(
      expect.objectContaining({ name: "HugewalkError", message }),
    );
  });

  test("one over many lines is one", () => {
    expect(parseStudies(JSON.stringify(good, null, 2), "f")).toEqual([good]);
  });
});
