/** Which references of a trace a study is of. */
import { describe, expect, test } from "vitest";
import { studyTrace, type TraceStudyOptions } from "../../src/study/study-trace.ts";
import { formatNamed } from "../../src/trace/formats.ts";
import { Trace } from "../../src/trace/trace.ts";
import { smallProcessor } from "../tlb/small-processor.ts";
import { inPieces } from "../trace/traces.ts";

const OPTIONS: TraceStudyOptions = {
  subjects: [
    {
      processor: smallProcessor(),
      policies: [
        { name: "4K", policy: "4K" },
        { name: "2M", policy: "2M" },
      ],
    },
  ],
  nrThreads: 1,
  nrSkipped: 0,
  limit: Infinity,
  hasRegions: true,
  hasInstructions: true,
};

/** Wide ones and instructions among them, of several threads. */
const LINES = Array.from({ length: 5000 }, (_, i) => {
  const address = ((i * 7919) % 1013) * 4096 + 4000;
  return `${i % 3},${"RWI"[i % 3]},${address},${i % 5 === 0 ? 300 : 4}`;
});

async function study(
  lines: readonly string[],
  options: Partial<TraceStudyOptions> = {},
  format = "csv",
) {
  const bytes = Buffer.from(["# No trace is empty.", ...lines, ""].join("\n"));
  const trace = await Trace.open(inPieces(bytes, 1000), "trace", {
    format: formatNamed(format),
    isLenient: true,
  });
  return studyTrace(trace, { ...OPTIONS, ...options });
}

describe("--skip and --references", () => {
  const n = LINES.length;
  test.each([
    { nrSkipped: 0, limit: n, isCut: false },
    { nrSkipped: 0, limit: n - 1, isCut: true },
    { nrSkipped: 0, limit: 1, isCut: true },
    { nrSkipped: 1, limit: Infinity, isCut: false },
    { nrSkipped: 1234, limit: 2345, isCut: true },
    { nrSkipped: 1234, limit: n - 1234, isCut: false },
    { nrSkipped: n - 1, limit: 10, isCut: false },
    { nrSkipped: n, limit: 10, isCut: false },
    { nrSkipped: n + 1, limit: Infinity, isCut: false },
  ])("$nrSkipped, $limit: as a trace of these alone", async ({ nrSkipped, limit, isCut }) => {
    // What comes after it was made by an instruction that is not in it.
    const options = { hasInstructions: false };
    const part = await study(LINES.slice(nrSkipped).slice(0, limit), options);
    const { trace, runs } = await study(LINES, { ...options, nrSkipped, limit });
    expect(trace).toEqual({ ...part.trace, nrSkipped, isCut });
    expect(runs).toEqual(part.runs);
  });

  test("broken records are none of them", async () => {
    const { trace } = await study(["0,R,0,1", "?", "0,W,0,1", "??", "0,R,0,1"], {
      nrSkipped: 1,
      limit: 1,
    });
    expect(trace).toMatchObject({ references: { fetch: 0, load: 0, store: 1 }, isCut: true });
    expect(trace.nrBroken).toBe(2);
  });
});

test("more intervals than can be kept", async () => {
  const lines = Array.from({ length: 2 ** 20 + 1 }, () => "0,R,0,1");
  await expect(study(lines, { interval: 1, hasRegions: false })).rejects.toThrow(
    "interval: 1 is too little: more than 2097152 intervals in all runs",
  );
});

describe("samples", () => {
  const SAMPLES = [
    "ls 7 cpu/mem-loads/P: 200000 401000",
    "ls 7 cpu/mem-stores/P: 200008 401000",
    "ls 7 cpu/mem-loads/P: 40000000 401000",
    "ls 7 cycles: 401000",
    "ls 7 cpu/mem-loads/P: ffff888000200000 401000",
  ];

  test("rank regions, and have no runs", async () => {
    expect(await study(SAMPLES, {}, "perf")).toEqual({
      type: "study",
      version: 1,
      trace: {
        name: "trace",
        format: "perf",
        references: { fetch: 1, load: 3, store: 1 },
        nrBroken: 0,
        nrSkipped: 0,
        isCut: false,
      },
      runs: [],
      samples: [
        [0x200000, 2],
        [0x400000, 1],
        [0x40000000, 1],
        [0x888000200000, 1],
      ],
    });
  });

  test("are skipped as references are", async () => {
    const { trace, samples } = await study(SAMPLES, { nrSkipped: 1, limit: 2 }, "perf");
    expect(trace).toMatchObject({ references: { fetch: 0, load: 1, store: 1 }, isCut: true });
    expect(samples).toEqual([
      [0x200000, 1],
      [0x40000000, 1],
    ]);
  });
});

describe("interrupted", () => {
  test.each([1, 2])("while input is waited for, after batch %i", async (nrBatches) => {
    const abort = new AbortController();
    async function* endless() {
      for (let i = 0; i < nrBatches; i++) yield Buffer.from("0,R,0,1\n".repeat(1000));
      setTimeout(() => abort.abort(), 10);
      await new Promise(() => {});
    }
    const trace = await Trace.open(endless(), "trace", { format: formatNamed("csv") });
    const { trace: facts } = await studyTrace(trace, { ...OPTIONS, signal: abort.signal });
    expect(facts.references.load).toBe(1000 * nrBatches);
    expect(facts.isCut).toBe(true);
  });

  test("before it began", async () => {
    const { trace, runs } = await study(LINES, { signal: AbortSignal.abort() });
    expect(trace).toMatchObject({ references: { fetch: 0, load: 0, store: 0 }, isCut: true });
    expect(runs.map(({ accesses }) => accesses)).toEqual([0, 0]);
  });
});
