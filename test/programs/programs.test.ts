/** What holds for all programs. */
import { describe, expect, it, test } from "vitest";
import { KIND_READ, KIND_WRITE } from "../../assembly/layout.ts";
import { OptionError } from "../../src/errors.ts";
import {
  DATA_BASE,
  LEAST_BYTES,
  MOST_BYTES,
  type ProgramOptions,
} from "../../src/programs/program.ts";
import { PROGRAMS, findProgram } from "../../src/programs/programs.ts";
import type { ReferenceSink } from "../../src/programs/sink.ts";
import { PAGE_SIZES } from "../../src/tlb/config.ts";
import { GiB, KiB, linesOf, runInto } from "./recorded.ts";

const NAMES = PROGRAMS.map(({ name }) => name);
const NR_REFERENCES = 20_000;

/** Holds references to what `ReferenceSink` and `Program` promise of them. */
class StrictSink implements ReferenceSink {
  nrReferences = 0;
  wrong: string | undefined;
  readonly #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  refer(address: number, kind: number, nrBytes: number): void {
    this.nrReferences++;
    const isRight =
      Number.isInteger(address) &&
      address >= DATA_BASE &&
      address + nrBytes <= DATA_BASE + this.#bytes &&
      Math.floor(address / 4096) === Math.floor((address + nrBytes - 1) / 4096) &&
      (kind === KIND_READ || kind === KIND_WRITE) &&
      (nrBytes === 8 || nrBytes === 16);
    if (!isRight) this.wrong ??= `${kind} at ${address}, ${nrBytes} bytes`;
  }

  invalidate(address: number): void {
    if (!(address >= DATA_BASE && address < DATA_BASE + this.#bytes)) this.wrong ??= `${address}`;
  }

  flush(): void {}
}

describe.each(NAMES)("%s", (name) => {
  const sizes = [LEAST_BYTES, 10_001, 3 * 2 ** 20 + 8, GiB, 5 * 2 ** 33 + 4104, MOST_BYTES];
  it.each(sizes)("stays within its %d bytes", (bytes) => {
    for (const pageSize of PAGE_SIZES) {
      const sink = new StrictSink(bytes);
      runInto(sink, name, { bytes, pageSize, nrReferences: NR_REFERENCES });
      expect(sink.wrong).toBeUndefined();
      expect(sink.nrReferences).toBe(NR_REFERENCES);
    }
  });

  it.each([1, 2, 3, 999, 4096, 4097])("makes %d references, no more", (nrReferences) => {
    const lines = linesOf(name, { nrReferences });
    expect(lines.filter((line) => /^[RW] /.test(line)).length).toBe(nrReferences);
    // Nor anything else behind the last one.
    expect(lines.at(-1)).toMatch(/^[RW] /);
  });

  it("does the same again with the same seed, and less is the beginning of more", () => {
    const bytes = 200 * KiB;
    const lines = linesOf(name, { bytes, seed: 7, nrReferences: 10_000 });
    expect(linesOf(name, { bytes, seed: 7, nrReferences: 10_000 })).toEqual(lines);
    const fewer = linesOf(name, { bytes, seed: 7, nrReferences: 5000 });
    expect(lines.slice(0, fewer.length)).toEqual(fewer);
  });

  it("does something else with another seed, if it is random at all", () => {
    const [a, b, c] = [1, 2, 1 + 2 ** 32].map((seed) => {
      return linesOf(name, { bytes: 200 * KiB, seed, nrReferences: 1000 }).join("\n");
    });
    const isRegular = ["sequential", "stride", "transpose"].includes(name);
    expect(new Set([a, b, c]).size).toBe(isRegular ? 1 : 3);
  });

  it("depends on the size of its pages only if it says so", () => {
    const [a, b] = (["4K", "2M"] as const).map((pageSize) => {
      return linesOf(name, { bytes: 200 * KiB, pageSize, nrReferences: 1000 }).join("\n");
    });
    expect(a !== b).toBe(findProgram(name).dependsOnPageSize);
  });

  it("yields every some thousand references", () => {
    for (const bytes of [LEAST_BYTES, GiB, MOST_BYTES]) {
      const sink = new StrictSink(bytes);
      const options = { bytes, nrReferences: 50_000, seed: 1, pageSize: "4K" } as const;
      let before = 0;
      for (const _ of findProgram(name).run(sink, options)) {
        expect(sink.nrReferences - before).toBeLessThanOrEqual(3 * 4096);
        before = sink.nrReferences;
      }
    }
  });
});

describe("options", () => {
  const good: ProgramOptions = { bytes: GiB, nrReferences: 1, seed: 0, pageSize: "4K" };
  const bad: [keyof ProgramOptions, unknown][] = [
    ["bytes", 0],
    ["bytes", -4096],
    ["bytes", 4095],
    ["bytes", 4096.5],
    ["bytes", Number.NaN],
    ["bytes", MOST_BYTES + 1],
    ["bytes", Infinity],
    ["bytes", "4096"],
    ["nrReferences", 0],
    ["nrReferences", 0.5],
    ["nrReferences", Number.NaN],
    ["nrReferences", Infinity],
    ["seed", -1],
    ["seed", 0.5],
    ["seed", 2 ** 53],
    ["pageSize", "4M"],
  ];
  it.each(bad)("%s %s is refused, before anything runs", (option, value) => {
    const run = () => findProgram("gups").run(new StrictSink(GiB), { ...good, [option]: value });
    expect(run).toThrow(OptionError);
    expect(run).toThrow(new RegExp(`^${option}: `));
  });

  test("a name that is none", () => {
    expect(() => findProgram("gupps")).toThrow(`program: "gupps" is none of ${NAMES.join(" ")}`);
  });
});
