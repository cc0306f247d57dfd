/**
 * No text and no bytes make the reader hang, or throw anything but `InputError`; and what it
 * accepts runs, prints and runs again.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import pc from "picocolors";
import { expect, test } from "vitest";
import { InputError } from "../../src/errors.ts";
import { OPERATIONS } from "../../src/transcript/grammar.ts";
import { parseTranscript } from "../../src/transcript/parse.ts";
import { printTranscript } from "../../src/transcript/print.ts";
import { runScript } from "../../src/transcript/run.ts";
import type { Script } from "../../src/transcript/script.ts";
import { decodeTranscript } from "../../src/transcript/text.ts";
import {
  collect,
  FakeDriver,
  RECORDINGS,
  recordingUrl,
  scriptOf,
  type Step,
} from "./fake-driver.ts";

const NUMBER_OF_RUNS = 2000;
const TEXTS = RECORDINGS.map((name) => readFileSync(recordingUrl(name), "utf8"));
const TOKENS = [...new Set(TEXTS.join("\n").split(/\s+/))].concat(
  [...OPERATIONS.process.keys(), ...OPERATIONS.host.keys()],
  ["machine", "memory=4G", "hugepages=1", "=>", ";", "#", "[-]", "[#1", "at=0", "fd=f", ",", "+"],
  ["18446744073709551616", "0x", "-1", "9".repeat(400), "\t", "\r", "\u2028", "ü", "\uD800"],
);

const token = fc.constantFrom(...TOKENS);
const line = fc.array(token, { maxLength: 9 }).map((tokens) => tokens.join(" "));
const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join("\n"));
const recording = fc.constantFrom(...TEXTS);

/** A recording with a few stretches cut out, doubled or replaced. */
const mutated = fc
  .tuple(recording, fc.array(fc.tuple(fc.nat(), fc.nat(30), fc.oneof(token, fc.string()))))
  .map(([whole, edits]) => {
    return edits.reduce((current, [seed, length, insert]) => {
      const start = seed % (current.length + 1);
      return current.slice(0, start) + insert + current.slice(start + length);
    }, whole);
  });
const truncated = fc
  .tuple(recording, fc.nat())
  .map(([whole, n]) => whole.slice(0, n % whole.length));

function parse(input: string): Script | undefined {
  const { script, errors } = parseTranscript(input, "fuzz");
  for (const error of errors ?? []) {
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(/^fuzz:[1-9][0-9]*:[1-9][0-9]*: [^\p{Cc}\p{Zl}\p{Zp}]+$/u);
    const { line: row, column } = error.place;
    const lines = input.split("\n");
    expect(row).toBeLessThanOrEqual(lines.length);
    expect(column).toBeLessThanOrEqual(lines[row - 1].length + 1);
  }
  return script;
}

test.each([
  ["text", fc.string({ unit: "binary", maxLength: 200 })],
  ["tokens", text],
  ["mutated recordings", mutated],
  ["truncated recordings", truncated],
])("%s", { timeout: 60_000 }, (_what, arbitrary: fc.Arbitrary<string>) => {
  fc.assert(
    fc.property(arbitrary, (input) => void parse(input)),
    { numRuns: NUMBER_OF_RUNS },
  );
});

test("bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        parse(decodeTranscript(bytes, "fuzz"));
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }),
    { numRuns: NUMBER_OF_RUNS },
  );
});

/** Random answers to random operations, as `FakeDriver` takes them. */
const frame = fc.record({
  frame: fc.nat(3),
  backing: fc.constantFrom("anon" as const, "file" as const),
  sharing: fc.constantFrom("exclusive" as const, "shared" as const),
});
const answer = fc.record({
  result: fc.constantFrom("ok", "ENOMEM", "7", "SIGBUS ADRERR", "killed SIGBUS"),
  bound: fc.nat(),
  counters: fc.dictionary(fc.constantFrom("total", "free", "rsvd", "surp"), fc.nat(3)),
  pages: fc.array(fc.option(frame, { nil: undefined }), { minLength: 1, maxLength: 3 }),
  dies: fc.array(fc.nat(3), { maxLength: 1 }),
});
const page = fc.tuple(fc.constantFrom("anon", "file"), fc.nat(4)).map(([backing, n]) => {
  return n === 0 ? "[-]" : `[#${n} ${backing} exclusive]`;
});
const operation = fc.oneof(
  fc.constantFrom("A exec # x", "A mmap a 1h rw anon", "A read a => 7 ;", "A let a 4", "# y", ""),
  fc.constant("A pagemap 0"),
  fc.array(page, { minLength: 1, maxLength: 3 }).map((all) => `A pagemap 0 => ${all.join(" ")}`),
);
const script = fc.array(operation, { minLength: 1, maxLength: 10 }).map((operations) => {
  return ["A mmap a 1h rw anon", ...operations].join("\n");
});

type Answer = typeof answer extends fc.Arbitrary<infer T> ? T : never;

/** A frame that died comes back as another one; looking at the frames frees none. */
function stepsOf({ operations }: Script, answers: readonly Answer[]): Step[] {
  const lives = [0, 0, 0, 0];
  const life = (id: number) => id + 10 * lives[id];
  const calls = operations.filter(({ spec }) => spec.name !== "let");
  return calls.map(({ spec }, i) => {
    const { pages, dies, ...rest } = answers[i];
    if (spec.name === "pagemap") {
      const pagemap = pages.map((entry) => entry && { ...entry, frame: life(entry.frame) });
      return { ...rest, result: "", pagemap };
    }
    const step = { ...rest, dies: dies.map(life) };
    for (const id of dies) lives[id]++;
    return step;
  });
}

async function runAndPrint(input: string, answers: readonly Answer[]) {
  const parsed = scriptOf(input);
  let nrDiffering = 0;
  async function* records() {
    for await (const record of runScript(parsed, new FakeDriver(stepsOf(parsed, answers)))) {
      if (record.differs) nrDiffering++;
      yield record;
    }
  }
  const options = { colors: pc.createColors(false) };
  const lines = await collect(printTranscript(parsed, records(), options));
  return { printed: lines.map((text) => `${text}\n`).join(""), nrDiffering };
}

test("what is printed says the same when it is run again", { timeout: 60_000 }, async () => {
  const answers = fc.array(answer, { minLength: 11, maxLength: 11 });
  await fc.assert(
    fc.asyncProperty(script, answers, async (input, all) => {
      const first = await runAndPrint(input, all);
      const second = await runAndPrint(first.printed, all);
      expect(second).toEqual({
        printed: first.printed.replace(/^#   expected.*\n/gm, ""),
        nrDiffering: 0,
      });
      expect(await runAndPrint(second.printed, all)).toEqual(second);
    }),
    { numRuns: NUMBER_OF_RUNS },
  );
});
