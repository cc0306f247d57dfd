/** What programs miss in TLBs, where mathematics says it. */
import { describe, expect, it } from "vitest";
import { REFERENCE_KIND_SHIFT, REFERENCE_SIZE_SHIFT } from "../../assembly/layout.ts";
import type { ReferenceSink } from "../../src/programs/sink.ts";
import { TlbModel } from "../../src/tlb/model.ts";
import { findPreset } from "../../src/tlb/presets.ts";
import { GiB, runInto } from "./recorded.ts";

class ModelSink implements ReferenceSink {
  readonly #model: TlbModel;
  readonly #halves: Uint32Array;
  #nrWords = 0;

  constructor(model: TlbModel) {
    this.#model = model;
    const { buffer, byteOffset, length } = model.batch;
    this.#halves = new Uint32Array(buffer, byteOffset, 2 * length);
  }

  refer(address: number, kind: number, nrBytes: number): void {
    const at = 2 * this.#nrWords++;
    this.#halves[at] = address;
    this.#halves[at + 1] =
      ((nrBytes - 1) << (REFERENCE_SIZE_SHIFT - 32)) |
      (kind << (REFERENCE_KIND_SHIFT - 32)) |
      (address / 2 ** 32);
    if (2 * this.#nrWords === this.#halves.length) this.finish();
  }

  invalidate(): void {}

  flush(): void {}

  finish(): void {
    this.#model.replay(this.#nrWords);
    this.#nrWords = 0;
  }
}

/** Walks on Skylake with 4K pages, of the first references to 1 GiB. */
function walksOf(name: string, nrReferences: number): number {
  const { processor } = findPreset("skylake-sp");
  const model = new TlbModel(processor, { policies: ["4K"], hasWalkCost: false });
  const sink = new ModelSink(model);
  runInto(sink, name, { bytes: GiB, nrReferences });
  sink.finish();
  return model.counts("4K").walks;
}

const NR_WARM_UP = 50_000;
const NR_REFERENCES = 400_000;

describe("misses of 4K pages on Skylake, of 1 GiB", () => {
  it("sequential: each 512th", () => {
    expect(walksOf("sequential", NR_REFERENCES)).toBe(Math.ceil(NR_REFERENCES / 512));
  });

  it("stride: all", () => {
    expect(walksOf("stride", NR_REFERENCES)).toBe(NR_REFERENCES);
  });

  // 1536 of 262,144 pages are in the TLB: 99.41 %. Of a store behind its load all hit.
  it.each([
    ["random", 1],
    ["gups", 1 / 2],
    ["chase", 1],
  ])("%s: 99.41 % of new words", (name, share) => {
    const nrNew = NR_REFERENCES * share;
    const missing = 1 - 1536 / 262_144;
    const deviation = Math.sqrt(nrNew * missing * (1 - missing));
    const walks = walksOf(name, NR_WARM_UP + NR_REFERENCES) - walksOf(name, NR_WARM_UP);
    expect(Math.abs(walks - nrNew * missing)).toBeLessThan(5 * deviation);
  });

  it("transpose: each write, for a column is of more pages than the TLB", () => {
    // Rows of 64 KiB: 8192 pages a column; a row that is read takes 16 more in the meantime.
    const walks = walksOf("transpose", NR_REFERENCES);
    expect(walks).toBeGreaterThanOrEqual(NR_REFERENCES / 2);
    expect(walks).toBeLessThan((NR_REFERENCES / 2) * 1.01);
  });
});
